#include "wire/utf8.h"

#include "wire/word.h"

/* What a lead byte asks for: how many bytes follow, and what the first of them may be. The narrower
 * ranges keep out overlong forms (e0, f0), surrogates (ed) and what lies above U+10FFFF (f4). */
static bool lead_byte(struct utf8 *state, unsigned char byte)
{
	state->low = 0x80;
	state->high = 0xbf;
	if (byte >= 0xc2 && byte <= 0xdf) {
		state->need = 1;
	} else if (byte >= 0xe0 && byte <= 0xef) {
		state->need = 2;
		if (byte == 0xe0)
			state->low = 0xa0;
		else if (byte == 0xed)
			state->high = 0x9f;
	} else if (byte >= 0xf0 && byte <= 0xf4) {
		state->need = 3;
		if (byte == 0xf0)
			state->low = 0x90;
		else if (byte == 0xf4)
			state->high = 0x8f;
	} else {
		return false;
	}
	return true;
}

static enum err bad_byte(struct slice text, size_t at, size_t *ret_bad_at)
{
	if (ret_bad_at)
		*ret_bad_at = at;
	unsigned byte = (unsigned char)text.at[at];
	return err_note(ERR_UTF8, "byte %zu (0x%02x) is %s", at, byte,
			byte ? "not valid UTF-8" : "NUL, which text may not hold");
}

enum err utf8_feed(struct utf8 *state, struct slice chunk, size_t *ret_bad_at)
{
	struct utf8 now = *state;
	size_t at = 0;

	while (at < chunk.bytes) {
		unsigned char byte = (unsigned char)chunk.at[at];

		if (now.need) {
			if (byte < now.low || byte > now.high)
				return bad_byte(chunk, at, ret_bad_at);
			now.need--;
			now.low = 0x80;
			now.high = 0xbf;
			at++;
		} else if (byte >= 0x80) {
			if (!lead_byte(&now, byte))
				return bad_byte(chunk, at, ret_bad_at);
			at++;
		} else if (byte || now.nul) {
			at++;
			while (chunk.bytes - at >= WORD_BYTES &&
			       word_is_ascii_text(word_load(chunk.at + at)))
				at += WORD_BYTES;
		} else {
			return bad_byte(chunk, at, ret_bad_at);
		}
	}
	*state = now;
	return OK;
}

enum err utf8_end(const struct utf8 *state)
{
	if (state->need)
		return err_note(ERR_UTF8, "the text ends inside a character");
	return OK;
}

enum err utf8_check(struct slice text, size_t *ret_bad_at)
{
	struct utf8 state = { 0 };

	enum err err = utf8_feed(&state, text, ret_bad_at);
	if (err)
		return err;
	err = utf8_end(&state);
	if (err && ret_bad_at)
		*ret_bad_at = text.bytes;
	return err;
}

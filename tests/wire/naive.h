/*
 * naive: what text and JSON are, said in the plainest way, to judge the quick readers by.
 *
 * Promise written from the standards (RFC 3629, RFC 8259) without a look at src/wire. Slow, and
 *         recursive to the depth it is asked for.
 */
#ifndef TAPECAST_TESTS_WIRE_NAIVE_H
#define TAPECAST_TESTS_WIRE_NAIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Decodes each character, then judges the number. NUL is no text here. */
static inline bool naive_is_text(struct slice text)
{
	const unsigned char *at = (const unsigned char *)text.at;
	size_t left = text.bytes;

	while (left) {
		static const uint32_t least[] = { 1, 0x80, 0x800, 0x10000 };
		unsigned more = at[0] < 0x80 ? 0 : at[0] >> 5 == 6 ? 1 : at[0] >> 4 == 14 ? 2 : 3;
		uint32_t point = more == 0 ? at[0] : at[0] & (0x3fu >> more);
		if ((more == 3 && at[0] >> 3 != 30) || more + 1 > left)
			return false;
		for (unsigned i = 1; i <= more; i++) {
			if (at[i] >> 6 != 2)
				return false;
			point = point << 6 | (at[i] & 0x3f);
		}
		if (point < least[more] || point > 0x10ffff || point >> 11 == 0x1b)
			return false;
		at += more + 1;
		left -= more + 1;
	}
	return true;
}

/* Each of these takes what it names from the front of *text. */
static inline bool naive_take(struct slice *text, const char *word)
{
	if (!slice_starts(*text, slice_of(word)))
		return false;
	*text = slice_from(text->at + strlen(word), text->bytes - strlen(word));
	return true;
}

static inline bool naive_any_of(struct slice *text, const char *bytes)
{
	if (!text->bytes || !text->at[0] || !strchr(bytes, text->at[0]))
		return false;
	*text = slice_from(text->at + 1, text->bytes - 1);
	return true;
}

static inline void naive_space(struct slice *text)
{
	while (naive_any_of(text, " \t\r\n"))
		;
}

static inline bool naive_hex4(struct slice *text, uint32_t *ret_unit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	uint32_t unit = 0;
	for (int i = 0; i < 4; i++) {
		if (!text->bytes || !text->at[0] || !strchr(digits, text->at[0]))
			return false;
		unit = unit * 16 + (uint32_t)(strchr(digits, text->at[0]) - digits) % 16;
		*text = slice_from(text->at + 1, text->bytes - 1);
	}
	*ret_unit = unit;
	return true;
}

static inline bool naive_string(struct slice *text)
{
	if (!naive_take(text, "\""))
		return false;
	while (text->bytes) {
		uint32_t unit, low;
		if (naive_take(text, "\""))
			return true;
		if (naive_take(text, "\\u")) {
			if (!naive_hex4(text, &unit) || unit >> 10 == 0x37)
				return false;
			if (unit >> 10 != 0x36)
				continue;
			if (!naive_take(text, "\\u") || !naive_hex4(text, &low) ||
			    low >> 10 != 0x37)
				return false;
		} else if (naive_take(text, "\\")) {
			if (!naive_any_of(text, "\"\\/bfnrt"))
				return false;
		} else if ((unsigned char)text->at[0] < 0x20) {
			return false;
		} else {
			*text = slice_from(text->at + 1, text->bytes - 1);
		}
	}
	return false;
}

static inline bool naive_digits(struct slice *text)
{
	if (!naive_any_of(text, "0123456789"))
		return false;
	while (naive_any_of(text, "0123456789"))
		;
	return true;
}

static inline bool naive_number(struct slice *text)
{
	naive_take(text, "-");
	if (!naive_take(text, "0") && !naive_digits(text))
		return false;
	if (naive_take(text, ".") && !naive_digits(text))
		return false;
	if (!naive_any_of(text, "eE"))
		return true;
	naive_any_of(text, "+-");
	return naive_digits(text);
}

static inline bool naive_value(struct slice *text, int depth_left);

static inline bool naive_members(struct slice *text, const char *close, int depth_left)
{
	naive_space(text);
	if (naive_take(text, close))
		return true;
	do {
		naive_space(text);
		if (*close == '}') {
			if (!naive_string(text))
				return false;
			naive_space(text);
			if (!naive_take(text, ":"))
				return false;
		}
		if (!naive_value(text, depth_left))
			return false;
		naive_space(text);
	} while (naive_take(text, ","));
	return naive_take(text, close);
}

static inline bool naive_value(struct slice *text, int depth_left)
{
	naive_space(text);
	if (naive_take(text, "{"))
		return depth_left > 0 && naive_members(text, "}", depth_left - 1);
	if (naive_take(text, "["))
		return depth_left > 0 && naive_members(text, "]", depth_left - 1);
	if (text->bytes && text->at[0] == '"')
		return naive_string(text);
	return naive_take(text, "true") || naive_take(text, "false") || naive_take(text, "null") ||
	       naive_number(text);
}

/* One value, at most 128 deep, white space around it, nothing else. */
static inline bool naive_is_json(struct slice text)
{
	if (!naive_is_text(text) || !naive_value(&text, 128))
		return false;
	naive_space(&text);
	return text.bytes == 0;
}

#endif

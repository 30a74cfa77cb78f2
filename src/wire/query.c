#include "wire/query.h"

#include "wire/utf8.h"

void query_split(struct slice uri, struct slice *ret_path, struct slice *ret_query)
{
	const char *mark = uri.bytes ? memchr(uri.at, '?', uri.bytes) : NULL;
	size_t path_bytes = mark ? (size_t)(mark - uri.at) : uri.bytes;

	*ret_path = slice_from(uri.at, path_bytes);
	*ret_query = mark ? slice_from(mark + 1, uri.bytes - path_bytes - 1) : SLICE("");
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return -1;
}

/* text begins at `offset` of what the notes speak of. plus: what a "+" stands for. */
static enum err decode_bytes(struct slice text, size_t offset, char plus, struct buf *buf)
{
	for (size_t at = 0; at < text.bytes; at++) {
		char byte = text.at[at];

		if (byte == '+') {
			byte = plus;
		} else if (byte == '%') {
			int high = text.bytes - at > 2 ? hex_value(text.at[at + 1]) : -1;
			int low = text.bytes - at > 2 ? hex_value(text.at[at + 2]) : -1;
			if (high < 0 || low < 0)
				return err_note(ERR_SYNTAX,
						"byte %zu: two hex digits must follow %%",
						offset + at);
			byte = (char)(high << 4 | low);
			if (!byte)
				return err_note(ERR_SYNTAX, "byte %zu: %%00 is not allowed",
						offset + at);
			at += 2;
		}
		enum err err = buf_put_byte(buf, byte);
		if (err)
			return err;
	}
	return OK;
}

static enum err decode(struct slice text, size_t offset, char plus, struct buf *buf)
{
	size_t before = buf->bytes;

	if (text.bytes == 0)
		return OK;
	enum err err = decode_bytes(text, offset, plus, buf);
	if (!err) {
		err = utf8_check(slice_from(buf->at + before, buf->bytes - before), NULL);
		if (err)
			err_prefix(err, "what stands at byte %zu, decoded", offset);
	}
	if (err)
		buf->bytes = before;
	return err;
}

enum err query_decode_path(struct slice text, struct buf *buf)
{
	/* Never more bytes than before, so one growth is enough. */
	enum err err = buf_reserve(buf, text.bytes);
	return err ? err : decode(text, 0, '+', buf);
}

static bool is_escaped(struct slice text)
{
	return text.bytes &&
	       (memchr(text.at, '%', text.bytes) || memchr(text.at, '+', text.bytes));
}

/* A part of the query that lies at `offset` in it. */
static enum err decode_part(struct slice part, size_t offset, struct buf *scratch,
			    struct slice *ret_text)
{
	size_t before = scratch->bytes;

	if (!is_escaped(part)) {
		enum err err = utf8_check(part, NULL);
		if (err)
			return err_prefix(err, "what stands at byte %zu", offset);
		*ret_text = part;
		return OK;
	}
	enum err err = decode(part, offset, ' ', scratch);
	if (err)
		return err;
	*ret_text = slice_from(scratch->at + before, scratch->bytes - before);
	return OK;
}

enum err query_next(struct slice query, size_t *at, struct buf *scratch, struct slice *ret_name,
		    struct slice *ret_value)
{
	/* Decoded text is never longer: room for all of it now, and scratch will not move again. */
	if (*at == 0 && is_escaped(query)) {
		enum err err = buf_reserve(scratch, query.bytes);
		if (err)
			return err;
	}
	while (*at < query.bytes && query.at[*at] == '&')
		(*at)++;
	if (*at >= query.bytes)
		return ERR_NOT_FOUND;

	size_t start = *at;
	struct slice pair = slice_from(query.at + start, query.bytes - start);
	const char *end = memchr(pair.at, '&', pair.bytes);
	if (end)
		pair.bytes = (size_t)(end - pair.at);
	*at = start + pair.bytes;

	const char *equals = memchr(pair.at, '=', pair.bytes);
	size_t name_bytes = equals ? (size_t)(equals - pair.at) : pair.bytes;
	size_t value_at = equals ? name_bytes + 1 : pair.bytes;
	struct slice name, value;

	enum err err = decode_part(slice_from(pair.at, name_bytes), start, scratch, &name);
	if (err)
		return err;
	err = decode_part(slice_from(pair.at + value_at, pair.bytes - value_at), start + value_at,
			  scratch, &value);
	if (err)
		return err;
	*ret_name = name;
	*ret_value = value;
	return OK;
}

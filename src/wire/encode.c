#include "wire/encode.h"

#include "wire/quote.h"
#include "wire/when.h"

/* Each function here measures first, reserves once and then writes: a frame is whole or absent. */

static char *put(char *to, struct slice bytes)
{
	if (bytes.bytes)
		memcpy(to, bytes.at, bytes.bytes);
	return to + bytes.bytes;
}

#define PUT(to, literal) put((to), SLICE(literal))

/* A payload's lines; LF, CRLF and CR end one. n ends make n + 1 lines, so nothing is lost. */
struct cut {
	const char *at, *end;
	const char *lf, *cr; /* the next of each at or after `at`; end if there is none */
};

static const char *find(const char *at, const char *end, char byte)
{
	const char *found = at == end ? NULL : memchr(at, byte, (size_t)(end - at));
	return found ? found : end;
}

static void cut_init(struct cut *cut, struct slice text)
{
	cut->at = text.at;
	cut->end = text.bytes ? text.at + text.bytes : text.at;
	cut->lf = find(cut->at, cut->end, '\n');
	cut->cr = find(cut->at, cut->end, '\r');
}

/* Gives a line; false if it was the last. */
static bool cut_next(struct cut *cut, struct slice *ret_line)
{
	const char *stop = cut->lf < cut->cr ? cut->lf : cut->cr;

	*ret_line = slice_from(cut->at, (size_t)(stop - cut->at));
	if (stop == cut->end)
		return false;

	cut->at = stop + 1;
	if (*stop == '\r' && cut->at < cut->end && *cut->at == '\n')
		cut->at++;
	if (cut->lf < cut->at)
		cut->lf = find(cut->at, cut->end, '\n');
	if (cut->cr < cut->at)
		cut->cr = find(cut->at, cut->end, '\r');
	return true;
}

static size_t data_lines_bytes(struct slice data)
{
	struct cut cut;
	struct slice line;
	size_t total = 0;
	bool more;

	cut_init(&cut, data);
	do {
		more = cut_next(&cut, &line);
		total += sizeof "data: \n" - 1 + line.bytes;
	} while (more);
	return total;
}

static char *data_lines_write(struct slice data, char *to)
{
	struct cut cut;
	struct slice line;
	bool more;

	cut_init(&cut, data);
	do {
		more = cut_next(&cut, &line);
		to = PUT(to, "data: ");
		to = put(to, line);
		*to++ = '\n';
	} while (more);
	return to;
}

/* A field's value from outside must not end its line: that is how other fields are smuggled in. */
static enum err check_one_line(const char *what, struct slice text)
{
	if (!text.bytes ||
	    (!memchr(text.at, '\n', text.bytes) && !memchr(text.at, '\r', text.bytes) &&
	     !memchr(text.at, '\0', text.bytes)))
		return OK;
	return err_note(ERR_SYNTAX, "%s holds a line end or NUL", what);
}

static void put_done(struct buf *buf, const char *to)
{
	buf->bytes = (size_t)(to - buf->at);
}

enum err encode_sse(const struct encode_event *event, struct buf *buf)
{
	char id[POSITION_TEXT_MAX];
	size_t id_bytes = event->has_position ? position_format(&event->position, id) : 0;

	enum err err = check_one_line("type", event->type);
	if (err)
		return err;

	size_t total = data_lines_bytes(event->data) + 1;
	if (event->type.bytes)
		total += sizeof "event: \n" - 1 + event->type.bytes;
	if (id_bytes)
		total += sizeof "id: \n" - 1 + id_bytes;
	err = buf_reserve(buf, total);
	if (err)
		return err;

	char *to = buf->at + buf->bytes;
	if (event->type.bytes) {
		to = PUT(to, "event: ");
		to = put(to, event->type);
		*to++ = '\n';
	}
	to = data_lines_write(event->data, to);
	if (id_bytes) {
		to = PUT(to, "id: ");
		to = put(to, slice_from(id, id_bytes));
		*to++ = '\n';
	}
	*to++ = '\n';
	put_done(buf, to);
	return OK;
}

/* JSON as it is, but on one line: a line end is white space between tokens, never inside one. */
static char *json_write(struct slice json, char *to)
{
	struct cut cut;
	char *end = put(to, json);

	cut_init(&cut, slice_from(to, json.bytes));
	while (cut.lf < cut.end) {
		to[cut.lf - to] = ' ';
		cut.lf = find(cut.lf + 1, cut.end, '\n');
	}
	while (cut.cr < cut.end) {
		to[cut.cr - to] = ' ';
		cut.cr = find(cut.cr + 1, cut.end, '\r');
	}
	return end;
}

enum err encode_json(const struct encode_event *event, struct buf *buf)
{
	char id[POSITION_TEXT_MAX], time[WHEN_TEXT_MAX];
	size_t id_bytes = event->has_position ? position_format(&event->position, id) : 0;
	size_t time_bytes = when_format(event->wall_ms, time);
	bool json = event->json && event->data.bytes;

	size_t total = sizeof "{\"stream\":,\"time\":\"\",\"data\":}" - 1 + time_bytes;
	total += quote_bytes(event->stream);
	total += json ? event->data.bytes : quote_bytes(event->data);
	if (id_bytes)
		total += sizeof ",\"id\":\"\"" - 1 + id_bytes;
	if (event->type.bytes)
		total += sizeof ",\"type\":" - 1 + quote_bytes(event->type);
	if (event->key.bytes)
		total += sizeof ",\"key\":" - 1 + quote_bytes(event->key);
	enum err err = buf_reserve(buf, total);
	if (err)
		return err;

	char *to = buf->at + buf->bytes;
	to = quote_write(event->stream, PUT(to, "{\"stream\":"));
	if (id_bytes) {
		to = put(PUT(to, ",\"id\":\""), slice_from(id, id_bytes));
		*to++ = '"';
	}
	if (event->type.bytes)
		to = quote_write(event->type, PUT(to, ",\"type\":"));
	if (event->key.bytes)
		to = quote_write(event->key, PUT(to, ",\"key\":"));
	to = put(PUT(to, ",\"time\":\""), slice_from(time, time_bytes));
	to = PUT(to, "\",\"data\":");
	to = json ? json_write(event->data, to) : quote_write(event->data, to);
	*to++ = '}';
	put_done(buf, to);
	return OK;
}

static enum err check_block(struct slice type, struct slice json, struct slice id)
{
	enum err err = check_one_line("type", type);
	if (!err)
		err = check_one_line("data", json);
	if (!err)
		err = check_one_line("id", id);
	return err;
}

enum err encode_sse_block(struct slice type, struct slice json, struct slice id, uint32_t retry_ms,
			  struct buf *buf)
{
	enum { RETRY_LINE_BYTES_MAX = sizeof "retry: 4294967295\n" - 1 };

	enum err err = check_block(type, json, id);
	if (err)
		return err;

	size_t total = sizeof "event: \ndata: \nid: \n\n" - 1;
	total += type.bytes + json.bytes + id.bytes + (retry_ms ? RETRY_LINE_BYTES_MAX : 0);
	err = buf_reserve(buf, total);
	if (err)
		return err;

	char *to = buf->at + buf->bytes;
	if (type.bytes) {
		to = put(PUT(to, "event: "), type);
		*to++ = '\n';
	}
	if (retry_ms) {
		char digits[10];
		size_t at = sizeof digits;
		for (uint32_t rest = retry_ms; rest; rest /= 10)
			digits[--at] = (char)('0' + rest % 10);
		to = put(PUT(to, "retry: "), slice_from(digits + at, sizeof digits - at));
		*to++ = '\n';
	}
	to = put(PUT(to, "data: "), json);
	*to++ = '\n';
	if (id.bytes) {
		to = put(PUT(to, "id: "), id);
		*to++ = '\n';
	}
	*to++ = '\n';
	put_done(buf, to);
	return OK;
}

#include "wire/sse.h"

#include "wire/word.h"

/* "event: " or a BOM before "data: ": what a line may hold besides its value. */
enum { FIELD_BYTES_MAX = 16 };

void sse_reader_init(struct sse_reader *reader, size_t bytes_max)
{
	*reader = (struct sse_reader){ .bytes_max = bytes_max, .retry_ms = -1 };
	buf_init(&reader->line, bytes_max + FIELD_BYTES_MAX);
	buf_init(&reader->data, bytes_max + 1); /* the LF behind the last line */
	buf_init(&reader->type, bytes_max);
	buf_init(&reader->id, bytes_max);
}

void sse_reader_fini(struct sse_reader *reader)
{
	buf_fini(&reader->line);
	buf_fini(&reader->data);
	buf_fini(&reader->type);
	buf_fini(&reader->id);
}

static enum err too_big(const struct sse_reader *reader)
{
	return err_note(ERR_TOO_BIG, "event %llu is longer than %zu bytes",
			(unsigned long long)reader->events + 1, reader->bytes_max);
}

static void block_begin(struct sse_reader *reader)
{
	buf_reset(&reader->data);
	buf_reset(&reader->type);
	reader->has_data = false;
	reader->has_id = false;
	reader->given = false;
}

static enum err field_set(struct buf *field, struct slice value)
{
	buf_reset(field);
	return buf_put(field, value);
}

static void retry_set(struct sse_reader *reader, struct slice value)
{
	unsigned long long number;
	if (slice_to_u64(value, &number) && number <= INT64_MAX)
		reader->retry_ms = (int64_t)number;
}

static enum err data_add(struct sse_reader *reader, struct slice value)
{
	enum err err = buf_put(&reader->data, value);
	if (!err)
		err = buf_put_byte(&reader->data, '\n');
	if (!err)
		reader->has_data = true;
	return err;
}

/* Without the LF behind the last line. */
static size_t data_bytes(const struct sse_reader *reader)
{
	return reader->has_data ? reader->data.bytes - 1 : 0;
}

/* A line that is not empty. */
static enum err field_read(struct sse_reader *reader, struct slice line)
{
	const char *colon = memchr(line.at, ':', line.bytes);
	struct slice name = line, value = SLICE("");
	enum err err = OK;

	if (colon) {
		name.bytes = (size_t)(colon - line.at);
		value = slice_from(colon + 1, line.bytes - name.bytes - 1);
		if (slice_starts(value, SLICE(" ")))
			value = slice_from(value.at + 1, value.bytes - 1);
	}

	if (slice_equal(name, SLICE("data"))) {
		err = data_add(reader, value);
	} else if (slice_equal(name, SLICE("event"))) {
		err = field_set(&reader->type, value);
	} else if (slice_equal(name, SLICE("id"))) {
		if (!value.bytes || !memchr(value.at, '\0', value.bytes)) {
			err = field_set(&reader->id, value);
			reader->has_id = true;
		}
	} else if (slice_equal(name, SLICE("retry"))) {
		retry_set(reader, value);
	}
	if (err)
		return err;

	size_t total = data_bytes(reader) + reader->type.bytes +
		       (reader->has_id ? reader->id.bytes : 0);
	return total > reader->bytes_max ? ERR_TOO_BIG : OK;
}

/* OK: the line ended a block that is to be given. ERR_AGAIN: go on. */
static enum err line_read(struct sse_reader *reader, struct slice line, struct sse_event *ret_event)
{
	if (!reader->started) {
		reader->started = true;
		if (slice_starts(line, SLICE("\xef\xbb\xbf")))
			line = slice_from(line.at + 3, line.bytes - 3);
	}
	if (line.bytes) {
		enum err err = field_read(reader, line);
		return err ? err : ERR_AGAIN;
	}

	if (!reader->has_data && !reader->has_id && !reader->type.bytes)
		return ERR_AGAIN;
	*ret_event = (struct sse_event){
		.type = buf_slice(&reader->type),
		.data = slice_from(reader->data.at, data_bytes(reader)),
		.id = buf_slice(&reader->id),
		.has_data = reader->has_data,
		.has_id = reader->has_id,
	};
	reader->events++;
	reader->given = true;
	return OK;
}

/* Where the chunk's first line ends: at its CR or LF, or chunk.bytes. Two memchr would read the
 * whole chunk for each line of a body that uses only one of the two. */
static size_t line_end(struct slice chunk)
{
	size_t at = 0;

	while (chunk.bytes - at >= WORD_BYTES && !word_has_line_end(word_load(chunk.at + at)))
		at += WORD_BYTES;
	while (at < chunk.bytes && chunk.at[at] != '\n' && chunk.at[at] != '\r')
		at++;
	return at;
}

/* Keeps the part of a line that a chunk's end has cut. Of a comment the colon is enough. */
static enum err line_hold(struct sse_reader *reader, struct slice part)
{
	if (reader->line.bytes && reader->line.at[0] == ':')
		return OK;
	if (!reader->line.bytes && part.bytes && part.at[0] == ':')
		part.bytes = 1;
	return buf_put(&reader->line, part);
}

/* Takes one line, or the beginning of one, from the chunk. As line_read. */
static enum err line_take(struct sse_reader *reader, struct slice *chunk,
			  struct sse_event *ret_event)
{
	size_t end = line_end(*chunk);
	struct slice line = slice_from(chunk->at, end);
	bool whole = end < chunk->bytes;
	bool held = reader->line.bytes > 0;
	enum err err = OK;

	if (held || !whole)
		err = line_hold(reader, line);
	if (err)
		return err;

	size_t taken = end;
	if (whole) {
		reader->after_cr = chunk->at[end] == '\r';
		taken++;
	}
	*chunk = slice_from(chunk->at + taken, chunk->bytes - taken);
	if (!whole)
		return ERR_AGAIN;

	if (held)
		line = buf_slice(&reader->line);
	err = line_read(reader, line, ret_event);
	buf_reset(&reader->line);
	return err;
}

enum err sse_next(struct sse_reader *reader, struct slice *chunk, struct sse_event *ret_event)
{
	enum err err = reader->failed ? reader->failed : ERR_AGAIN;

	if (reader->given)
		block_begin(reader);
	while (err == ERR_AGAIN && chunk->bytes) {
		if (reader->after_cr) {
			reader->after_cr = false;
			if (chunk->at[0] == '\n') {
				*chunk = slice_from(chunk->at + 1, chunk->bytes - 1);
				continue;
			}
		}
		err = line_take(reader, chunk, ret_event);
	}
	if (err == OK || err == ERR_AGAIN)
		return err;
	reader->failed = err;
	return err == ERR_TOO_BIG ? too_big(reader) : err;
}

#include "wire/lines.h"

void lines_init(struct lines *lines, size_t bytes_max)
{
	*lines = (struct lines){ .bytes_max = bytes_max };
	buf_init(&lines->held, bytes_max + 1); /* the CR */
}

void lines_fini(struct lines *lines)
{
	buf_fini(&lines->held);
}

static enum err fail(struct lines *lines, enum err err)
{
	lines->failed = err;
	if (err == ERR_TOO_BIG)
		return err_note(err, "line %llu is longer than %zu bytes",
				(unsigned long long)lines->number + 1, lines->bytes_max);
	return err;
}

static enum err give(struct lines *lines, struct slice line, struct slice *ret_line)
{
	if (line.bytes && line.at[line.bytes - 1] == '\r')
		line.bytes--;
	if (line.bytes > lines->bytes_max)
		return fail(lines, ERR_TOO_BIG);
	lines->number++;
	*ret_line = line;
	return OK;
}

static void forget_given(struct lines *lines)
{
	if (!lines->given)
		return;
	buf_reset(&lines->held);
	lines->given = false;
}

enum err lines_next(struct lines *lines, struct slice *chunk, struct slice *ret_line)
{
	if (lines->failed)
		return fail(lines, lines->failed);
	forget_given(lines);
	if (!chunk->bytes)
		return ERR_AGAIN;

	const char *lf = memchr(chunk->at, '\n', chunk->bytes);
	struct slice part = slice_from(chunk->at, lf ? (size_t)(lf - chunk->at) : chunk->bytes);
	size_t taken = part.bytes + (lf ? 1 : 0);
	bool whole = lf && !lines->held.bytes;

	if (!whole) {
		enum err err = buf_put(&lines->held, part);
		if (err)
			return fail(lines, err);
	}
	*chunk = slice_from(chunk->at + taken, chunk->bytes - taken);
	if (!lf)
		return ERR_AGAIN;
	lines->given = !whole;
	return give(lines, whole ? part : buf_slice(&lines->held), ret_line);
}

enum err lines_last(struct lines *lines, struct slice *ret_line)
{
	if (lines->failed)
		return fail(lines, lines->failed);
	forget_given(lines);
	if (!lines->held.bytes)
		return ERR_AGAIN;
	lines->given = true;
	return give(lines, buf_slice(&lines->held), ret_line);
}

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/must.h"

enum { BUF_FIRST_BYTES = 64 };

void buf_init(struct buf *buf, size_t bytes_max)
{
	MUST(bytes_max < SIZE_MAX);
	*buf = (struct buf){ .bytes_max = bytes_max };
}

void buf_fini(struct buf *buf)
{
	mem_free(buf->at);
	*buf = (struct buf){ .bytes_max = buf->bytes_max };
}

void buf_reset(struct buf *buf)
{
	buf->bytes = 0;
	buf->err = OK;
}

void buf_eat(struct buf *buf, size_t bytes)
{
	MUST(bytes <= buf->bytes);
	if (bytes == 0)
		return;
	buf->bytes -= bytes;
	memmove(buf->at, buf->at + bytes, buf->bytes);
}

static enum err buf_fail(struct buf *buf, enum err err)
{
	if (buf->err == OK)
		buf->err = err;
	return err;
}

enum err buf_reserve(struct buf *buf, size_t bytes)
{
	if (bytes > buf->bytes_max - buf->bytes)
		return buf_fail(buf, ERR_TOO_BIG);

	size_t wanted = buf->bytes + bytes;
	if (wanted <= buf->capacity)
		return OK;

	/* Doubling, so that many small puts cost O(bytes); one byte below a power of two, because
	 * the block has one byte more than the capacity: vsnprintf ends with a NUL. */
	size_t capacity = BUF_FIRST_BYTES - 1;
	while (capacity < wanted && capacity < buf->bytes_max)
		capacity = capacity > buf->bytes_max / 2 ? buf->bytes_max : capacity * 2 + 1;
	if (capacity > buf->bytes_max)
		capacity = buf->bytes_max;

	char *at = mem_realloc(buf->at, capacity + 1);
	if (!at)
		return buf_fail(buf, ERR_NOMEM);
	buf->at = at;
	buf->capacity = capacity;
	return OK;
}

enum err buf_put(struct buf *buf, struct slice bytes)
{
	enum err err = buf_reserve(buf, bytes.bytes);
	if (err != OK)
		return err;
	if (bytes.bytes)
		memcpy(buf->at + buf->bytes, bytes.at, bytes.bytes);
	buf->bytes += bytes.bytes;
	return OK;
}

enum err buf_put_byte(struct buf *buf, char byte)
{
	return buf_put(buf, (struct slice){ &byte, 1 });
}

enum err buf_put_text(struct buf *buf, const char *text)
{
	return buf_put(buf, slice_of(text));
}

enum err buf_put_u64(struct buf *buf, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	return buf_put(buf, (struct slice){ digits + at, sizeof digits - at });
}

enum err buf_putf(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int count = vsnprintf(NULL, 0, format, args);
	va_end(args);
	MUST(count >= 0);

	enum err err = buf_reserve(buf, (size_t)count);
	if (err != OK)
		return err;
	if (count == 0)
		return OK;

	va_start(args, format);
	(void)vsnprintf(buf->at + buf->bytes, (size_t)count + 1, format, args);
	va_end(args);
	buf->bytes += (size_t)count;
	return OK;
}

/*
 * buf: bytes that grow up to a bound given at birth.
 *
 * Owns    its bytes.
 * Promise a put that does not fit changes nothing and says so; the first failure also sticks in
 *         `err`, so that a run of puts can be checked once at the end.
 * Bound   bytes_max.
 */
#ifndef TAPECAST_BASE_BUF_H
#define TAPECAST_BASE_BUF_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct buf {
	char *at;
	size_t bytes;
	size_t capacity;
	size_t bytes_max;
	enum err err; /* OK, ERR_NOMEM or ERR_TOO_BIG: the first put that failed */
};

void buf_init(struct buf *buf, size_t bytes_max);
void buf_fini(struct buf *buf);
/* Empties it and forgets err; keeps the memory. */
void buf_reset(struct buf *buf);
/* Drops the first `bytes` bytes. */
void buf_eat(struct buf *buf, size_t bytes);

enum err buf_put(struct buf *buf, struct slice bytes);
enum err buf_put_byte(struct buf *buf, char byte);
enum err buf_put_text(struct buf *buf, const char *text);
enum err buf_put_u64(struct buf *buf, uint64_t number);
enum err buf_putf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Makes room for `bytes` more, to be written at buf->at + buf->bytes by the caller. */
enum err buf_reserve(struct buf *buf, size_t bytes) ERR_CHECKED;

static inline struct slice buf_slice(const struct buf *buf)
{
	return (struct slice){ buf->at, buf->bytes };
}

#endif

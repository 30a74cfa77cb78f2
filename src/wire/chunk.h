/*
 * chunk: HTTP/1.1's chunked transfer coding (RFC 9112, 7.1), for bodies written as they come.
 *
 * Promise pure. The size is written with a fixed number of digits, so that a chunk's bytes do not
 *         depend on anything but its content and a frame can be chunked once for everybody.
 * Bound   CHUNK_BYTES_MAX bytes a chunk.
 */
#ifndef TAPECAST_WIRE_CHUNK_H
#define TAPECAST_WIRE_CHUNK_H

#include "base/buf.h"

enum {
	CHUNK_DIGITS = 6,
	CHUNK_HEAD_BYTES = CHUNK_DIGITS + 2,
	CHUNK_BYTES_MAX = (1 << 24) - 1,
};

/* What ends a chunked body. */
#define CHUNK_LAST "0\r\n\r\n"

/* Begins a chunk at the end of buf: what is put from now on is its content. *ret_mark is for the
 * close. ERR_TOO_BIG, ERR_NOMEM. */
enum err chunk_open(struct buf *buf, size_t *ret_mark) ERR_CHECKED;
/* Ends it. An empty chunk would end the body, so it is taken away again. ERR_TOO_BIG, ERR_NOMEM:
 * buf is as it was before chunk_open. */
enum err chunk_close(struct buf *buf, size_t mark) ERR_CHECKED;

#endif

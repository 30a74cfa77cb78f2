/*
 * base64url: RFC 4648, section 5, as cursors and tokens use it: no padding, and strict.
 *
 * Thread  any.
 * Promise pure. One text for each run of bytes: padding, white space, other alphabets and set bits
 *         behind the last byte are refused, so that nothing can be written in two ways.
 */
#ifndef TAPECAST_WIRE_BASE64URL_H
#define TAPECAST_WIRE_BASE64URL_H

#include <stdint.h>

#include "base/buf.h"

/* Characters that `count` bytes are, and room that a text of `count` characters needs at most. */
#define BASE64URL_TEXT(count) (((count) * 4 + 2) / 3)
#define BASE64URL_BYTES(count) ((count) / 4 * 3 + 2)

/* Writes BASE64URL_TEXT(count) characters, no NUL; returns the place behind them. */
char *base64url_write(const uint8_t *bytes, size_t count, char *to);
/* ret_bytes has room for BASE64URL_BYTES(text.bytes). ERR_SYNTAX with a note. */
enum err base64url_read(struct slice text, uint8_t *ret_bytes, size_t *ret_count) ERR_CHECKED;

/* The same at the end of a buf, which is as it was after an error. */
enum err base64url_encode(struct slice bytes, struct buf *buf) ERR_CHECKED;
enum err base64url_decode(struct slice text, struct buf *buf) ERR_CHECKED;

#endif

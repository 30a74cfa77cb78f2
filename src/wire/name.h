/*
 * name: what may be called a stream, a type, a key.
 *
 * Promise pure. A refusal leaves a note that names the byte (offset and value) and the rule.
 * Bound   see the enum; rules from docs/protocol.md, section "Names".
 */
#ifndef TAPECAST_WIRE_NAME_H
#define TAPECAST_WIRE_NAME_H

#include "base/err.h"
#include "base/slice.h"

enum { NAME_BYTES_MAX = 200, TYPE_BYTES_MAX = 64, KEY_BYTES_MAX = 200, IDEM_BYTES_MAX = 200 };

/* 1..200 bytes of A-Z a-z 0-9 - . _ ~ : @ + /, starting with a letter or digit; no empty, "." or
 * ".." segment between slashes. ERR_NAME. */
enum err name_check(struct slice name) ERR_CHECKED;

/* [A-Za-z0-9._:-]{1,64}; "tapecast." at the start is ours. ERR_SYNTAX. */
enum err type_check(struct slice type) ERR_CHECKED;

/* 1..200 bytes of UTF-8 without control characters. ERR_SYNTAX, ERR_UTF8, ERR_TOO_BIG. */
enum err key_check(struct slice key) ERR_CHECKED;

/* Idempotency keys: 1..200 printable ASCII bytes (0x21..0x7e). ERR_SYNTAX, ERR_TOO_BIG. */
enum err idem_check(struct slice idem) ERR_CHECKED;

#endif

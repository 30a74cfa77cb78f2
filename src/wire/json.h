/*
 * json: RFC 8259 without a tree: check a text, walk an object's members as spans, unescape strings.
 *
 * Promise pure, no recursion, nothing allocated but what the caller's buf takes. Payloads stay the
 *         bytes they were: numbers are never read.
 * Bound   JSON_DEPTH_MAX levels.
 */
#ifndef TAPECAST_WIRE_JSON_H
#define TAPECAST_WIRE_JSON_H

#include <stdbool.h>

#include "base/buf.h"

enum { JSON_DEPTH_MAX = 128 };

enum json_kind {
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_value {
	enum json_kind kind;
	struct slice text; /* the value's own bytes, quotes and braces included */
};

/* One well-formed value, white space around it, nothing else; UTF-8 checked, no unpaired surrogate
 * escapes. ERR_SYNTAX or ERR_UTF8 with a note that names the byte. */
enum err json_check(struct slice text, struct json_value *ret_value) ERR_CHECKED;

/* Walks the members of an object (or elements of an array: *ret_name empty) that json_check has
 * passed. Begin with *at = 0; false at the end. Names come raw, without their quotes: json_name_is
 * compares unescaped. */
bool json_next(struct json_value whole, size_t *at, struct slice *ret_name,
	       struct json_value *ret_value);
bool json_name_is(struct slice raw_name, const char *name);

/* A JSON_STRING's characters into buf. ERR_SYNTAX for \u0000 and for other kinds, ERR_TOO_BIG,
 * ERR_NOMEM; buf is then as it was. */
enum err json_string(struct json_value value, struct buf *buf) ERR_CHECKED;
/* Quotes text (valid UTF-8) into buf. */
enum err json_quote(struct slice text, struct buf *buf);

/* A whole JSON number without fraction, sign or exponent, 0..2^53-1. ERR_RANGE. */
enum err json_u64(struct json_value value, uint64_t *ret_number) ERR_CHECKED;

#endif

/*
 * when: RFC 3339 times, to the millisecond, UTC inside.
 *
 * Promise pure; the Gregorian calendar for ever, no leap seconds, no time zones but offsets.
 */
#ifndef TAPECAST_WIRE_WHEN_H
#define TAPECAST_WIRE_WHEN_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { WHEN_TEXT_MAX = 32 };

/* "2026-11-24T13:00:00.250Z"; 24 bytes, NUL-terminated. Returns the length. Years 1970..9999; what
 * lies beyond is written as the last millisecond of 9999. */
size_t when_format(uint64_t wall_ms, char ret_text[WHEN_TEXT_MAX]);
/* With any offset; "t", "z" or a space allowed, fractions cut to ms, leap second 60 as 59.999.
 * A space for the offset's plus, too: that is what a query makes of an unescaped one.
 * ERR_SYNTAX, ERR_RANGE (before 1970, after 9999). */
enum err when_parse(struct slice text, uint64_t *ret_wall_ms) ERR_CHECKED;

#endif

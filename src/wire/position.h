/*
 * position: the place of an event on its stream: epoch, sequence number, chain tag.
 *
 * Promise pure; format and parse are each other's inverse. Equal (epoch, seq, tag) means an equal
 *         past (docs/protocol.md, "Positions").
 * Bound   text of at most POSITION_TEXT_MAX - 1 bytes; seq <= 2^53 - 1.
 */
#ifndef TAPECAST_WIRE_POSITION_H
#define TAPECAST_WIRE_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { POSITION_TEXT_MAX = 64 };
#define POSITION_SEQ_MAX ((UINT64_C(1) << 53) - 1)
#define POSITION_TAG_MAX ((UINT64_C(1) << 48) - 1)

/* All zero is the origin: before the first event of a stream that may not exist yet. Text: "0". */
struct position {
	uint64_t epoch; /* counter n << 40 | 40 random bits r; n >= 1 */
	uint64_t seq;
	uint64_t tag; /* 48 bits */
};

/* n 1..2^24-1, r 40 bits. */
uint64_t position_epoch(uint32_t n, uint64_t r);
uint32_t position_epoch_n(uint64_t epoch);

bool position_equal(const struct position *a, const struct position *b);
bool position_is_origin(const struct position *position);

/* "1.k3x9q2ab-1042-9f86d081884c": n decimal, r as 8 digits of base 32 (0-9 a-z without i l o u),
 * seq decimal, tag as 12 hex digits. Returns the length; NUL-terminated. */
size_t position_format(const struct position *position, char ret_text[POSITION_TEXT_MAX]);

/* Strict: only what position_format writes. ERR_SYNTAX with a note. */
enum err position_parse(struct slice text, struct position *ret_position) ERR_CHECKED;

#endif

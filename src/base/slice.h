/*
 * slice: bytes with a length, owned by somebody else. Not NUL-terminated.
 */
#ifndef TAPECAST_BASE_SLICE_H
#define TAPECAST_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *at;
	size_t bytes;
};

#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline struct slice slice_from(const char *at, size_t bytes)
{
	return (struct slice){ at, bytes };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.at, b.at, a.bytes) == 0);
}

/* ASCII letters compare without case. */
bool slice_equal_nocase(struct slice a, struct slice b);
bool slice_starts(struct slice whole, struct slice start);
/* The whole slice is a decimal number of at most 19 digits, no sign: else false, *ret untouched. */
bool slice_to_u64(struct slice text, unsigned long long *ret_number);

#endif

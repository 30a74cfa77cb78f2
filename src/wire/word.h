/*
 * word: questions about eight bytes at once, for loops whose usual answer is "nothing special".
 *
 * Promise exact as to whether such a byte is among the eight, in any byte order; not as to which.
 */
#ifndef TAPECAST_WIRE_WORD_H
#define TAPECAST_WIRE_WORD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WORD_BYTES = 8 };

#define WORD_OF(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t word_load(const char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return word;
}

/* Every byte is 0x01..0x7f. */
static inline bool word_is_ascii_text(uint64_t word)
{
	return ((word | (word - WORD_OF(0x01u))) & WORD_OF(0x80u)) == 0;
}

/* No byte is below 0x20, a quote or a backslash: they stand for themselves in a JSON string. */
static inline bool word_is_plain(uint64_t word)
{
	uint64_t quote = word ^ WORD_OF(0x22u);
	uint64_t backslash = word ^ WORD_OF(0x5cu);
	uint64_t control = (word - WORD_OF(0x20u)) & ~word;

	quote = (quote - WORD_OF(0x01u)) & ~quote;
	backslash = (backslash - WORD_OF(0x01u)) & ~backslash;
	return ((quote | backslash | control) & WORD_OF(0x80u)) == 0;
}

/* A byte is LF or CR. */
static inline bool word_has_line_end(uint64_t word)
{
	uint64_t lf = word ^ WORD_OF(0x0au);
	uint64_t cr = word ^ WORD_OF(0x0du);

	lf = (lf - WORD_OF(0x01u)) & ~lf;
	cr = (cr - WORD_OF(0x01u)) & ~cr;
	return ((lf | cr) & WORD_OF(0x80u)) != 0;
}

#endif

/*
 * utf8: is it text? Strict: no overlong forms, no surrogates, nothing above U+10FFFF, and no NUL
 *       unless it is asked for.
 *
 * Promise pure; utf8_check and any cutting into utf8_feed's chunks agree.
 */
#ifndef TAPECAST_WIRE_UTF8_H
#define TAPECAST_WIRE_UTF8_H

#include "base/err.h"
#include "base/slice.h"

/* Carries what a chunk's end leaves open to the next chunk. Zero it to begin. */
struct utf8 {
	unsigned char need; /* continuation bytes still due */
	unsigned char low, high; /* what the next one may be */
	bool nul; /* set by the caller: NUL may be in it */
};

/* ERR_UTF8 with a note; *ret_bad_at (may be NULL) is the offset of the first byte that cannot be,
 * text.bytes if the text ends inside a character. */
enum err utf8_check(struct slice text, size_t *ret_bad_at) ERR_CHECKED;
enum err utf8_feed(struct utf8 *state, struct slice chunk, size_t *ret_bad_at) ERR_CHECKED;
/* Nothing is left open. */
enum err utf8_end(const struct utf8 *state) ERR_CHECKED;

#endif

/*
 * pattern: which streams a grant is for.
 *
 * Promise pure. A pattern is a stream's name, the start of one and "*" at its end, or "*"; {sub} in
 *         it is the subject of the token, whose own "*" is a star and no pattern.
 */
#ifndef TAPECAST_AUTH_PATTERN_H
#define TAPECAST_AUTH_PATTERN_H

#include "base/err.h"
#include "base/slice.h"

/* ERR_SYNTAX with a note. */
enum err pattern_check(struct slice pattern) ERR_CHECKED;
bool pattern_matches(struct slice pattern, struct slice sub, struct slice name);

#endif

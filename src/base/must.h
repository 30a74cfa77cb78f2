/*
 * must: what can only be false through a bug. Always on; prints the place and aborts.
 *
 * Promise input from a network or a file never reaches a MUST.
 */
#ifndef TAPECAST_BASE_MUST_H
#define TAPECAST_BASE_MUST_H

#include <stdbool.h>

#define MUST(cond) ((cond) ? (void)0 : must_fail(__FILE__, __LINE__, __func__, #cond))

/* The object is what it says it is: not freed, not another type. */
#define MUST_BE(object, wanted_tag) MUST((object) && (object)->tag == (wanted_tag))

_Noreturn void must_fail(const char *file, int line, const char *function, const char *cond);

#endif

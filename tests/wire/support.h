/*
 * support: what the tests of wire share: cmocka, a seeded generator, asserts about slices.
 *
 * Promise the same seed draws the same numbers on every machine.
 */
#ifndef TAPECAST_TESTS_WIRE_SUPPORT_H
#define TAPECAST_TESTS_WIRE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* splitmix64. */
static inline uint64_t draw(uint64_t *seed)
{
	uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static inline size_t draw_below(uint64_t *seed, size_t bound)
{
	return (size_t)(draw(seed) % bound);
}

/* Small numbers, great ones and all between are equally likely to be met. */
static inline uint64_t draw_sized(uint64_t *seed, uint64_t max)
{
	uint64_t number = draw(seed) >> draw_below(seed, 64);
	return number > max ? max : number;
}

/* Fills `to` with bytes from `alphabet`. */
static inline struct slice draw_text(uint64_t *seed, struct slice alphabet, char *to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = alphabet.at[draw_below(seed, alphabet.bytes)];
	return slice_from(to, bytes);
}

#define assert_ok(call) assert_int_equal((call), OK)

#define assert_slice(got, wanted)                                                                  \
	do {                                                                                       \
		struct slice got_ = (got), wanted_ = (wanted);                                     \
		assert_int_equal(got_.bytes, wanted_.bytes);                                       \
		if (wanted_.bytes)                                                                 \
			assert_memory_equal(got_.at, wanted_.at, wanted_.bytes);                   \
	} while (0)

/* A copy on the heap, to the byte, so that an address sanitizer sees a read beyond its end. */
static inline struct slice exact_copy(struct slice text)
{
	char *copy = mem_alloc(text.bytes ? text.bytes : 1);
	assert_non_null(copy);
	if (text.bytes)
		memcpy(copy, text.at, text.bytes);
	return slice_from(copy, text.bytes);
}

static inline void exact_free(struct slice copy)
{
	union {
		const char *given;
		char *ours;
	} at = { .given = copy.at };
	mem_free(at.ours);
}

/* Every test gives back all memory. */
static inline int memory_is_back(void **state)
{
	(void)state;
	mem_fail_after(-1);
	return mem_live() == 0 ? 0 : -1;
}

#define TEST(fn) cmocka_unit_test_teardown(fn, memory_is_back)

#endif

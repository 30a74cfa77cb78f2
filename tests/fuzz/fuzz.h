/*
 * fuzz: what the harnesses share. Each file fuzz_<target>.c is one harness: it takes any bytes and
 * asserts properties with MUST, so that libFuzzer and the plain replay program see the same faults.
 *
 * Promise a harness keeps nothing: all memory is given back after each input.
 */
#ifndef TAPECAST_TESTS_FUZZ_H
#define TAPECAST_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/slice.h"

/* libFuzzer's entry; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct slice fuzz_slice(const uint8_t *data, size_t size)
{
	return slice_from((const char *)data, size);
}

/* The first byte of *rest, or 0: the choices of a harness come before its text. */
static inline unsigned fuzz_byte(struct slice *rest)
{
	if (!rest->bytes)
		return 0;
	unsigned byte = (unsigned char)rest->at[0];
	*rest = slice_from(rest->at + 1, rest->bytes - 1);
	return byte;
}

/* The first `bytes` bytes of *rest, or what there is. */
static inline struct slice fuzz_take(struct slice *rest, size_t bytes)
{
	bytes = bytes < rest->bytes ? bytes : rest->bytes;
	struct slice taken = slice_from(rest->at, bytes);
	*rest = slice_from(rest->at + bytes, rest->bytes - bytes);
	return taken;
}

/* A piece of *rest whose length the fuzzer steers by `seed`; all of it in the end. */
static inline struct slice fuzz_chunk(struct slice *rest, unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return fuzz_take(rest, 1 + (*seed >> 16) % 13);
}

#endif

/*
 * mem: the only door to the allocator. Counts live bytes and blocks, fails on demand.
 *
 * Thread  any; the counters are atomic.
 * Promise a failed call changes nothing and returns NULL.
 * Bound   mem_limit_set: allocations beyond it fail like an empty machine.
 */
#ifndef TAPECAST_BASE_MEM_H
#define TAPECAST_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t bytes);
void *mem_zalloc(size_t bytes);
/* count * each, zeroed; NULL also when the product overflows. */
void *mem_zalloc_array(size_t count, size_t each_bytes);
/* As realloc; the old block lives on if it fails. mem_realloc(NULL, n) allocates. */
void *mem_realloc(void *block, size_t bytes);
char *mem_strndup(const char *text, size_t bytes);
void mem_free(void *block); /* NULL is fine */

/* Blocks and bytes (as the allocator rounds them) that live now; calls made so far, also those that
 * failed. */
size_t mem_live(void);
size_t mem_live_bytes(void);
uint64_t mem_calls(void);

/* Bytes that may live; 0 (the default): no limit. */
void mem_limit_set(size_t bytes_max);

/* Tests: the call after `count` more successful ones fails, once and then again and again
 * until set anew; -1: never. */
void mem_fail_after(long count);

/* Tests: each call fails with a chance of one in `one_in`, by a generator seeded here; 0: never. */
void mem_fail_randomly(uint64_t seed, uint32_t one_in);

#endif

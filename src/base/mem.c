#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/metric.h"
#include "base/must.h"

static atomic_size_t live_count;
static atomic_size_t live_bytes;
static atomic_size_t limit_bytes;
static _Atomic uint64_t call_count;

static atomic_long fail_countdown = -1;
static _Atomic uint64_t fail_random_state;
static _Atomic uint32_t fail_one_in;

static bool fails_by_count(void)
{
	long left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
	while (left > 0) {
		if (atomic_compare_exchange_weak(&fail_countdown, &left, left - 1))
			return false;
	}
	return left == 0;
}

static bool fails_by_chance(void)
{
	uint32_t one_in = atomic_load_explicit(&fail_one_in, memory_order_relaxed);
	if (one_in == 0)
		return false;

	/* SplitMix64: any number of threads may step it, and one thread repeats exactly. */
	uint64_t step = 0x9e3779b97f4a7c15u;
	uint64_t mix = atomic_fetch_add(&fail_random_state, step) + step;
	mix = (mix ^ (mix >> 30)) * 0xbf58476d1ce4e5b9u;
	mix = (mix ^ (mix >> 27)) * 0x94d049bb133111ebu;
	mix ^= mix >> 31;
	return mix % one_in == 0;
}

/* old_bytes: what a reallocation gives back if it succeeds. */
static bool may_take(size_t bytes, size_t old_bytes)
{
	atomic_fetch_add_explicit(&call_count, 1, memory_order_relaxed);
	if (fails_by_count() || fails_by_chance())
		return false;

	size_t limit = atomic_load_explicit(&limit_bytes, memory_order_relaxed);
	if (limit == 0)
		return true;
	size_t live = mem_live_bytes();
	size_t others = live > old_bytes ? live - old_bytes : 0;
	if (others <= limit && bytes <= limit - others)
		return true;
	metric_up(METRIC_LIMITS, LIMIT_PROCESS_BYTES);
	return false;
}

static void *taken(void *block)
{
	if (!block)
		return NULL;
	atomic_fetch_add_explicit(&live_count, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&live_bytes, malloc_usable_size(block), memory_order_relaxed);
	return block;
}

void *mem_alloc(size_t bytes)
{
	if (!may_take(bytes, 0))
		return NULL;
	return taken(malloc(bytes ? bytes : 1));
}

void *mem_zalloc(size_t bytes)
{
	if (!may_take(bytes, 0))
		return NULL;
	return taken(calloc(1, bytes ? bytes : 1));
}

void *mem_zalloc_array(size_t count, size_t each_bytes)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, each_bytes, &bytes))
		return NULL;
	return mem_zalloc(bytes);
}

void *mem_realloc(void *block, size_t bytes)
{
	if (!block)
		return mem_alloc(bytes);

	size_t old_bytes = malloc_usable_size(block);
	if (!may_take(bytes, old_bytes))
		return NULL;
	/* realloc(block, 0) would free the block and say that it failed. */
	void *moved = realloc(block, bytes ? bytes : 1);
	if (!moved)
		return NULL;
	atomic_fetch_add_explicit(&live_bytes, malloc_usable_size(moved), memory_order_relaxed);
	atomic_fetch_sub_explicit(&live_bytes, old_bytes, memory_order_relaxed);
	return moved;
}

char *mem_strndup(const char *text, size_t bytes)
{
	size_t bytes_with_nul;
	if (__builtin_add_overflow(bytes, 1u, &bytes_with_nul))
		return NULL;
	char *copy = mem_alloc(bytes_with_nul);
	if (!copy)
		return NULL;
	if (bytes)
		memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return copy;
}

void mem_free(void *block)
{
	if (!block)
		return;
	MUST(mem_live() > 0);
	atomic_fetch_sub_explicit(&live_bytes, malloc_usable_size(block), memory_order_relaxed);
	atomic_fetch_sub_explicit(&live_count, 1, memory_order_relaxed);
	free(block);
}

size_t mem_live(void)
{
	return atomic_load_explicit(&live_count, memory_order_relaxed);
}

size_t mem_live_bytes(void)
{
	return atomic_load_explicit(&live_bytes, memory_order_relaxed);
}

uint64_t mem_calls(void)
{
	return atomic_load_explicit(&call_count, memory_order_relaxed);
}

void mem_limit_set(size_t bytes_max)
{
	atomic_store(&limit_bytes, bytes_max);
}

void mem_fail_after(long count)
{
	atomic_store(&fail_countdown, count);
}

void mem_fail_randomly(uint64_t seed, uint32_t one_in)
{
	atomic_store(&fail_random_state, seed);
	atomic_store(&fail_one_in, one_in);
}

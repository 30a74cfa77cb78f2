#include "base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void counts_what_lives(void **state)
{
	(void)state;
	uint64_t calls = mem_calls();
	void *a = mem_alloc(100);
	void *b = mem_zalloc(200);
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(mem_live(), 2);
	assert_true(mem_live_bytes() >= 300);
	assert_int_equal(mem_calls(), calls + 2);

	mem_free(a);
	assert_int_equal(mem_live(), 1);
	assert_true(mem_live_bytes() >= 200);
	assert_true(mem_live_bytes() < 300);
	mem_free(b);
	assert_int_equal(mem_live_bytes(), 0);
	mem_free(NULL);
}

static void zalloc_is_zero(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		unsigned char *block = mem_zalloc(500);
		assert_non_null(block);
		for (int i = 0; i < 500; i++)
			assert_int_equal(block[i], 0);
		memset(block, 0xff, 500);
		mem_free(block);
	}
}

static void an_array_whose_size_overflows_is_refused(void **state)
{
	(void)state;
	assert_null(mem_zalloc_array(SIZE_MAX / 2, 3));
	void *array = mem_zalloc_array(3, 5);
	assert_non_null(array);
	mem_free(array);
}

static void realloc_keeps_bytes_and_counts(void **state)
{
	(void)state;
	char *block = mem_realloc(NULL, 10);
	assert_non_null(block);
	memcpy(block, "0123456789", 10);
	block = mem_realloc(block, 100000);
	assert_non_null(block);
	assert_memory_equal(block, "0123456789", 10);
	assert_int_equal(mem_live(), 1);
	assert_true(mem_live_bytes() >= 100000);
	block = mem_realloc(block, 10);
	assert_non_null(block);
	assert_true(mem_live_bytes() < 100000);
	block = mem_realloc(block, 0);
	assert_non_null(block);
	mem_free(block);
	assert_int_equal(mem_live_bytes(), 0);
}

static void a_failed_realloc_leaves_the_old_block(void **state)
{
	(void)state;
	char *block = mem_strndup("hello", 5);
	assert_non_null(block);
	size_t bytes = mem_live_bytes();
	mem_fail_after(0);
	assert_null(mem_realloc(block, 1000));
	assert_null(mem_realloc(NULL, 1000));
	mem_fail_after(-1);
	assert_string_equal(block, "hello");
	assert_int_equal(mem_live(), 1);
	assert_int_equal(mem_live_bytes(), bytes);
	mem_free(block);
}

static void strndup_takes_the_bytes_it_is_told(void **state)
{
	(void)state;
	char *text = mem_strndup("hello", 2);
	assert_string_equal(text, "he");
	mem_free(text);
	text = mem_strndup(NULL, 0);
	assert_string_equal(text, "");
	mem_free(text);
	assert_null(mem_strndup("", SIZE_MAX));
}

static void fails_after_so_many_and_goes_on_failing(void **state)
{
	(void)state;
	mem_fail_after(2);
	void *a = mem_alloc(1);
	void *b = mem_zalloc(1);
	assert_non_null(a);
	assert_non_null(b);
	assert_null(mem_alloc(1));
	assert_null(mem_zalloc(1));
	assert_null(mem_strndup("x", 1));
	mem_fail_after(-1);
	void *c = mem_alloc(1);
	assert_non_null(c);
	mem_free(a);
	mem_free(b);
	mem_free(c);
}

static void a_limit_acts_like_an_empty_machine(void **state)
{
	(void)state;
	mem_limit_set(1000);
	void *a = mem_alloc(600);
	assert_non_null(a);
	assert_null(mem_alloc(600));
	assert_null(mem_alloc(SIZE_MAX));
	a = mem_realloc(a, 900); /* instead of the 600, not beside them */
	assert_non_null(a);
	assert_null(mem_realloc(a, 1100));
	mem_free(a);
	a = mem_alloc(600);
	assert_non_null(a);
	mem_free(a);
}

static unsigned failures_of(uint64_t seed)
{
	unsigned failures = 0;
	mem_fail_randomly(seed, 4);
	for (int i = 0; i < 64; i++) {
		void *block = mem_alloc(1);
		failures = failures * 3 + !block; /* a fingerprint of the order, too */
		mem_free(block);
	}
	mem_fail_randomly(0, 0);
	return failures;
}

static void chance_repeats_for_a_seed(void **state)
{
	(void)state;
	assert_int_equal(failures_of(1), failures_of(1));
	assert_int_not_equal(failures_of(1), failures_of(2));
}

static void chance_is_about_as_asked(void **state)
{
	(void)state;
	unsigned failures = 0;
	mem_fail_randomly(7, 10);
	for (int i = 0; i < 10000; i++) {
		void *block = mem_alloc(1);
		failures += !block;
		mem_free(block);
	}
	mem_fail_randomly(0, 0);
	assert_in_range(failures, 850, 1150);
}

static void *churn(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		void *block = mem_alloc(32);
		block = mem_realloc(block, 64);
		mem_free(block);
	}
	return arg;
}

static void threads_count_together(void **state)
{
	(void)state;
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn, NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(mem_live(), 0);
	assert_int_equal(mem_live_bytes(), 0);
}

static int teardown(void **state)
{
	(void)state;
	mem_limit_set(0);
	mem_fail_after(-1);
	return mem_live() == 0 && mem_live_bytes() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, teardown)
	const struct CMUnitTest tests[] = {
		TEST(counts_what_lives),
		TEST(zalloc_is_zero),
		TEST(an_array_whose_size_overflows_is_refused),
		TEST(realloc_keeps_bytes_and_counts),
		TEST(a_failed_realloc_leaves_the_old_block),
		TEST(strndup_takes_the_bytes_it_is_told),
		TEST(fails_after_so_many_and_goes_on_failing),
		TEST(a_limit_acts_like_an_empty_machine),
		TEST(chance_repeats_for_a_seed),
		TEST(chance_is_about_as_asked),
		TEST(threads_count_together),
	};
	return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dies.h"

static void assert_holds(const struct buf *buf, const char *text)
{
	assert_int_equal(buf->bytes, strlen(text));
	if (buf->bytes)
		assert_memory_equal(buf->at, text, buf->bytes);
}

static void puts_of_every_kind_follow_each_other(void **state)
{
	struct buf *buf = *state;
	assert_int_equal(buf_put(buf, SLICE("a")), OK);
	assert_int_equal(buf_put_byte(buf, '-'), OK);
	assert_int_equal(buf_put_text(buf, "bc"), OK);
	assert_int_equal(buf_putf(buf, "<%d>", 5), OK);
	assert_int_equal(buf_putf(buf, "%s", ""), OK);
	assert_int_equal(buf_put_u64(buf, 0), OK);
	assert_int_equal(buf_put_byte(buf, '-'), OK);
	assert_int_equal(buf_put_u64(buf, UINT64_MAX), OK);
	assert_holds(buf, "a-bc<5>0-18446744073709551615");
	assert_true(slice_equal(buf_slice(buf), SLICE("a-bc<5>0-18446744073709551615")));
}

static void is_full_to_the_last_byte_and_then_refuses(void **state)
{
	struct buf *buf = *state;
	for (size_t i = 0; i < buf->bytes_max; i++)
		assert_int_equal(buf_put_byte(buf, (char)('a' + i % 26)), OK);
	assert_int_equal(buf->err, OK);
	assert_int_equal(buf_put_byte(buf, '!'), ERR_TOO_BIG);
	assert_int_equal(buf_putf(buf, "%d", 1), ERR_TOO_BIG);
	assert_int_equal(buf->err, ERR_TOO_BIG);
	assert_int_equal(buf->bytes, buf->bytes_max);
	assert_int_equal(buf->capacity, buf->bytes_max);
	for (size_t i = 0; i < buf->bytes; i++)
		assert_int_equal(buf->at[i], 'a' + (int)(i % 26));
}

static void printf_fills_the_last_byte_too(void **state)
{
	struct buf *buf = *state;
	assert_int_equal(buf_putf(buf, "%*s", (int)buf->bytes_max, "x"), OK);
	assert_int_equal(buf->bytes, buf->bytes_max);
	assert_int_equal(buf->at[buf->bytes - 1], 'x');
}

static void a_put_that_does_not_fit_changes_nothing_but_sticks(void **state)
{
	struct buf *buf = *state;
	char big[400] = "";
	assert_int_equal(buf_put_text(buf, "kept"), OK);
	assert_int_equal(buf_put(buf, slice_from(big, sizeof big)), ERR_TOO_BIG);
	assert_holds(buf, "kept");
	assert_int_equal(buf_put_text(buf, "!"), OK);
	assert_holds(buf, "kept!");
	assert_int_equal(buf->err, ERR_TOO_BIG);
	buf_reset(buf);
	assert_int_equal(buf->err, OK);
	assert_int_equal(buf->bytes, 0);
}

static void a_size_beyond_counting_is_too_big(void **state)
{
	struct buf *buf = *state;
	assert_int_equal(buf_put_text(buf, "kept"), OK);
	assert_int_equal(buf_reserve(buf, SIZE_MAX), ERR_TOO_BIG);
	assert_int_equal(buf_reserve(buf, SIZE_MAX - 4), ERR_TOO_BIG);
}

static void the_first_failure_is_the_one_remembered(void **state)
{
	struct buf *buf = *state;
	mem_fail_after(0);
	assert_int_equal(buf_put_text(buf, "x"), ERR_NOMEM);
	mem_fail_after(-1);
	char big[400] = "";
	assert_int_equal(buf_put(buf, slice_from(big, sizeof big)), ERR_TOO_BIG);
	assert_int_equal(buf->err, ERR_NOMEM);
	assert_holds(buf, "");
}

static void eats_from_the_front(void **state)
{
	struct buf *buf = *state;
	buf_eat(buf, 0);
	assert_int_equal(buf_put_text(buf, "hello world"), OK);
	buf_eat(buf, 6);
	assert_holds(buf, "world");
	buf_eat(buf, 5);
	assert_holds(buf, "");
}

static void eat_too_much(void *arg)
{
	struct buf *buf = arg;
	buf_eat(buf, buf->bytes + 1);
}

static void eating_more_than_there_is_is_a_bug(void **state)
{
	assert_true(dies(eat_too_much, *state));
}

static void small_puts_cost_few_allocations(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 1 << 20);
	uint64_t calls = mem_calls();
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_put_byte(&buf, 'x'), OK);
	assert_in_range(mem_calls() - calls, 1, 12);
	buf_fini(&buf);
	assert_null(buf.at);
}

static void a_small_bound_is_kept_as_well(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 3);
	assert_int_equal(buf_put_text(&buf, "abc"), OK);
	assert_int_equal(buf_put_text(&buf, "d"), ERR_TOO_BIG);
	assert_int_equal(buf.capacity, 3);
	buf_fini(&buf);
}

static void reset_keeps_the_memory(void **state)
{
	struct buf *buf = *state;
	assert_int_equal(buf_put_text(buf, "hello"), OK);
	buf_reset(buf);
	uint64_t calls = mem_calls();
	assert_int_equal(buf_put_text(buf, "again"), OK);
	assert_int_equal(mem_calls(), calls);
	assert_holds(buf, "again");
}

static void what_is_reserved_may_be_written(void **state)
{
	struct buf *buf = *state;
	assert_int_equal(buf_reserve(buf, 200), OK);
	assert_int_equal(buf->bytes, 0);
	memset(buf->at, 'y', 200);
	buf->bytes += 200;
	assert_int_equal(buf_put_text(buf, "z"), OK);
	assert_int_equal(buf->at[199], 'y');
	assert_int_equal(buf->at[200], 'z');
}

static int setup(void **state)
{
	static struct buf buf;
	buf_init(&buf, 300);
	*state = &buf;
	return 0;
}

static int teardown(void **state)
{
	mem_fail_after(-1);
	buf_fini(*state);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(puts_of_every_kind_follow_each_other),
		TEST(is_full_to_the_last_byte_and_then_refuses),
		TEST(printf_fills_the_last_byte_too),
		TEST(a_put_that_does_not_fit_changes_nothing_but_sticks),
		TEST(a_size_beyond_counting_is_too_big),
		TEST(the_first_failure_is_the_one_remembered),
		TEST(eats_from_the_front),
		TEST(eating_more_than_there_is_is_a_bug),
		TEST(small_puts_cost_few_allocations),
		TEST(a_small_bound_is_kept_as_well),
		TEST(reset_keeps_the_memory),
		TEST(what_is_reserved_may_be_written),
	};
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

#include "wire/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"

static void a_chunk_says_its_size_in_six_digits(void **state)
{
	(void)state;
	struct buf buf;
	size_t mark;
	buf_init(&buf, 1 << 20);
	assert_int_equal(buf_put(&buf, SLICE("head")), OK);
	assert_int_equal(chunk_open(&buf, &mark), OK);
	for (int i = 0; i < 0x1a2; i++)
		assert_int_equal(buf_put_byte(&buf, 'x'), OK);
	assert_int_equal(chunk_close(&buf, mark), OK);
	assert_int_equal(buf.bytes, 4 + CHUNK_HEAD_BYTES + 0x1a2 + 2);
	assert_memory_equal(buf.at, "head0001a2\r\nx", 13);
	assert_memory_equal(buf.at + buf.bytes - 3, "x\r\n", 3);
	buf_fini(&buf);
}

static void an_empty_chunk_is_none(void **state)
{
	(void)state;
	struct buf buf;
	size_t mark;
	buf_init(&buf, 64);
	assert_int_equal(chunk_open(&buf, &mark), OK);
	assert_int_equal(chunk_close(&buf, mark), OK);
	assert_int_equal(buf.bytes, 0);
	buf_fini(&buf);
}

static void what_does_not_fit_leaves_nothing_behind(void **state)
{
	(void)state;
	struct buf buf;
	size_t mark;
	buf_init(&buf, 4 + CHUNK_HEAD_BYTES + 5 + 1); /* one byte too small for the end */
	assert_int_equal(buf_put(&buf, SLICE("head")), OK);
	assert_int_equal(chunk_open(&buf, &mark), OK);
	assert_int_equal(buf_put(&buf, SLICE("hello")), OK);
	assert_int_equal(chunk_close(&buf, mark), ERR_TOO_BIG);
	assert_true(slice_equal(buf_slice(&buf), SLICE("head")));
	buf_fini(&buf);
}

static int nothing_lives(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, nothing_lives)
	const struct CMUnitTest tests[] = {
		TEST(a_chunk_says_its_size_in_six_digits),
		TEST(an_empty_chunk_is_none),
		TEST(what_does_not_fit_leaves_nothing_behind),
	};
	return cmocka_run_group_tests_name("chunk", tests, NULL, NULL);
}

#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void equal_means_length_and_bytes(void **state)
{
	(void)state;
	assert_true(slice_equal(SLICE("abc"), slice_of("abc")));
	assert_false(slice_equal(SLICE("abc"), SLICE("abd")));
	assert_false(slice_equal(SLICE("abc"), SLICE("ab")));
	assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
	assert_true(slice_equal(slice_of(NULL), SLICE("")));
}

static void case_is_ignored_for_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(slice_equal_nocase(SLICE("Last-Event-ID"), SLICE("last-event-id")));
	assert_true(slice_equal_nocase(SLICE("AZaz"), SLICE("azAZ")));
	assert_false(slice_equal_nocase(SLICE("@"), SLICE("`")));
	assert_false(slice_equal_nocase(SLICE("["), SLICE("{")));
	assert_false(slice_equal_nocase(SLICE("\xc3\x84"), SLICE("\xc3\xa4")));
	assert_false(slice_equal_nocase(SLICE("a"), SLICE("ab")));
}

static void starts_with_itself_and_with_nothing(void **state)
{
	(void)state;
	assert_true(slice_starts(SLICE("Bearer x"), SLICE("Bearer ")));
	assert_true(slice_starts(SLICE("x"), SLICE("x")));
	assert_true(slice_starts(SLICE("x"), SLICE("")));
	assert_true(slice_starts(slice_of(NULL), SLICE("")));
	assert_false(slice_starts(SLICE("x"), SLICE("xy")));
	assert_false(slice_starts(SLICE("xz"), SLICE("xy")));
}

static void numbers_are_digits_and_nothing_else(void **state)
{
	(void)state;
	unsigned long long number = 77;
	assert_true(slice_to_u64(SLICE("0"), &number));
	assert_int_equal(number, 0);
	assert_true(slice_to_u64(SLICE("0000000000000000042"), &number));
	assert_int_equal(number, 42);
	assert_true(slice_to_u64(SLICE("9999999999999999999"), &number));
	assert_true(number == 9999999999999999999u);

	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1/", "1:",
					   "10000000000000000000" };
	number = 77;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(slice_to_u64(slice_of(bad[i]), &number));
	assert_int_equal(number, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_means_length_and_bytes),
		cmocka_unit_test(case_is_ignored_for_ascii_letters_only),
		cmocka_unit_test(starts_with_itself_and_with_nothing),
		cmocka_unit_test(numbers_are_digits_and_nothing_else),
	};
	return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}

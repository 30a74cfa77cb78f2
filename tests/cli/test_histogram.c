#include "cli/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct histogram times;

static int begin(void **state)
{
	(void)state;
	times = (struct histogram){ .count = 0 };
	return 0;
}

static void an_empty_one_says_zero(void **state)
{
	(void)state;
	assert_int_equal(histogram_at(&times, 500), 0);
	assert_int_equal(histogram_at(&times, 1000), 0);
}

static void every_value_comes_back_within_two_percent(void **state)
{
	(void)state;
	for (uint64_t value = 1; value < UINT64_C(1) << HISTOGRAM_BITS; value += 1 + value / 7) {
		begin(NULL);
		histogram_add(&times, value);
		histogram_add(&times, UINT64_MAX); /* so that the maximum does not help */
		uint64_t got = histogram_at(&times, 500);
		assert_in_range(got, value, value + value / 32);
	}
}

static void percentiles_count_values(void **state)
{
	(void)state;
	for (uint64_t value = 1; value <= 1000; value++)
		histogram_add(&times, value * 1000000);
	assert_in_range(histogram_at(&times, 500), 500000000, 520000000);
	assert_in_range(histogram_at(&times, 990), 990000000, 1000000000);
	assert_int_equal(histogram_at(&times, 1000), 1000000000);
	assert_in_range(histogram_at(&times, 1), 1000000, 1040000);
}

static void what_is_too_long_counts_as_the_longest(void **state)
{
	(void)state;
	histogram_add(&times, UINT64_MAX);
	assert_int_equal(times.max_ns, (UINT64_C(1) << HISTOGRAM_BITS) - 1);
	assert_int_equal(histogram_at(&times, 500), times.max_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_one_says_zero, begin),
		cmocka_unit_test_setup(every_value_comes_back_within_two_percent, begin),
		cmocka_unit_test_setup(percentiles_count_values, begin),
		cmocka_unit_test_setup(what_is_too_long_counts_as_the_longest, begin),
	};
	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}

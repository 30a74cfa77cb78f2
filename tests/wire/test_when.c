#include "wire/when.h"

#include <stdio.h>
#include <time.h>

#include "support.h"

static const struct good_time {
	const char *text;
	uint64_t wall_ms;
} good_times[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1970-01-01T00:00:00.001Z", 1 },
	{ "2026-11-24T13:00:00.250Z", UINT64_C(1795525200250) },
	{ "2026-11-24t13:00:00.250z", UINT64_C(1795525200250) },
	{ "2026-11-24 13:00:00.250Z", UINT64_C(1795525200250) },
	{ "2026-11-24T14:00:00.25+01:00", UINT64_C(1795525200250) },
	{ "2026-11-24T14:00:00.25 01:00", UINT64_C(1795525200250) },
	{ "2026-11-24T07:30:00.2509999999999999999-05:30", UINT64_C(1795525200250) },
	{ "2026-11-24T13:00:00-00:00", UINT64_C(1795525200000) },
	{ "2026-11-25T12:59:00+23:59", UINT64_C(1795525200000) },
	{ "2000-02-29T00:00:00Z", UINT64_C(951782400000) },
	{ "2024-02-29T23:59:59.999Z", UINT64_C(1709251199999) },
	{ "2016-12-31T23:59:60Z", UINT64_C(1483228799999) },
	{ "2016-12-31T23:59:60.5Z", UINT64_C(1483228799999) },
	{ "1969-12-31T23:00:00-01:00", 0 },
	{ "9999-12-31T23:59:59.999Z", UINT64_C(253402300799999) },
};

static const char *const bad_times[] = {
	"", "now", "2026", "2026-11-24", "2026-11-24T13:00Z", "2026-11-24T13:00:00",
	"2026-11-24T13:00:00 ", "26-11-24T13:00:00Z", "02026-11-24T13:00:00Z",
	"2026-1-24T13:00:00Z", "2026-11-24T3:00:00Z", "2026-00-24T13:00:00Z",
	"2026-13-24T13:00:00Z", "2026-11-00T13:00:00Z", "2026-11-31T13:00:00Z",
	"2025-02-29T13:00:00Z", "1900-02-29T00:00:00Z", "2026-11-24T24:00:00Z",
	"2026-11-24T13:60:00Z", "2026-11-24T13:00:61Z", "2026-11-24T13:00:00.Z",
	"2026-11-24T13:00:00,5Z", "2026-11-24T13:00:00+1:00", "2026-11-24T13:00:00+0100",
	"2026-11-24T13:00:00+24:00", "2026-11-24T13:00:00+01:60", "2026-11-24T13:00:00Z ",
	" 2026-11-24T13:00:00Z", "2026/11/24T13:00:00Z", "2026-11-24_13:00:00Z",
	"2026-11-24T13:00:00ZZ", "-026-11-24T13:00:00Z", "2026-11-24T13:00:00+-1:00",
	"1795525200250",
};

static void times_of_every_allowed_form_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good_times); i++) {
		uint64_t wall_ms = 77;
		struct slice text = exact_copy(slice_of(good_times[i].text));
		if (when_parse(text, &wall_ms) != OK || wall_ms != good_times[i].wall_ms)
			fail_msg("%s came to %llu", good_times[i].text,
				 (unsigned long long)wall_ms);
		exact_free(text);
	}
}

static void other_forms_are_refused(void **state)
{
	(void)state;
	uint64_t wall_ms = 77;
	for (size_t i = 0; i < COUNT_OF(bad_times); i++) {
		struct slice text = exact_copy(slice_of(bad_times[i]));
		if (when_parse(text, &wall_ms) != ERR_SYNTAX)
			fail_msg("%s was taken", bad_times[i]);
		exact_free(text);
	}
	for (size_t bytes = 0; bytes < 24; bytes++) {
		struct slice text = exact_copy(slice_from("2026-11-24T13:00:00.250Z", bytes));
		assert_int_equal(when_parse(text, &wall_ms), ERR_SYNTAX);
		exact_free(text);
	}
	assert_int_equal(when_parse(SLICE("2026-11-24T13:00:00\0"), &wall_ms), ERR_SYNTAX);
	assert_int_equal(when_parse(SLICE("2026-11-24\0-13:00:00Z"), &wall_ms), ERR_SYNTAX);
	assert_int_equal(wall_ms, 77);
}

static void each_month_has_its_last_day(void **state)
{
	(void)state;
	static const unsigned month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	for (unsigned month = 1; month <= 12; month++) {
		for (unsigned day = 0; day <= 99; day++) {
			char text[WHEN_TEXT_MAX];
			uint64_t wall_ms;
			snprintf(text, sizeof text, "2026-%02u-%02uT00:00:00Z", month, day);
			bool exists = day >= 1 && day <= month_days[month - 1];
			assert_int_equal(when_parse(slice_of(text), &wall_ms),
					 exists ? OK : ERR_SYNTAX);
		}
	}
}

static void times_outside_1970_to_9999_are_out_of_range(void **state)
{
	(void)state;
	static const char *const far[] = { "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00+00:01",
					   "0000-01-01T00:00:00Z", "0000-02-29T00:00:00Z",
					   "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01" };
	uint64_t wall_ms;
	for (size_t i = 0; i < COUNT_OF(far); i++)
		assert_int_equal(when_parse(slice_of(far[i]), &wall_ms), ERR_RANGE);
}

static unsigned digits(const char *at, int count)
{
	unsigned number = 0;
	for (int i = 0; i < count; i++)
		number = number * 10 + (unsigned)(at[i] - '0');
	return number;
}

/* Days counted one by one, by the calendar's rule alone. */
static void every_day_of_eight_thousand_years_has_its_date(void **state)
{
	(void)state;
	static const unsigned month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	uint64_t day_ms = 0;

	for (unsigned year = 1970; year <= 9999; year++) {
		bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
		for (unsigned month = 1; month <= 12; month++) {
			unsigned days = month_days[month - 1] + (month == 2 && leap);
			for (unsigned day = 1; day <= days; day++, day_ms += 86400000) {
				char text[WHEN_TEXT_MAX];
				uint64_t back = 0;
				assert_int_equal(when_format(day_ms, text), 24);
				assert_int_equal(digits(text, 4), year);
				assert_int_equal(digits(text + 5, 2), month);
				assert_int_equal(digits(text + 8, 2), day);
				assert_ok(when_parse(slice_from(text, 24), &back));
				assert_int_equal(back, day_ms);
			}
		}
	}
}

static void any_time_comes_back_and_agrees_with_the_library(void **state)
{
	(void)state;
	uint64_t seed = 41;

	for (int round = 0; round < 100000; round++) {
		uint64_t wall_ms = draw_sized(&seed, UINT64_C(253402300799999)), back = 0;
		char text[WHEN_TEXT_MAX], wanted[WHEN_TEXT_MAX];
		time_t wall_s = (time_t)(wall_ms / 1000);
		struct tm tm;

		assert_int_equal(when_format(wall_ms, text), 24);
		assert_int_equal(strlen(text), 24);
		assert_ok(when_parse(slice_of(text), &back));
		assert_int_equal(back, wall_ms);
		assert_non_null(gmtime_r(&wall_s, &tm));
		assert_int_equal(strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%S", &tm), 19);
		assert_memory_equal(text, wanted, 19);
	}
}

static void beyond_9999_the_last_millisecond_stands(void **state)
{
	(void)state;
	char text[WHEN_TEXT_MAX];
	when_format(UINT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	when_format(UINT64_C(253402300800000), text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(times_of_every_allowed_form_are_read),
		TEST(other_forms_are_refused),
		TEST(each_month_has_its_last_day),
		TEST(times_outside_1970_to_9999_are_out_of_range),
		TEST(every_day_of_eight_thousand_years_has_its_date),
		TEST(any_time_comes_back_and_agrees_with_the_library),
		TEST(beyond_9999_the_last_millisecond_stands),
	};
	return cmocka_run_group_tests_name("when", tests, NULL, NULL);
}

#include "base/metric.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dies.h"

static struct buf page;

static const char *written(void)
{
	buf_reset(&page);
	metric_write(&page);
	buf_put_byte(&page, '\0');
	assert_int_equal(page.err, OK);
	return page.at;
}

static void shows(const char *line)
{
	if (!strstr(written(), line))
		fail_msg("not there: %s", line);
}

static void shows_not(const char *text)
{
	if (strstr(written(), text))
		fail_msg("there: %s", text);
}

static void a_counter_has_help_type_and_a_line_a_label(void **state)
{
	(void)state;
	metric_add(METRIC_GAPS, GAP_LABEL_SKIPPED, 0, 3);
	metric_up(METRIC_GAPS, GAP_LABEL_SKIPPED);
	shows("# HELP tapecast_gaps_total Gaps that listeners were told of, by the reason.\n"
	      "# TYPE tapecast_gaps_total counter\n"
	      "tapecast_gaps_total{reason=\"trimmed\"} 0\n"
	      "tapecast_gaps_total{reason=\"skipped\"} 4\n");
	assert_int_equal(metric_value(METRIC_GAPS, GAP_LABEL_SKIPPED, 0), 4);
	metric_add(METRIC_FOLDED, 0, 0, 7);
	shows("\ntapecast_folded_total 7\n");
}

static void a_gauge_may_fall_and_an_age_has_seconds(void **state)
{
	(void)state;
	metric_set(METRIC_STREAMS, 0, 0, 5);
	metric_add(METRIC_STREAMS, 0, 0, (uint64_t)-6);
	shows("# TYPE tapecast_streams gauge\ntapecast_streams -1\n");
	metric_set(METRIC_UPTIME, 0, 0, 61050);
	shows("\ntapecast_uptime_seconds 61.05\n");
	metric_set(METRIC_UPTIME, 0, 0, 1000);
	shows("\ntapecast_uptime_seconds 1\n");
}

static void two_labels_cross(void **state)
{
	(void)state;
	metric_add(METRIC_REQUESTS, STATUS_2XX, SOCKET_ADMIN, 2);
	metric_add(METRIC_REQUESTS, STATUS_5XX, SOCKET_PUBLIC, 9);
	shows("tapecast_requests_total{status=\"2xx\",socket=\"public\"} 0\n"
	      "tapecast_requests_total{status=\"2xx\",socket=\"admin\"} 2\n");
	shows("tapecast_requests_total{status=\"5xx\",socket=\"public\"} 9\n");
}

static void what_has_no_name_yet_is_not_shown(void **state)
{
	(void)state;
	shows_not("version=");
	shows_not("tapecast_build_info");
}

static void names_run_out_without_harm(void **state)
{
	(void)state;
	char name[64];
	for (unsigned i = 0; i < METRIC_NAMES_MAX; i++) {
		(void)snprintf(name, sizeof name, "v-%u", i);
		assert_int_equal(metric_name(LABEL_VERSION, name), i);
	}
	assert_int_equal(metric_name(LABEL_VERSION, "one-more"), 0);
	metric_set(METRIC_BUILD, METRIC_NAMES_MAX - 1, 0, 3);
	shows("tapecast_build_info{version=\"v-31\"} 3\n");
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	metric_reset();
	assert_int_equal(metric_name(LABEL_VERSION, name), 0);
	assert_int_equal(metric_name(LABEL_VERSION, name), 0); /* cut the same way */
	assert_int_equal(metric_name(LABEL_VERSION, "y"), 1);
}

static void a_name_cannot_break_its_line(void **state)
{
	(void)state;
	(void)metric_name(LABEL_VERSION, "a\"b\\c\nd");
	metric_set(METRIC_BUILD, 0, 0, 1);
	shows("\ntapecast_build_info{version=\"a\\\"b\\\\c\\nd\"} 1\n");
}

static void a_histogram_is_cumulative_and_its_ends_are_within(void **state)
{
	(void)state;
	metric_observe(METRIC_PUBLISH, 0, 50); /* µs, the first end */
	metric_observe(METRIC_PUBLISH, 0, 51);
	metric_observe_many(METRIC_PUBLISH, 0, 2000, 3);
	metric_observe(METRIC_PUBLISH, 0, 9000000);
	shows("# TYPE tapecast_publish_seconds histogram\n"
	      "tapecast_publish_seconds_bucket{le=\"0.00005\"} 1\n"
	      "tapecast_publish_seconds_bucket{le=\"0.0001\"} 2\n");
	shows("tapecast_publish_seconds_bucket{le=\"0.0025\"} 5\n");
	shows("tapecast_publish_seconds_bucket{le=\"5\"} 5\n"
	      "tapecast_publish_seconds_bucket{le=\"+Inf\"} 6\n"
	      "tapecast_publish_seconds_sum 9.006101\n"
	      "tapecast_publish_seconds_count 6\n");
}

static void a_histogram_of_numbers_counts_in_whole_ones(void **state)
{
	(void)state;
	metric_observe(METRIC_READER_LAG, 0, 0);
	metric_observe(METRIC_READER_LAG, 0, 10001);
	shows("tapecast_reader_lag_events_bucket{le=\"0\"} 1\n"
	      "tapecast_reader_lag_events_bucket{le=\"1\"} 1\n");
	shows("tapecast_reader_lag_events_bucket{le=\"10000\"} 1\n"
	      "tapecast_reader_lag_events_bucket{le=\"+Inf\"} 2\n"
	      "tapecast_reader_lag_events_sum 10001\n");
}

static void errors_are_labels_in_small_letters(void **state)
{
	(void)state;
	metric_up(METRIC_PROBLEMS, ERR_TOO_BIG);
	shows("\ntapecast_problems_total{error=\"too_big\"} 1\n");
	shows_not("error=\"ok\"");
}

static void every_family_has_room_for_all_its_series(void **state)
{
	(void)state;
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		metric_set((enum metric)i, 0, 0, metric_value((enum metric)i, 0, 0));
	metric_up(METRIC_PROBLEMS, ERR_COUNT - 1);
	metric_up(METRIC_LIMITS, LIMIT_COUNT - 1);
	metric_add(METRIC_REQUESTS, STATUS_COUNT - 1, SOCKET_COUNT - 1, 1);
}

static void label_beyond(void *arg)
{
	(void)arg;
	metric_up(METRIC_GAPS, GAP_LABEL_COUNT);
}

static void label_too_many(void *arg)
{
	(void)arg;
	metric_add(METRIC_FOLDED, 0, 1, 1);
}

static void no_histogram(void *arg)
{
	(void)arg;
	metric_observe(METRIC_FOLDED, 0, 1);
}

static void name_given_twice(void *arg)
{
	(void)arg;
	(void)metric_name(LABEL_GAP, "x");
}

static void a_label_that_is_none_is_a_bug(void **state)
{
	(void)state;
	assert_true(dies(label_beyond, NULL));
	assert_true(dies(label_too_many, NULL));
	assert_true(dies(no_histogram, NULL));
	assert_true(dies(name_given_twice, NULL));
}

static void *add_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++)
		metric_add(METRIC_FOLDED, 0, 0, 2);
	return NULL;
}

static void threads_lose_no_addition(void **state)
{
	(void)state;
	pthread_t threads[4];
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(metric_value(METRIC_FOLDED, 0, 0), 160000);
}

static void a_page_that_does_not_fit_says_so(void **state)
{
	(void)state;
	struct buf small;
	buf_init(&small, 100);
	metric_write(&small);
	assert_int_equal(small.err, ERR_TOO_BIG);
	buf_fini(&small);
}

static void people_get_a_table(void **state)
{
	(void)state;
	buf_reset(&page);
	metric_write_page(&page);
	buf_put_byte(&page, '\0');
	assert_non_null(strstr(page.at, "\n| `tapecast_sessions` | gauge | form | Listeners"));
}

static int setup(void **state)
{
	(void)state;
	metric_reset();
	buf_init(&page, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&page);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_counter_has_help_type_and_a_line_a_label),
		TEST(a_gauge_may_fall_and_an_age_has_seconds),
		TEST(two_labels_cross),
		TEST(what_has_no_name_yet_is_not_shown),
		TEST(names_run_out_without_harm),
		TEST(a_name_cannot_break_its_line),
		TEST(a_histogram_is_cumulative_and_its_ends_are_within),
		TEST(a_histogram_of_numbers_counts_in_whole_ones),
		TEST(errors_are_labels_in_small_letters),
		TEST(every_family_has_room_for_all_its_series),
		TEST(a_label_that_is_none_is_a_bug),
		TEST(threads_lose_no_addition),
		TEST(a_page_that_does_not_fit_says_so),
		TEST(people_get_a_table),
	};
	return cmocka_run_group_tests_name("metric", tests, NULL, NULL);
}

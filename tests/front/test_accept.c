#include "front/accept.h"

#include "support.h"

static const struct slice offers[] = {
	{ "text/event-stream", 17 }, { "application/x-ndjson", 20 }, { "application/json", 16 },
};

enum { SSE, NDJSON, JSON, NONE = -1 };

static int choose(const char *accept)
{
	struct slice accepts = slice_of(accept);
	return accept_choose(&accepts, 1, offers, 3);
}

static void nothing_said_means_the_first_offer(void **state)
{
	(void)state;
	assert_int_equal(accept_choose(NULL, 0, offers, 3), SSE);
	assert_int_equal(choose(""), SSE);
	assert_int_equal(choose(" \t"), SSE);
}

static void a_range_takes_what_it_matches(void **state)
{
	(void)state;
	assert_int_equal(choose("application/json"), JSON);
	assert_int_equal(choose("APPLICATION/X-NDJSON"), NDJSON);
	assert_int_equal(choose("*/*"), SSE);
	assert_int_equal(choose("*"), SSE);
	assert_int_equal(choose("application/*"), NDJSON);
	assert_int_equal(choose("text/*"), SSE);
	assert_int_equal(choose("text/html"), NONE);
	assert_int_equal(choose("text/event-streams"), NONE);
	assert_int_equal(choose("text/event"), NONE);
	assert_int_equal(choose("/*"), NONE);
}

static void the_highest_q_wins(void **state)
{
	(void)state;
	assert_int_equal(choose("text/event-stream;q=0.5, application/json;q=0.6"), JSON);
	assert_int_equal(choose("text/event-stream; q=0.501 ,application/json; q=0.500"), SSE);
	assert_int_equal(choose("application/json;q=0.1"), JSON);
	assert_int_equal(choose("application/json;charset=utf-8;q=0.3, */*;q=0.2"), JSON);
	assert_int_equal(choose("application/json;Q=0.3, text/event-stream;q=0.2"), JSON);
	assert_int_equal(choose("application/json;q=1.000, text/event-stream;q=0.999"), JSON);
}

static void among_equals_the_named_one_wins(void **state)
{
	(void)state;
	assert_int_equal(choose("application/json, text/plain, */*"), JSON);
	assert_int_equal(choose("*/*, application/x-ndjson"), NDJSON);
	assert_int_equal(choose("application/*, */*"), NDJSON);
	assert_int_equal(choose("application/json, text/event-stream"), SSE);
}

static void zero_means_no_even_beside_a_star(void **state)
{
	(void)state;
	assert_int_equal(choose("text/event-stream;q=0, */*"), NDJSON);
	assert_int_equal(choose("*/*;q=0"), NONE);
	assert_int_equal(choose("text/event-stream;q=0.000"), NONE);
	assert_int_equal(choose("application/*;q=0, */*;q=0.1"), SSE);
}

static void several_headers_add_up(void **state)
{
	(void)state;
	struct slice accepts[] = { SLICE("text/html"), SLICE("application/json;q=0.2"),
				   SLICE("application/x-ndjson;q=0.1") };
	assert_int_equal(accept_choose(accepts, 3, offers, 3), JSON);
}

static void nonsense_is_read_kindly(void **state)
{
	(void)state;
	assert_int_equal(choose(",,;;,application/json,,"), JSON);
	assert_int_equal(choose("application/json;q=x, text/event-stream;q=0.9"), JSON);
	assert_int_equal(choose("application/json;q=0.x, text/event-stream;q=0.9"), JSON);
	assert_int_equal(choose("application/json;q=1.9, text/event-stream"), SSE);
	assert_int_equal(choose("application/json;q="), JSON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_said_means_the_first_offer),
		TEST(a_range_takes_what_it_matches),
		TEST(the_highest_q_wins),
		TEST(among_equals_the_named_one_wins),
		TEST(zero_means_no_even_beside_a_star),
		TEST(several_headers_add_up),
		TEST(nonsense_is_read_kindly),
	};
	return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}

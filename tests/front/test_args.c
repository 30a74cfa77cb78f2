#include "front/args.h"

#include "support.h"

static enum err parse(struct args *args, const char *query, unsigned kinds)
{
	args_init(args);
	return args_parse(slice_of(query), kinds, args);
}

static void refused(const char *query, unsigned kinds, enum err err, const char *note)
{
	struct args args;
	assert_int_equal(parse(&args, query, kinds), err);
	assert_noted(note);
	args_fini(&args);
}

static void values_are_decoded(void **state)
{
	(void)state;
	struct args args;
	assert_int_equal(parse(&args, "after=a%2Db&from=c+d&limit=&&", ARGS_READ), OK);
	assert_slice(args.values[ARG_AFTER], "a-b");
	assert_slice(args.values[ARG_FROM], "c d");
	assert_true(args_has(&args, ARG_AFTER));
	assert_false(args_has(&args, ARG_LIMIT)); /* given, but empty */
	assert_non_null(args.values[ARG_LIMIT].at);
	assert_null(args.values[ARG_WAIT].at);
	args_fini(&args);
}

static void a_typo_is_named_and_what_is_known_beside_it(void **state)
{
	(void)state;
	refused("form=now", ARGS_READ, ERR_SYNTAX, "\"form\": known are after, last_event_id");
	refused("from=now", ARGS_PUBLISH, ERR_SYNTAX, "known are type, key, ttl, ephemeral, end");
	refused("type=x", ARGS_READ, ERR_SYNTAX, "\"type\"");
	refused("stream=x", ARGS_READ, ERR_SYNTAX, "\"stream\"");
	refused("x=1", ARGS_NONE, ERR_SYNTAX, "none is known");
	refused("=1&x", ARGS_READ, ERR_SYNTAX, "\"x\"");
}

static void twice_is_a_mistake(void **state)
{
	(void)state;
	refused("after=1&after=1", ARGS_READ, ERR_SYNTAX, "\"after\" is given twice");
	refused("limit=&limit=", ARGS_READ, ERR_SYNTAX, "twice");
	refused("stream=a&stream=b&stream=a", ARGS_EVENTS, ERR_SYNTAX, "\"a\" is named twice");
}

static void what_is_meant_for_others_passes(void **state)
{
	(void)state;
	struct args args;
	assert_int_equal(parse(&args, "access_token=x&utm_source=z&_=1&=&after=k",
			       ARGS_READ), OK);
	assert_slice(args.values[ARG_AFTER], "k");
	args_fini(&args);
}

static void sixty_four_streams_and_no_more(void **state)
{
	(void)state;
	struct buf query;
	buf_init(&query, 4096);
	for (int i = 0; i < ARGS_STREAMS_MAX; i++)
		buf_putf(&query, "stream=s%%2%d%d&", 0, i); /* "%20": to be decoded */
	struct args args;
	args_init(&args);
	assert_int_equal(args_parse(buf_slice(&query), ARGS_EVENTS, &args), OK);
	assert_int_equal(args.stream_count, ARGS_STREAMS_MAX);
	assert_slice(args.streams[0], "s 0");
	assert_slice(args.streams[63], "s 63");
	args_fini(&args);

	buf_put_text(&query, "stream=more");
	args_init(&args);
	assert_int_equal(args_parse(buf_slice(&query), ARGS_EVENTS, &args), ERR_RANGE);
	args_fini(&args);
	buf_fini(&query);
}

static void numbers_have_bounds(void **state)
{
	(void)state;
	struct args args;
	uint64_t number = 0;
	assert_int_equal(parse(&args, "limit=10&wait=x&interval=", ARGS_READ), OK);
	assert_int_equal(args_number(&args, ARG_LIMIT, 1, 10, 5, &number), OK);
	assert_int_equal(number, 10);
	assert_int_equal(args_number(&args, ARG_LIMIT, 10, 20, 5, &number), OK);
	assert_int_equal(args_number(&args, ARG_LIMIT, 1, 9, 5, &number), ERR_RANGE);
	assert_noted("limit must be a whole number from 1 to 9");
	assert_int_equal(args_number(&args, ARG_LIMIT, 11, 20, 5, &number), ERR_RANGE);
	assert_int_equal(args_number(&args, ARG_WAIT, 1, 9, 5, &number), ERR_RANGE);
	assert_int_equal(args_number(&args, ARG_INTERVAL, 1, 9, 5, &number), ERR_RANGE);
	assert_int_equal(number, 10); /* written only on success */
	assert_int_equal(args_number(&args, ARG_TTL, 1, 9, 5, &number), OK);
	assert_int_equal(number, 5);
	args_fini(&args);
}

static void choices_are_one_of_two_words(void **state)
{
	(void)state;
	struct args args;
	bool yes = false;
	assert_int_equal(parse(&args, "notices=off&envelope=json&from=on", ARGS_READ), OK);
	assert_int_equal(args_choice(&args, ARG_NOTICES, "off", "on", true, &yes), OK);
	assert_false(yes);
	assert_int_equal(args_choice(&args, ARG_ENVELOPE, "none", "json", false, &yes), OK);
	assert_true(yes);
	assert_int_equal(args_choice(&args, ARG_FROM, "a", "b", true, &yes), ERR_SYNTAX);
	assert_noted("from is \"a\" or \"b\"");
	assert_int_equal(args_choice(&args, ARG_WAIT, "a", "b", false, &yes), OK);
	assert_false(yes);
	args_fini(&args);
}

static void escapes_and_bytes_that_are_wrong(void **state)
{
	(void)state;
	refused("after=%zz", ARGS_READ, ERR_SYNTAX, "hex");
	refused("after=%00", ARGS_READ, ERR_SYNTAX, "%00");
	refused("after=\xff", ARGS_READ, ERR_UTF8, "UTF-8");
	refused("%ff=1", ARGS_READ, ERR_UTF8, "UTF-8");
}

static void no_memory_is_told(void **state)
{
	(void)state;
	struct args args;
	mem_fail_after(0);
	assert_int_equal(parse(&args, "after=%41", ARGS_READ), ERR_NOMEM);
	mem_fail_after(-1);
	args_fini(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_are_decoded),
		TEST(a_typo_is_named_and_what_is_known_beside_it),
		TEST(twice_is_a_mistake),
		TEST(what_is_meant_for_others_passes),
		TEST(sixty_four_streams_and_no_more),
		TEST(numbers_have_bounds),
		TEST(choices_are_one_of_two_words),
		TEST(escapes_and_bytes_that_are_wrong),
		TEST(no_memory_is_told),
	};
	return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}

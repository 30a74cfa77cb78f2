#include "front/begin.h"

#include "support.h"
#include "wire/position.h"

#define KNOWN "1.k3x9q2ab-1042-9f86d081884c"

static struct wanted wanted[2];

static enum err begin(const char *header, const char *query, size_t count)
{
	struct args args;
	args_init(&args);
	assert_int_equal(args_parse(slice_of(query), ARGS_READ, &args), OK);
	wanted[0] = (struct wanted){ .name = SLICE("a") };
	wanted[1] = (struct wanted){ .name = SLICE("b") };
	enum err err = begin_choose(slice_of(header), &args, wanted, count);
	args_fini(&args);
	return err;
}

static void begins(const char *header, const char *query, enum start_kind kind,
		   enum start_kind otherwise)
{
	assert_int_equal(begin(header, query, 1), OK);
	assert_int_equal(wanted[0].start.kind, kind);
	if (kind == START_AFTER || kind == START_INVALID)
		assert_int_equal(wanted[0].start.otherwise, otherwise);
}

static void nothing_said_means_now(void **state)
{
	(void)state;
	begins("", "", START_NOW, START_NOW);
	begins("", "from=now", START_NOW, START_NOW);
	begins("", "after=&from=", START_NOW, START_NOW);
}

static void each_place_for_the_id_in_its_order(void **state)
{
	(void)state;
	struct position known;
	assert_int_equal(position_parse(SLICE(KNOWN), &known), OK);
	begins(KNOWN, "after=x&from=start", START_AFTER, START_OLDEST);
	assert_true(position_equal(&wanted[0].start.after, &known));
	begins("", "after=" KNOWN "&last_event_id=x", START_AFTER, START_OLDEST);
	begins("", "last_event_id=" KNOWN "&lastEventId=x", START_AFTER, START_OLDEST);
	begins("", "lastEventId=" KNOWN, START_AFTER, START_OLDEST);
	begins("", "after=&last_event_id=&lastEventId=" KNOWN, START_AFTER, START_OLDEST);
	begins("0", "", START_AFTER, START_OLDEST);
}

static void an_id_that_is_none_begins_where_from_says_or_with_all_there_is(void **state)
{
	(void)state;
	begins("garbage", "", START_INVALID, START_OLDEST);
	begins("garbage", "from=now", START_INVALID, START_NOW);
	begins("", "after=1.x-1-1&from=-3", START_INVALID, START_LAST);
	assert_int_equal(wanted[0].start.count, 3);
	/* and one that is, but has gone, with what is left: nothing more is lost than must be */
	begins(KNOWN, "from=now", START_AFTER, START_OLDEST);
}

static void from_in_all_its_forms(void **state)
{
	(void)state;
	begins("", "from=start", START_OLDEST, START_OLDEST);
	begins("", "from=-1", START_LAST, START_OLDEST);
	assert_int_equal(wanted[0].start.count, 1);
	begins("", "from=-0", START_LAST, START_OLDEST);
	begins("", "from=1970-01-01T00:00:01Z", START_TIME, START_OLDEST);
	assert_int_equal(wanted[0].start.wall_ms, 1000);
	begins("", "from=1970-01-01T01:00:01+01:00", START_TIME, START_OLDEST); /* a space */
	assert_int_equal(wanted[0].start.wall_ms, 1000);
	begins("", "from=1970-01-01T01:00:01%2B01:00", START_TIME, START_OLDEST);
	assert_int_equal(wanted[0].start.wall_ms, 1000);
}

static void a_from_that_is_none_is_an_error(void **state)
{
	(void)state;
	const char *const bad[] = { "from=x", "from=-", "from=-x", "from=--1", "from=-1000001",
				    "from=1", "from=Now", "from=2026-02-30T00:00:00Z" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_true(begin("", bad[i], 1) != OK);
		assert_noted("from");
		assert_true(begin(KNOWN, bad[i], 1) != OK); /* even where it would not be used */
	}
}

static void each_stream_has_its_own_place(void **state)
{
	(void)state;
	struct slice names[] = { SLICE("b"), SLICE("c") };
	struct position positions[2];
	assert_int_equal(position_parse(SLICE(KNOWN), &positions[0]), OK);
	positions[1] = positions[0];
	struct buf cursor;
	buf_init(&cursor, 512);
	assert_int_equal(cursor_format(names, positions, 2, &cursor), OK);
	buf_put_byte(&cursor, '\0');
	assert_int_equal(begin(cursor.at, "from=start", 2), OK);
	buf_fini(&cursor);
	assert_int_equal(wanted[0].start.kind, START_OLDEST); /* new to the session */
	assert_int_equal(wanted[1].start.kind, START_AFTER);
	assert_true(position_equal(&wanted[1].start.after, &positions[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_said_means_now),
		TEST(each_place_for_the_id_in_its_order),
		TEST(an_id_that_is_none_begins_where_from_says_or_with_all_there_is),
		TEST(from_in_all_its_forms),
		TEST(a_from_that_is_none_is_an_error),
		TEST(each_stream_has_its_own_place),
	};
	return cmocka_run_group_tests_name("begin", tests, NULL, NULL);
}

#include "conformance/backplane_suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"
#include "conformance/backplane_rig.h"
#include "conformance/backplane_threads.h"

static const struct backplane_factory *factory;

static const struct position origin;
static const struct ask anything = { .name = "a", .texts = { "x" } };
/* Ten events are kept, for a day. */
static const struct tape_bounds bounds = { 10, 1 << 20, 86400000, .slow = SLOW_SKIP };

static void a_first_event_begins_a_stream(void **state)
{
	struct told told = rig_say(*state, "a/b", "one");
	assert_true(told.first.epoch != 0);
	assert_int_equal(position_epoch_n(told.first.epoch), 1);
	assert_int_equal(told.first.seq, 1);
	assert_place(told.last, told.first);
	assert_place(told.head, told.first);
	assert_false(told.duplicate);
}

static void two_streams_have_nothing_in_common(void **state)
{
	struct told a = rig_say(*state, "a", "one");
	struct told b = rig_say(*state, "b", "one");
	assert_true(a.first.epoch != b.first.epoch);
	assert_int_equal(b.first.seq, 1);
	struct read read = rig_read(*state, "b", NULL, 100);
	assert_texts(&read, (const char *[]){ "one", NULL });
	read_done(&read);
}

static void what_was_published_is_read_as_it_was(void **state)
{
	struct rig *rig = *state;
	struct told one = rig_say(rig, "a", "one");
	struct told two = rig_say(rig, "a", "two");
	assert_int_equal(two.first.epoch, one.first.epoch);
	assert_int_equal(two.first.seq, 2);
	assert_true(two.first.tag != one.first.tag);

	struct read read = rig_read(rig, "a", NULL, 100);
	assert_int_equal(read.status, READ_NONE);
	assert_texts(&read, (const char *[]){ "one", "two", NULL });
	assert_place(read.events[0]->position, one.first);
	assert_place(read.events[1]->position, two.first);
	assert_place(read.head, two.first);
	assert_place(read.floor, origin);
	assert_int_equal(read.oldest_seq, 1);
	assert_int_equal(read.kept_count, 2);
	assert_true(read.kept_bytes > 0);
	assert_int_equal(read.end, END_NONE);
	assert_false(read.more);
	read_done(&read);
}

static void a_group_has_one_tag_and_running_numbers(void **state)
{
	struct rig *rig = *state;
	rig_say(rig, "a", "one");
	struct told told = rig_ask(rig, &(struct ask){ .name = "a",
						       .texts = { "two", "three", "four" } });
	assert_int_equal(told.err, OK);
	assert_int_equal(told.first.seq, 2);
	assert_int_equal(told.last.seq, 4);
	assert_int_equal(told.first.tag, told.last.tag);
	struct read read = rig_read(rig, "a", NULL, 100);
	assert_texts(&read, (const char *[]){ "one", "two", "three", "four", NULL });
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(read.events[i]->position.tag, told.first.tag);
	read_done(&read);
}

static void a_tag_tells_pasts_apart_that_differ_in_one_byte(void **state)
{
	struct rig *rig = *state;
	rig_say(rig, "a", "one");
	rig_say(rig, "b", "onf");
	struct told a = rig_say(rig, "a", "same");
	struct told b = rig_say(rig, "b", "same");
	assert_true(a.last.tag != b.last.tag);
}

static void a_read_of_nothing_says_so_and_makes_nothing(void **state)
{
	struct rig *rig = *state;
	for (int i = 0; i < 2; i++) {
		struct read read = rig_read(rig, "none", i ? &origin : NULL, 100);
		assert_int_equal(read.status, READ_EMPTY);
		assert_place(read.head, origin);
		assert_place(read.floor, origin);
		assert_int_equal(read.count, 0);
		assert_null(read.events);
		assert_false(read.more);
	}
	struct told told = rig_ask(rig, &(struct ask){ .name = "none", .texts = { "x" },
						       .expected = &origin });
	assert_int_equal(told.err, OK);
	struct position gone = told.last;
	struct read other = rig_read(rig, "other", &gone, 100);
	assert_int_equal(other.status, READ_EMPTY);
}

static void a_read_goes_on_behind_every_place_it_knows(void **state)
{
	struct rig *rig = *state;
	const char *texts[] = { "one", "two", "three", "four", NULL };
	struct position places[5] = { origin };
	places[1] = rig_say(rig, "a", "one").last;
	struct told group = rig_ask(rig, &(struct ask){ .name = "a", .texts = { "two", "three" } });
	places[2] = group.first;
	places[3] = group.last;
	places[4] = rig_say(rig, "a", "four").last;
	for (size_t i = 0; i < 5; i++) {
		struct read read = rig_read(rig, "a", &places[i], 100);
		assert_int_equal(read.status, READ_OK);
		assert_texts(&read, texts + i);
		assert_place(read.head, places[4]);
		read_done(&read);
	}
}

static void assert_from_the_oldest(struct rig *rig, const char *name, struct position from,
				   enum read_status wanted)
{
	struct read read = rig_read(rig, name, &from, 100);
	assert_int_equal(read.status, wanted);
	assert_int_equal(read.count, read.kept_count);
	assert_int_equal(read.events[0]->position.seq, read.oldest_seq);
	assert_int_equal(read.floor.seq, read.oldest_seq - 1);
	read_done(&read);
}

static void a_place_of_another_history_gets_all_there_is(void **state)
{
	struct rig *rig = *state;
	struct told told = { 0 };
	for (int i = 0; i < 5; i++)
		told = rig_say(rig, "a", "x");
	struct position from = told.last;
	from.epoch ^= 1;
	assert_from_the_oldest(rig, "a", from, READ_EPOCH);
	from = told.last;
	from.seq++;
	assert_from_the_oldest(rig, "a", from, READ_AHEAD);
	from = told.last;
	from.tag ^= 1;
	assert_from_the_oldest(rig, "a", from, READ_DIVERGED);
	from.seq = 2;
	assert_from_the_oldest(rig, "a", from, READ_DIVERGED);
}

static void what_is_over_the_bound_is_trimmed_and_told(void **state)
{
	struct rig *rig = *state;
	struct position places[15] = { origin };
	for (size_t i = 1; i < 15; i++)
		places[i] = rig_say(rig, "a", "x").last;
	assert_from_the_oldest(rig, "a", origin, READ_TRIMMED);
	assert_from_the_oldest(rig, "a", places[3], READ_TRIMMED);
	struct read read = rig_read(rig, "a", &places[4], 100);
	assert_int_equal(read.status, READ_OK); /* at the floor nothing is missing */
	assert_int_equal(read.count, 10);
	assert_place(read.floor, places[4]);
	assert_int_equal(read.kept_count, 10);
	read_done(&read);
	places[4].tag ^= 1;
	assert_from_the_oldest(rig, "a", places[4], READ_DIVERGED);
}

static void a_group_beyond_the_bound_leaves_its_end(void **state)
{
	struct rig *rig = *state;
	struct ask ask = { .name = "a" };
	static const char *const digits[] = { "0", "1", "2", "3", "4", "5", "6", "7" };
	for (size_t i = 0; i < BACKPLANE_GROUP_MAX; i++)
		ask.texts[i] = digits[i % 8];
	assert_int_equal(rig_ask(rig, &ask).last.seq, 64);
	struct read read = rig_read(rig, "a", NULL, 100);
	assert_int_equal(read.count, 10);
	assert_int_equal(read.events[9]->position.seq, 64);
	assert_int_equal(read.floor.seq, 54);
	read_done(&read);
}

static void a_history_comes_in_pages(void **state)
{
	struct rig *rig = *state;
	for (int i = 0; i < 7; i++)
		rig_say(rig, "a", "x");
	struct position from = origin;
	size_t pages = 0, count = 0;
	for (bool more = true; more; pages++) {
		struct read read = rig_read(rig, "a", &from, 3);
		assert_int_equal(read.status, READ_OK);
		assert_in_range(read.count, 1, 3);
		from = read.events[read.count - 1]->position;
		count += read.count;
		more = read.more;
		read_done(&read);
	}
	assert_int_equal(count, 7);
	assert_int_equal(pages, 3);
}

static void a_read_of_no_events_gives_the_head(void **state)
{
	struct rig *rig = *state;
	struct position one = rig_say(rig, "a", "one").last;
	struct position two = rig_say(rig, "a", "two").last;
	struct read read = rig_read(rig, "a", &one, 0);
	assert_int_equal(read.status, READ_OK);
	assert_place(read.head, two);
	assert_int_equal(read.count, 0);
	one.tag ^= 1;
	read = rig_read(rig, "a", &one, 0);
	assert_int_equal(read.status, READ_DIVERGED);
}

static void an_answer_outlives_what_it_shows(void **state)
{
	struct rig *rig = *state;
	rig_say(rig, "a", "first");
	struct read read = rig_read(rig, "a", NULL, 100);
	for (int i = 0; i < 15; i++)
		rig_say(rig, "a", "x");
	assert_texts(&read, (const char *[]){ "first", NULL });
	read_done(&read);
}

/* --- publishing under conditions --- */

static void a_key_publishes_once_and_answers_the_same(void **state)
{
	struct rig *rig = *state;
	struct ask ask = { .name = "a", .texts = { "one", "two" }, .idem = "key" };
	rig_say(rig, "a", "zero");
	struct told first = rig_ask(rig, &ask);
	assert_int_equal(first.err, OK);
	assert_false(first.duplicate);
	rig_say(rig, "a", "three");
	struct told again = rig_ask(rig, &ask);
	assert_int_equal(again.err, OK);
	assert_true(again.duplicate);
	assert_place(again.first, first.first);
	assert_place(again.last, first.last);
	struct read read = rig_read(rig, "a", NULL, 100);
	assert_texts(&read, (const char *[]){ "zero", "one", "two", "three", NULL });
	read_done(&read);
}

static void a_key_for_another_event_is_refused(void **state)
{
	struct rig *rig = *state;
	struct ask ask = { .name = "a", .texts = { "one" }, .idem = "key" };
	assert_int_equal(rig_ask(rig, &ask).err, OK);
	ask.texts[0] = "two";
	struct told told = rig_ask(rig, &ask);
	assert_int_equal(told.err, ERR_KEY_REUSED);
	assert_true(told.note[0] != '\0');
	ask.name = "b"; /* a key belongs to its stream */
	assert_int_equal(rig_ask(rig, &ask).err, OK);
	ask.name = "a";
	ask.idem = "other";
	assert_int_equal(rig_ask(rig, &ask).last.seq, 2);
}

static void an_expected_head_lets_one_of_two_through(void **state)
{
	struct rig *rig = *state;
	struct position head = rig_say(rig, "a", "one").last;
	struct ask ask = { .name = "a", .texts = { "two" }, .expected = &head };
	struct told won = rig_ask(rig, &ask);
	assert_int_equal(won.err, OK);
	struct told lost = rig_ask(rig, &ask);
	assert_int_equal(lost.err, ERR_CONFLICT);
	assert_place(lost.head, won.last);
	ask.expected = &origin;
	assert_int_equal(rig_ask(rig, &ask).err, ERR_CONFLICT);
}

static void a_refused_first_event_makes_no_stream(void **state)
{
	struct rig *rig = *state;
	struct position elsewhere = rig_say(rig, "a", "one").last;
	struct told told = rig_ask(rig, &(struct ask){ .name = "none", .texts = { "x" },
						       .expected = &elsewhere });
	assert_int_equal(told.err, ERR_CONFLICT);
	assert_place(told.head, origin);
	struct read read = rig_read(rig, "none", NULL, 100);
	assert_int_equal(read.status, READ_EMPTY);
	assert_int_equal(rig_drop(rig, "none").err, ERR_NOT_FOUND);
}

static void nothing_follows_an_end(void **state)
{
	struct rig *rig = *state;
	struct ask ask = { .name = "a", .texts = { "last" }, .end = END_COMPLETE, .idem = "key" };
	struct told ended = rig_ask(rig, &ask);
	assert_int_equal(ended.err, OK);
	assert_int_equal(ended.last.seq, 2);
	assert_int_equal(rig_ask(rig, &anything).err, ERR_ENDED);
	struct told again = rig_ask(rig, &ask);
	assert_int_equal(again.err, OK);
	assert_true(again.duplicate);
	assert_place(again.last, ended.last);
	struct read read = rig_read(rig, "a", &ended.first, 100);
	assert_int_equal(read.end, END_COMPLETE);
	assert_int_equal(read.count, 1);
	assert_int_equal(read.events[0]->end, END_COMPLETE);
	read_done(&read);
}

static void a_dropped_stream_ends_and_forgets(void **state)
{
	struct rig *rig = *state;
	struct position one = rig_say(rig, "a", "one").last;
	struct position two = rig_say(rig, "a", "two").last;
	rig_watch(rig, "a");
	struct drop drop = rig_drop(rig, "a");
	assert_int_equal(drop.err, OK);
	assert_int_equal(drop.last.seq, 3);
	rig_wait_heard(rig, 1);
	assert_int_equal(rig->heard[0].end, END_CANCELLED);
	assert_true(rig->heard[0].dropped);
	assert_place(rig->heard[0].parent, two);
	assert_place(rig->heard[0].position, drop.last);

	struct read read = rig_read(rig, "a", &one, 100);
	assert_int_equal(read.status, READ_TRIMMED);
	assert_int_equal(read.count, 1);
	assert_int_equal(read.events[0]->end, END_CANCELLED);
	assert_int_equal(read.end, END_CANCELLED);
	read_done(&read);
	read = rig_read(rig, "a", &two, 100);
	assert_int_equal(read.status, READ_OK);
	assert_int_equal(read.count, 1);
	read_done(&read);
	assert_int_equal(rig_ask(rig, &anything).err, ERR_ENDED);
	assert_int_equal(rig_drop(rig, "a").err, ERR_NOT_FOUND);
}

static void a_dropped_stream_that_had_ended_keeps_its_end(void **state)
{
	struct rig *rig = *state;
	struct told told = rig_ask(rig, &(struct ask){ .name = "a", .texts = { "x" },
						       .end = END_FAILED });
	struct drop drop = rig_drop(rig, "a");
	assert_int_equal(drop.err, OK);
	assert_place(drop.last, told.last);
	struct read read = rig_read(rig, "a", NULL, 100);
	assert_int_equal(read.end, END_FAILED);
	assert_int_equal(read.count, 1);
	read_done(&read);
	assert_int_equal(rig_drop(rig, "none").err, ERR_NOT_FOUND);
}

/* --- pushes --- */

static void pushes_come_for_what_is_watched_and_nothing_else(void **state)
{
	struct rig *rig = *state;
	struct position before = rig_say(rig, "a", "before").last;
	rig_watch(rig, "a");
	rig_watch(rig, "new");
	rig_say(rig, "b", "elsewhere");
	struct told first = rig_say(rig, "new", "first");
	struct told told = rig_ask(rig, &(struct ask){ .name = "a", .texts = { "one", "two" } });
	rig_wait_heard(rig, 3);
	assert_string_equal(rig->heard[0].name, "new");
	assert_place(rig->heard[0].parent, origin);
	assert_place(rig->heard[0].position, first.last);
	assert_string_equal(rig->heard[1].data, "one");
	assert_place(rig->heard[1].parent, before);
	assert_place(rig->heard[1].position, told.first);
	assert_int_equal(rig->heard[1].group_count, 2);
	assert_string_equal(rig->heard[2].data, "two");
	assert_int_equal(rig->heard[2].group_at, 1);
	assert_place(rig->heard[2].position, told.last);

	rig->backplane->ops->unwatch(rig->backplane, SLICE("a"));
	rig_say(rig, "a", "unheard");
	rig_say(rig, "new", "heard");
	rig_wait_heard(rig, 4);
	assert_string_equal(rig->heard[3].data, "heard");
}

static void watches_are_counted(void **state)
{
	struct rig *rig = *state;
	rig_watch(rig, "a");
	rig_watch(rig, "a");
	rig->backplane->ops->unwatch(rig->backplane, SLICE("a"));
	rig_say(rig, "a", "heard");
	rig_wait_heard(rig, 1);
}

static void refusals_and_duplicates_are_not_pushed(void **state)
{
	struct rig *rig = *state;
	struct ask ask = { .name = "a", .texts = { "one" }, .idem = "key" };
	rig_watch(rig, "a");
	rig_ask(rig, &ask);
	rig_ask(rig, &ask);
	ask.texts[0] = "two";
	rig_ask(rig, &ask);
	ask.idem = NULL;
	ask.expected = &origin;
	rig_ask(rig, &ask);
	rig_say(rig, "a", "three");
	rig_wait_heard(rig, 2);
	assert_string_equal(rig->heard[0].data, "one");
	assert_string_equal(rig->heard[1].data, "three");
}

static void a_shout_is_heard_and_leaves_no_trace(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(rig_shout(rig, "a", "unheard"), OK);
	rig_watch(rig, "a");
	assert_int_equal(rig_shout(rig, "a", "early"), OK);
	struct read read = rig_read(rig, "a", NULL, 100);
	assert_int_equal(read.status, READ_EMPTY);

	struct position one = rig_say(rig, "a", "one").last;
	assert_int_equal(rig_shout(rig, "a", "now"), OK);
	rig_wait_heard(rig, 3);
	assert_string_equal(rig->heard[0].data, "early");
	assert_place(rig->heard[0].position, origin);
	assert_string_equal(rig->heard[2].data, "now");
	assert_true(rig->heard[2].ephemeral);
	assert_place(rig->heard[2].position, one);
	assert_place(rig->heard[2].parent, one);
	read = rig_read(rig, "a", NULL, 100);
	assert_texts(&read, (const char *[]){ "one", NULL });
	read_done(&read);
}

static void it_is_ready(void **state)
{
	struct rig *rig = *state;
	assert_true(rig->backplane->ops->ready(rig->backplane));
	assert_non_null(rig->backplane->ops->name);
}

static int setup(void **state)
{
	*state = rig_new(factory, bounds);
	return 0;
}

static int teardown(void **state)
{
	rig_free((struct rig **)state);
	return mem_live() == 0 ? 0 : -1;
}

int backplane_suite_run(const struct backplane_factory *which)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_first_event_begins_a_stream),
		TEST(two_streams_have_nothing_in_common),
		TEST(what_was_published_is_read_as_it_was),
		TEST(a_group_has_one_tag_and_running_numbers),
		TEST(a_tag_tells_pasts_apart_that_differ_in_one_byte),
		TEST(a_read_of_nothing_says_so_and_makes_nothing),
		TEST(a_read_goes_on_behind_every_place_it_knows),
		TEST(a_place_of_another_history_gets_all_there_is),
		TEST(what_is_over_the_bound_is_trimmed_and_told),
		TEST(a_group_beyond_the_bound_leaves_its_end),
		TEST(a_history_comes_in_pages),
		TEST(a_read_of_no_events_gives_the_head),
		TEST(an_answer_outlives_what_it_shows),
		TEST(a_key_publishes_once_and_answers_the_same),
		TEST(a_key_for_another_event_is_refused),
		TEST(an_expected_head_lets_one_of_two_through),
		TEST(a_refused_first_event_makes_no_stream),
		TEST(nothing_follows_an_end),
		TEST(a_dropped_stream_ends_and_forgets),
		TEST(a_dropped_stream_that_had_ended_keeps_its_end),
		TEST(pushes_come_for_what_is_watched_and_nothing_else),
		TEST(watches_are_counted),
		TEST(refusals_and_duplicates_are_not_pushed),
		TEST(a_shout_is_heard_and_leaves_no_trace),
		TEST(many_publishers_of_one_stream_all_hear_the_truth),
		TEST(many_publishers_of_many_streams_do_not_meet),
		TEST(of_many_racing_for_one_key_one_publishes),
		TEST(it_is_ready),
	};
	factory = which;
	return cmocka_run_group_tests_name(factory->name, tests, NULL, NULL);
}

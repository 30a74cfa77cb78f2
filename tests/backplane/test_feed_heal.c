/*
 * feed, when history is lost, the store is away, or memory is short.
 */
#include "backplane/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"
#include "feed_rig.h"

static struct feed_rig rig;

/* Live, with these events on the tape and read, and every word of the link in our hands. */
static void live_with(const char *words)
{
	if (*words)
		rig_publish(&rig, words);
	rig_attach(&rig);
	assert_true(rig_live(&rig));
	assert_string_equal(rig_trace(&rig), words);
	rig.link.manual = true;
}

static void what_was_trimmed_meanwhile_is_a_counted_gap(void **state)
{
	(void)state;
	live_with("one");
	for (int i = 0; i < 15; i++) {
		rig_publish(&rig, i < 14 ? "x y" : "y z");
		link_lose_push(&rig);
	}
	rig_settle(&rig, 7000);
	assert_string_equal(rig_trace(&rig),
			    "<trimmed 10> x y x y x y x y x y x y x y x y x y y z");
	rig_publish(&rig, "more");
	link_push(&rig);
	assert_string_equal(rig_trace(&rig), "more");
}

static void a_lost_end_that_was_written_anew_is_told(void **state)
{
	(void)state;
	live_with("one two three");
	memory_fault_fork(rig.link.store, SLICE("a"), 1);
	rig_publish(&rig, "other");
	link_push(&rig);
	rig_settle(&rig, 100);
	assert_string_equal(rig_trace(&rig), "<rewound 1> one two other");
	assert_string_equal(rig_trace_of_new(&rig), "one two other");
}

static void a_lost_end_is_told_when_a_probe_finds_it(void **state)
{
	(void)state;
	live_with("one two three");
	memory_fault_fork(rig.link.store, SLICE("a"), 2);
	rig_settle(&rig, 7000);
	assert_string_equal(rig_trace(&rig), "<rewound 2> one");
	rig_publish(&rig, "two");
	link_push(&rig);
	assert_string_equal(rig_trace(&rig), "two");
	assert_string_equal(rig_trace_of_new(&rig), "one two");
}

static void what_healed_is_counted_with_its_time(void **state)
{
	(void)state;
	struct feed_counts before, counts;
	live_with("one");
	feed_counts_get(rig.feed, &before);
	assert_int_equal(before.reads, 1);
	assert_int_equal(before.hurt, 0);
	assert_int_equal(before.streams, 1);
	rig_publish(&rig, "two");
	link_lose_push(&rig);
	rig_publish(&rig, "three");
	link_push(&rig);
	rig_turn(&rig, 50);
	rig_turn(&rig, 30);
	feed_counts_get(rig.feed, &counts);
	assert_int_equal(counts.hurt, 1);
	assert_int_equal(counts.healed, 0);
	link_answer(&rig);
	feed_counts_get(rig.feed, &counts);
	assert_int_equal(counts.healed, 1);
	assert_int_equal(counts.healed_ms, 80);
	assert_int_equal(counts.healed_ms_max, 80);
	assert_int_equal(counts.reads, 2);
	assert_int_equal(counts.gaps_rewound + counts.gaps_trimmed + counts.gaps_epoch, 0);
	memory_fault_fork(rig.link.store, SLICE("a"), 1);
	rig_settle(&rig, 7000);
	feed_counts_get(rig.feed, &counts);
	assert_int_equal(counts.gaps_rewound, 1);
	assert_int_equal(counts.healed, 2);
	assert_true(counts.probes >= 1);
}

static void the_same_end_written_again_is_no_loss(void **state)
{
	(void)state;
	live_with("one");
	rig_publish(&rig, "two");
	link_push(&rig);
	assert_string_equal(rig_trace(&rig), "two");
	memory_fault_fork(rig.link.store, SLICE("a"), 1);
	rig_publish(&rig, "two");
	link_push(&rig);
	rig_settle(&rig, 7000);
	assert_string_equal(rig_trace(&rig), "");
}

static void what_was_lost_and_is_said_again_is_told_again(void **state)
{
	(void)state;
	live_with("one");
	rig_publish(&rig, "two");
	rig_publish(&rig, "three");
	link_push(&rig);
	link_push(&rig);
	memory_fault_fork(rig.link.store, SLICE("a"), 2);
	rig_settle(&rig, 7000);
	assert_string_equal(rig_trace(&rig), "two three <rewound 2> one");
	rig_publish(&rig, "two");
	rig_publish(&rig, "three");
	link_lose_push(&rig);
	link_push(&rig); /* a place that the tape has seen, but on the branch that was lost */
	rig_settle(&rig, 100);
	assert_string_equal(rig_trace(&rig), "two three");
}

static void a_lost_store_is_another_epoch(void **state)
{
	(void)state;
	live_with("one two");
	memory_fault_lose(rig.link.store, SLICE("a"));
	rig_publish(&rig, "new");
	link_push(&rig);
	rig_settle(&rig, 100);
	assert_string_equal(rig_trace(&rig), "<epoch> new");
	assert_string_equal(rig_trace_of_new(&rig), "new");
}

static void a_store_that_came_back_empty_is_told_and_goes_on(void **state)
{
	(void)state;
	live_with("one two");
	memory_fault_lose(rig.link.store, SLICE("a"));
	rig_settle(&rig, 7000);
	assert_string_equal(rig_trace(&rig), "<epoch>");
	rig_publish(&rig, "new");
	link_push(&rig);
	assert_string_equal(rig_trace(&rig), "new");
	rig_settle(&rig, 20000);
	assert_string_equal(rig_trace(&rig), "");
}

/* --- trouble --- */

static void a_store_that_is_away_is_asked_again_and_told_to_nobody(void **state)
{
	(void)state;
	live_with("one");
	rig_publish(&rig, "two");
	link_lose_push(&rig);
	rig.link.failing = 6;
	rig_settle(&rig, 6000);
	assert_string_equal(rig_trace(&rig), "");
	assert_in_range(rig.link.failing, 1, 5);
	rig_publish(&rig, "three");
	link_push(&rig);
	rig_settle(&rig, 12000);
	assert_string_equal(rig_trace(&rig), "two three");
	assert_int_equal(rig.link.failing, 0);
	assert_true(rig_live(&rig));
}

static void retries_are_spread_and_bounded(void **state)
{
	(void)state;
	rig.link.failing = 1000;
	rig_attach(&rig);
	assert_false(rig_live(&rig));
	rig_settle(&rig, 60000);
	/* Between 1 and 2 s once it has failed five times. */
	assert_in_range(1000 - rig.link.failing, 30, 66);
	rig_publish(&rig, "one");
	rig.link.failing = 0;
	rig_settle(&rig, 2100);
	assert_true(rig_live(&rig));
	assert_string_equal(rig_trace(&rig), "one");
}

static void a_doubt_is_a_reason_to_read(void **state)
{
	(void)state;
	live_with("one");
	rig.link.deaf = true;
	rig_publish(&rig, "two");
	memory_fault_away(rig.link.store, true);
	memory_fault_away(rig.link.store, false);
	rig_turn(&rig, 50);
	/* Another while the read is under way: its answer is not enough. */
	rig_publish(&rig, "three");
	memory_fault_away(rig.link.store, true);
	memory_fault_away(rig.link.store, false);
	rig_turn(&rig, 50);
	link_answer(&rig);
	link_answer(&rig);
	assert_string_equal(rig_trace(&rig), "two three");
	assert_int_equal(rig.link.reads_asked, 3);
	rig_settle(&rig, 1000);
	assert_int_equal(rig.link.reads_asked, 3);
}

static void a_doubt_about_an_empty_stream_is_no_gap(void **state)
{
	(void)state;
	rig_attach(&rig);
	memory_fault_away(rig.link.store, true);
	memory_fault_away(rig.link.store, false);
	rig_turn(&rig, 50);
	assert_int_equal(rig.link.reads_asked, 2);
	assert_string_equal(rig_trace(&rig), "");
	rig_publish(&rig, "one");
	assert_string_equal(rig_trace(&rig), "one");
}

static void retries_begin_anew_when_a_read_went_well(void **state)
{
	(void)state;
	rig.link.failing = 6;
	rig_attach(&rig);
	rig_settle(&rig, 10000);
	assert_true(rig_live(&rig));
	rig.link.failing = 1;
	memory_fault_away(rig.link.store, true);
	memory_fault_away(rig.link.store, false);
	rig_turn(&rig, 50);
	assert_int_equal(rig.link.failing, 0);
	size_t asked = rig.link.reads_asked;
	rig_settle(&rig, 150);
	assert_int_equal(rig.link.reads_asked, asked + 1);
}

/* Though the store loses no push, and so is never probed. */
static void a_push_that_found_no_memory_is_read_in_the_next_turn(void **state)
{
	(void)state;
	rig.link.ops.pushes_can_fail = false;
	live_with("");
	rig_publish(&rig, "one");
	mem_fail_after(0);
	link_push(&rig);
	mem_fail_after(-1);
	assert_string_equal(rig_trace(&rig), "");
	rig_settle(&rig, 50);
	assert_string_equal(rig_trace(&rig), "one");
}

static void a_doubt_hurries_a_retry(void **state)
{
	(void)state;
	rig.link.failing = 8;
	rig_attach(&rig);
	while (rig.link.failing > 0)
		rig_turn(&rig, 50);
	memory_fault_away(rig.link.store, true);
	memory_fault_away(rig.link.store, false);
	rig_turn(&rig, 50);
	assert_true(rig_live(&rig));
}

static void a_stream_that_goes_is_unwatched_and_can_come_back(void **state)
{
	(void)state;
	rig_publish(&rig, "one");
	rig_attach(&rig);
	stream_lock(rig.stream);
	stream_watch_drop(rig.stream, &rig.listener.watch);
	stream_unlock(rig.stream);
	hub_put(rig.hub, &rig.stream, rig.fake.now_ms);
	assert_int_equal(rig.link.unwatches_asked, 1);
	rig_publish(&rig, "two");

	assert_int_equal(hub_get(rig.hub, SLICE("a"), &rig.stream), OK);
	rig_attach(&rig);
	stream_lock(rig.stream);
	assert_int_equal(tape_use(stream_tape(rig.stream), FORM_SSE), OK);
	stream_unlock(rig.stream);
	assert_string_equal(rig_trace_of_new(&rig), "one two");
}

static void an_answer_keeps_its_stream(void **state)
{
	(void)state;
	live_with("one");
	while (rig.link.probes_asked == 0)
		rig_turn(&rig, 50);
	stream_lock(rig.stream);
	stream_watch_drop(rig.stream, &rig.listener.watch);
	stream_unlock(rig.stream);
	hub_put(rig.hub, &rig.stream, rig.fake.now_ms);
	assert_int_equal(hub_count(rig.hub), 1);
	link_answer(&rig);
	assert_int_equal(hub_count(rig.hub), 0);
}

/* Whatever allocation fails, in the end the listener has it all. */
static void without_memory_it_is_late_but_loses_nothing(void **state)
{
	static const char all[] = "one two three four five six seven eight nine ten";
	char got[256] = "";
	(void)state;
	rig_publish(&rig, "one two three");
	mem_fail_after(0);
	assert_int_equal(feed_attach(rig.feed, rig.stream), ERR_NOMEM);
	mem_fail_after(-1);
	for (uint64_t seed = 1; seed < 40; seed++) {
		mem_fail_randomly(seed, 2);
		(void)!feed_attach(rig.feed, rig.stream);
		rig_turn(&rig, 500);
		mem_fail_randomly(0, 0);
		if (seed % 6 == 0) {
			static const char *const words[] = { "four", "five", "six", "seven",
							     "eight", "nine ten" };
			rig.link.deaf = seed % 12 == 0;
			rig_publish(&rig, words[seed / 6 - 1]);
		}
	}
	rig_attach(&rig);
	rig_settle(&rig, 10000);
	assert_true(rig_live(&rig));
	(void)snprintf(got, sizeof got, "%s", rig_trace(&rig));
	assert_string_equal(got, all);
}

static int setup(void **state)
{
	(void)state;
	feed_rig_init(&rig, (struct tape_bounds){ .events_max = 20, .bytes_max = 1 << 20,
			.age_ms_max = 86400000 }, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	feed_rig_fini(&rig);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_trimmed_meanwhile_is_a_counted_gap),
		TEST(a_lost_end_that_was_written_anew_is_told),
		TEST(a_lost_end_is_told_when_a_probe_finds_it),
		TEST(what_healed_is_counted_with_its_time),
		TEST(the_same_end_written_again_is_no_loss),
		TEST(what_was_lost_and_is_said_again_is_told_again),
		TEST(a_lost_store_is_another_epoch),
		TEST(a_store_that_came_back_empty_is_told_and_goes_on),
		TEST(a_store_that_is_away_is_asked_again_and_told_to_nobody),
		TEST(retries_are_spread_and_bounded),
		TEST(a_doubt_is_a_reason_to_read),
		TEST(a_doubt_about_an_empty_stream_is_no_gap),
		TEST(retries_begin_anew_when_a_read_went_well),
		TEST(a_push_that_found_no_memory_is_read_in_the_next_turn),
		TEST(a_doubt_hurries_a_retry),
		TEST(a_stream_that_goes_is_unwatched_and_can_come_back),
		TEST(an_answer_keeps_its_stream),
		TEST(without_memory_it_is_late_but_loses_nothing),
	};
	return cmocka_run_group_tests_name("feed_heal", tests, NULL, NULL);
}

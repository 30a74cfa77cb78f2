#include "backplane/feed.h"

#include <setjmp.h>
#include <stdarg.h>
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

static void drop_answered(struct drop *drop)
{
	assert_int_equal(drop->err, OK);
}

/* --- going live --- */

static void a_stream_is_live_with_its_history_when_attach_returns(void **state)
{
	(void)state;
	rig_publish(&rig, "one");
	rig_publish(&rig, "two three");
	rig_attach(&rig);
	assert_true(rig_live(&rig));
	assert_true(rig.listener.moved_count > 0);
	assert_string_equal(rig_trace(&rig), "one two three");
	rig_publish(&rig, "four");
	assert_string_equal(rig_trace(&rig), "four");
	assert_int_equal(rig.link.reads_asked, 1);
	rig_attach(&rig);
	assert_int_equal(rig.link.watches_asked, 1);
}

static void a_stream_without_events_is_live_too(void **state)
{
	(void)state;
	rig_attach(&rig);
	assert_true(rig_live(&rig));
	assert_true(rig.listener.moved_count > 0);
	rig_publish(&rig, "one two");
	assert_string_equal(rig_trace(&rig), "one two");
	assert_int_equal(rig.link.reads_asked, 1);
}

static void a_trimmed_history_begins_at_its_floor_without_a_gap(void **state)
{
	(void)state;
	for (int i = 0; i < 12; i++)
		rig_publish(&rig, "x y");
	rig_attach(&rig);
	struct position head = tape_head(stream_tape(rig.stream));
	assert_int_equal(head.seq, 24);
	rig.listener.ord = tape_tail_ord(stream_tape(rig.stream));
	assert_string_equal(rig_trace(&rig), "x y x y x y x y x y x y x y x y x y x y");
}

static void a_long_history_is_read_page_by_page(void **state)
{
	(void)state;
	feed_rig_fini(&rig);
	feed_rig_init(&rig, (struct tape_bounds){ .events_max = 5000, .bytes_max = 1 << 20,
			.age_ms_max = 86400000 }, true);
	for (int i = 0; i < 1250; i++)
		rig_publish(&rig, "x y");
	rig.link.manual = true;
	rig_attach(&rig);
	link_confirm(&rig);
	rig_publish(&rig, "between"); /* in a later page, and pushed */
	link_push(&rig);
	link_answer(&rig);
	assert_false(rig_live(&rig));
	link_answer(&rig);
	link_answer(&rig);
	assert_true(rig_live(&rig));
	assert_int_equal(rig.link.reads_asked, 3);
	assert_int_equal(tape_head_ord(stream_tape(rig.stream)), 2501);
	assert_int_equal(tape_head(stream_tape(rig.stream)).seq, 2501);
}

static void nothing_is_read_before_the_watch_is_confirmed(void **state)
{
	(void)state;
	rig.link.manual = true;
	rig_attach(&rig);
	rig_publish(&rig, "one"); /* nobody watches yet: no push */
	assert_int_equal(rig.link.push_count, 0);
	link_confirm(&rig);
	link_answer(&rig);
	assert_true(rig_live(&rig));
	assert_string_equal(rig_trace(&rig), "one");
}

static void what_is_pushed_while_a_read_is_under_way_follows_it(void **state)
{
	(void)state;
	rig.link.manual = true;
	rig_publish(&rig, "one");
	rig_attach(&rig);
	link_confirm(&rig);
	rig_publish(&rig, "two");
	rig_publish(&rig, "three");
	link_push(&rig);
	link_push(&rig);
	assert_false(rig_live(&rig));
	assert_string_equal(rig_trace(&rig), "");
	link_answer(&rig);
	assert_true(rig_live(&rig));
	assert_string_equal(rig_trace(&rig), "one two three");
	assert_int_equal(rig.link.reads_asked, 1);
}

static void more_pushes_than_can_be_held_are_read_instead(void **state)
{
	(void)state;
	rig.link.manual = true;
	rig_attach(&rig);
	link_confirm(&rig);
	for (int i = 0; i < 300; i++) {
		rig_publish(&rig, i < 299 ? "x" : "last");
		link_push(&rig);
	}
	link_answer(&rig);
	assert_int_equal(rig.link.read_count, 1);
	link_answer(&rig);
	assert_int_equal(rig.link.reads_asked, 2);
	assert_int_equal(tape_head(stream_tape(rig.stream)).seq, 300);
	assert_true(rig_live(&rig));
}

/* --- pushes --- */

static void a_push_that_comes_twice_is_told_once(void **state)
{
	(void)state;
	live_with("one");
	rig_publish(&rig, "two three");
	link_push_at(&rig, 0);
	link_push_at(&rig, 0);
	assert_string_equal(rig_trace(&rig), "two three");
	rig_publish(&rig, "four");
	link_push_at(&rig, 1);
	link_push_at(&rig, 0);
	assert_string_equal(rig_trace(&rig), "four");
	rig_settle(&rig, 1000);
	assert_string_equal(rig_trace(&rig), "");
	assert_int_equal(rig.link.reads_asked, 1);
}

static void a_lost_push_is_read_when_the_next_one_shows_the_hole(void **state)
{
	(void)state;
	live_with("one");
	rig_publish(&rig, "two");
	rig_publish(&rig, "three");
	link_lose_push(&rig);
	link_push(&rig);
	assert_string_equal(rig_trace(&rig), "");
	rig_turn(&rig, 50);
	rig_publish(&rig, "four"); /* pushed, and not in the answer */
	link_push(&rig);
	link_answer(&rig);
	assert_string_equal(rig_trace(&rig), "two three four");
	link_push_at(&rig, 0); /* not lost, only late */
	rig_settle(&rig, 1000);
	assert_string_equal(rig_trace(&rig), "");
	assert_int_equal(rig.link.reads_asked, 2);
}

static void a_hole_behind_a_read_is_read_at_once(void **state)
{
	(void)state;
	live_with("one");
	rig_publish(&rig, "two");
	link_lose_push(&rig);
	rig_publish(&rig, "three");
	link_push(&rig);
	rig_turn(&rig, 50);
	rig_publish(&rig, "four");
	link_lose_push(&rig);
	rig_publish(&rig, "five");
	link_push(&rig);
	link_answer(&rig);
	assert_string_equal(rig_trace(&rig), "two three");
	link_answer(&rig);
	assert_string_equal(rig_trace(&rig), "four five");
}

static void a_fence_is_a_reason_to_read(void **state)
{
	(void)state;
	live_with("one");
	rig_publish(&rig, "two");
	link_lose_push(&rig);
	struct push fence = { .name = SLICE("a"), .fence = true };
	rig.link.backplane.sink.pushed(rig.link.backplane.sink.arg, &fence);
	rig_settle(&rig, 100);
	assert_string_equal(rig_trace(&rig), "two");
}

static void a_shout_is_told_where_it_belongs_or_not_at_all(void **state)
{
	(void)state;
	live_with("one");
	rig_shout(&rig, "now");
	link_push(&rig);
	assert_string_equal(rig_trace(&rig), "now");
	rig_publish(&rig, "two");
	rig_shout(&rig, "unheard");
	link_lose_push(&rig);
	link_push(&rig); /* stands behind an event that we do not have */
	rig_settle(&rig, 100);
	assert_string_equal(rig_trace(&rig), "two");
	rig_publish(&rig, "three");
	link_push(&rig);
	link_push_at(&rig, 2);
	assert_string_equal(rig_trace(&rig), "three");
}

static void a_dropped_stream_ends_and_its_history_is_not_shown_again(void **state)
{
	(void)state;
	rig_publish(&rig, "one two");
	rig_attach(&rig);
	assert_string_equal(rig_trace(&rig), "one two");
	struct drop drop = { .name = SLICE("a"), .done = drop_answered };
	rig.link.backplane.ops->drop(&rig.link.backplane, &drop);
	assert_string_equal(rig_trace(&rig), "[cancelled]");
	assert_string_equal(rig_trace_of_new(&rig), "[cancelled]");
}

/* --- probes --- */

static void a_quiet_stream_is_probed_and_healed(void **state)
{
	(void)state;
	live_with("one");
	rig_publish(&rig, "two");
	link_lose_push(&rig);
	rig_settle(&rig, 3900);
	assert_int_equal(rig.link.probes_asked, 0);
	rig_settle(&rig, 2300);
	assert_int_equal(rig.link.probes_asked, 1);
	assert_string_equal(rig_trace(&rig), "two");
	rig_settle(&rig, 60000);
	assert_in_range(rig.link.probes_asked, 10, 16);
	assert_int_equal(rig.link.reads_asked, 2);
	assert_string_equal(rig_trace(&rig), "");
}

static void a_busy_stream_is_not_probed(void **state)
{
	(void)state;
	live_with("one");
	for (int i = 0; i < 20; i++) {
		rig_publish(&rig, "x");
		link_push(&rig);
		rig_settle(&rig, 1000);
	}
	assert_int_equal(rig.link.probes_asked, 0);
}

static void a_probe_older_than_a_push_changes_nothing(void **state)
{
	(void)state;
	live_with("one");
	while (rig.link.probes_asked == 0)
		rig_turn(&rig, 50);
	rig_publish(&rig, "two");
	link_push(&rig);
	link_answer(&rig);
	assert_string_equal(rig_trace(&rig), "two");
	assert_int_equal(rig.link.reads_asked, 1);

	/* And one that was ahead of us, and is behind us now: only a reason to read. */
	rig_publish(&rig, "three");
	while (rig.link.probes_asked == 1)
		rig_turn(&rig, 50);
	rig_publish(&rig, "four");
	link_push(&rig);
	link_push(&rig);
	link_answer(&rig);
	rig_settle(&rig, 200);
	assert_string_equal(rig_trace(&rig), "three four");
	assert_int_equal(rig.link.reads_asked, 2);

	/* But not one whose head has been pushed meanwhile. */
	rig_publish(&rig, "five");
	while (rig.link.probes_asked == 2)
		rig_turn(&rig, 50);
	link_push(&rig);
	link_answer(&rig);
	rig_settle(&rig, 200);
	assert_string_equal(rig_trace(&rig), "five");
	assert_int_equal(rig.link.reads_asked, 2);
}

static void a_store_that_loses_no_push_is_not_probed(void **state)
{
	(void)state;
	rig.link.ops.pushes_can_fail = false;
	live_with("one");
	rig_settle(&rig, 20000);
	assert_int_equal(rig.link.probes_asked, 0);
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
		TEST(a_stream_is_live_with_its_history_when_attach_returns),
		TEST(a_stream_without_events_is_live_too),
		TEST(a_trimmed_history_begins_at_its_floor_without_a_gap),
		TEST(a_long_history_is_read_page_by_page),
		TEST(nothing_is_read_before_the_watch_is_confirmed),
		TEST(what_is_pushed_while_a_read_is_under_way_follows_it),
		TEST(more_pushes_than_can_be_held_are_read_instead),
		TEST(a_push_that_comes_twice_is_told_once),
		TEST(a_lost_push_is_read_when_the_next_one_shows_the_hole),
		TEST(a_hole_behind_a_read_is_read_at_once),
		TEST(a_fence_is_a_reason_to_read),
		TEST(a_shout_is_told_where_it_belongs_or_not_at_all),
		TEST(a_dropped_stream_ends_and_its_history_is_not_shown_again),
		TEST(a_quiet_stream_is_probed_and_healed),
		TEST(a_busy_stream_is_not_probed),
		TEST(a_probe_older_than_a_push_changes_nothing),
		TEST(a_store_that_loses_no_push_is_not_probed),
	};
	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}

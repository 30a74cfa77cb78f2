#include "tape_lab.h"

static const struct said plain = { .draft.data = { "x", 1 } };
static const struct said fleeting = { .draft = { .data = { "y", 1 }, .ephemeral = true } };

static struct place place_of(const struct tape *tape, struct start start, uint64_t now_ms)
{
	struct place place;
	memset(&place, 0x5a, sizeof place);
	tape_place(tape, &start, now_ms, &place);
	return place;
}

static struct place place_after(const struct tape *tape, struct position after)
{
	return place_of(tape, (struct start){ .kind = START_AFTER, .otherwise = START_OLDEST,
					      .after = after }, 0);
}

static void assert_smooth(struct place place, uint64_t ord, struct position at)
{
	assert_int_equal(place.ord, ord);
	assert_position(place.at, at);
	assert_false(place.gapped);
}

static void assert_gap(struct place place, enum gap_reason reason, uint64_t ord,
		       struct position next)
{
	assert_true(place.gapped);
	assert_false(place.recovered);
	assert_int_equal(place.gap.reason, reason);
	assert_int_equal(place.ord, ord);
	assert_position(place.at, next);
	assert_position(place.gap.next, next);
}

static const struct start now = { .kind = START_NOW };
static const struct start oldest = { .kind = START_OLDEST };

static void an_empty_tape_has_one_place(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	struct position floor = lab_position(1, 41, 0);
	tape_floor_set(tape, floor);
	assert_smooth(place_of(tape, now, 0), 0, floor);
	assert_smooth(place_of(tape, oldest, 0), 0, floor);
	struct start start = { .kind = START_LAST, .count = 9 };
	assert_smooth(place_of(tape, start, 0), 0, floor);
	start.kind = START_TIME;
	assert_smooth(place_of(tape, start, 0), 0, floor);
	assert_smooth(place_after(tape, floor), 0, floor);
	assert_true(place_after(tape, floor).recovered);
	assert_gap(place_after(tape, lab_position(1, 40, 0)), GAP_TRIMMED, 0, floor);
	assert_gap(place_after(tape, lab_position(1, 42, 0)), GAP_REWOUND, 0, floor);
	assert_gap(place_after(tape, lab_position(1, 41, 1)), GAP_REWOUND, 0, floor);
	assert_gap(place_after(tape, lab_position(2, 41, 0)), GAP_EPOCH, 0, floor);
	assert_true(tape_holds(tape, &floor));
	assert_int_equal(tape_count(tape, 0), 0);
	tape_free(&tape);
}

static void before_the_first_event_of_all_nothing_is_missing(void **state)
{
	(void)state;
	const struct position origin = { 0 };
	struct tape *tape = lab_tape(lab_bounds(4));
	assert_smooth(place_after(tape, origin), 0, origin);
	assert_true(place_after(tape, origin).recovered);
	assert_gap(place_after(tape, lab_position(1, 3, 0)), GAP_EPOCH, 0, origin);

	lab_run(tape, 1, 4);
	assert_smooth(place_after(tape, origin), 0, origin);
	assert_true(tape_holds(tape, &origin));
	lab_run(tape, 5, 6);
	struct place place = place_after(tape, origin);
	assert_gap(place, GAP_TRIMMED, 2, lab_position(1, 2, 0));
	assert_position(place.gap.after, origin);
	assert_true(place.gap.lost_known);
	assert_int_equal(place.gap.lost, 2);
	assert_false(tape_holds(tape, &origin));
	tape_free(&tape);
}

static void a_position_on_the_tape_is_gone_on_from(void **state)
{
	(void)state;
	for (uint32_t events_max = 1; events_max <= 20; events_max++) {
		struct tape *tape = lab_tape(lab_bounds(events_max));
		lab_run(tape, 1, 20);
		uint64_t tail = 20 - events_max;
		for (uint64_t seq = tail; seq <= 20; seq++) {
			struct position after = { 0 };
			if (seq > 0)
				after = lab_position(1, seq, 0);
			struct place place = place_after(tape, after);
			assert_smooth(place, seq, after);
			assert_true(place.recovered);
			assert_false(place.finished);
			assert_true(tape_holds(tape, &after));
			after.tag ^= 1;
			assert_false(tape_holds(tape, &after));
		}
		for (uint64_t seq = 1; seq < tail; seq++) {
			struct place place = place_after(tape, lab_position(1, seq, 0));
			assert_gap(place, GAP_TRIMMED, tail, lab_position(1, tail, 0));
			assert_position(place.gap.after, lab_position(1, seq, 0));
			assert_true(place.gap.lost_known);
			assert_int_equal(place.gap.lost, tail - seq);
		}
		tape_free(&tape);
	}
}

static void a_position_of_another_past_is_a_gap(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(5));
	lab_run(tape, 1, 10);
	struct position floor = lab_position(1, 5, 0);
	assert_gap(place_after(tape, lab_position(1, 7, 1)), GAP_REWOUND, 5, floor);
	assert_gap(place_after(tape, lab_position(1, 5, 1)), GAP_REWOUND, 5, floor);
	assert_gap(place_after(tape, lab_position(1, 11, 0)), GAP_REWOUND, 5, floor);
	assert_gap(place_after(tape, lab_position(2, 7, 0)), GAP_EPOCH, 5, floor);
	assert_false(place_after(tape, lab_position(1, 7, 1)).gap.lost_known);
	assert_false(place_after(tape, lab_position(2, 1, 0)).gap.lost_known);
	assert_position(place_after(tape, lab_position(2, 7, 0)).gap.after, lab_position(2, 7, 0));
	tape_free(&tape);
}

static void behind_ephemeral_events_when_their_position_was_read(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(9));
	lab_append(tape, (struct position){ 0 }, &fleeting);
	lab_run(tape, 1, 1);
	lab_append(tape, lab_position(1, 1, 0), &fleeting);
	lab_append(tape, lab_position(1, 1, 0), &fleeting);
	lab_run(tape, 2, 2);
	assert_smooth(place_after(tape, (struct position){ 0 }), 1, (struct position){ 0 });
	assert_smooth(place_after(tape, lab_position(1, 1, 0)), 4, lab_position(1, 1, 0));
	assert_smooth(place_after(tape, lab_position(1, 2, 0)), 5, lab_position(1, 2, 0));
	assert_int_equal(tape_count(tape, 0), 2);
	tape_free(&tape);
}

static void now_is_the_head(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	lab_run(tape, 1, 9);
	assert_smooth(place_of(tape, now, 0), 9, lab_position(1, 9, 0));
	assert_false(place_of(tape, now, 0).recovered);
	assert_smooth(place_of(tape, oldest, 0), 5, lab_position(1, 5, 0));
	tape_free(&tape);
}

static struct start last(uint64_t count)
{
	return (struct start){ .kind = START_LAST, .count = count };
}

static void the_last_are_those_that_a_late_reader_is_given(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(9));
	lab_run(tape, 1, 3);
	struct said brief = { .draft = { .data = SLICE("z"), .ttl_ms = 100 } };
	lab_append(tape, lab_position(1, 4, 0), &brief);
	lab_append(tape, lab_position(1, 4, 0), &fleeting);
	lab_run(tape, 5, 5);
	assert_smooth(place_of(tape, last(0), 0), 6, lab_position(1, 5, 0));
	assert_smooth(place_of(tape, last(1), 0), 5, lab_position(1, 4, 0));
	assert_smooth(place_of(tape, last(2), 0), 3, lab_position(1, 3, 0));
	assert_smooth(place_of(tape, last(2), 100), 2, lab_position(1, 2, 0));
	assert_smooth(place_of(tape, last(5), 0), 0, (struct position){ 0 });
	assert_smooth(place_of(tape, last(UINT64_MAX), 0), 0, (struct position){ 0 });
	assert_int_equal(tape_count(tape, 99), 5);
	assert_int_equal(tape_count(tape, 100), 4);
	tape_free(&tape);
}

static void a_time_is_met_by_the_first_event_accepted_then_or_later(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(5));
	lab_run(tape, 1, 9); /* event n at 1000 n */
	struct start at = { .kind = START_TIME };
	assert_smooth(place_of(tape, at, 0), 4, lab_position(1, 4, 0));
	at.wall_ms = 7000;
	assert_smooth(place_of(tape, at, 0), 6, lab_position(1, 6, 0));
	at.wall_ms = 7001;
	assert_smooth(place_of(tape, at, 0), 7, lab_position(1, 7, 0));
	at.wall_ms = 9001;
	assert_smooth(place_of(tape, at, 0), 9, lab_position(1, 9, 0));
	tape_free(&tape);
}

static void an_id_that_is_none_is_told_and_gone_on_from(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	lab_run(tape, 1, 9);
	struct start start = { .kind = START_INVALID, .otherwise = START_OLDEST };
	assert_gap(place_of(tape, start, 0), GAP_INVALID, 5, lab_position(1, 5, 0));
	assert_position(place_of(tape, start, 0).gap.after, (struct position){ 0 });
	assert_false(place_of(tape, start, 0).gap.lost_known);
	start.otherwise = START_NOW;
	assert_gap(place_of(tape, start, 0), GAP_INVALID, 9, lab_position(1, 9, 0));
	start.otherwise = START_LAST;
	start.count = 2;
	assert_gap(place_of(tape, start, 0), GAP_INVALID, 7, lab_position(1, 7, 0));
	start.otherwise = START_TIME;
	start.wall_ms = 9000;
	assert_gap(place_of(tape, start, 0), GAP_INVALID, 8, lab_position(1, 8, 0));
	tape_free(&tape);
}

/* Events 4..9, a fork back to 7, then 8 and 9 of another branch. */
static struct tape *rewound(void)
{
	struct tape *tape = lab_tape(lab_bounds(9));
	tape_floor_set(tape, lab_position(1, 3, 0));
	lab_run(tape, 4, 9); /* ordinals 0..5 */
	lab_fork(tape, GAP_REWOUND, lab_position(1, 7, 0)); /* 6 */
	lab_append(tape, lab_position(1, 8, 1), &plain); /* 7 */
	lab_append(tape, lab_position(1, 9, 1), &plain); /* 8 */
	return tape;
}

static void new_readers_are_placed_behind_the_newest_fork(void **state)
{
	(void)state;
	struct tape *tape = rewound();
	struct position floor = lab_position(1, 7, 0);
	assert_smooth(place_of(tape, oldest, 0), 7, floor);
	assert_smooth(place_of(tape, now, 0), 9, lab_position(1, 9, 1));
	assert_smooth(place_of(tape, last(2), 0), 7, floor);
	assert_smooth(place_of(tape, last(5), 0), 7, floor);
	assert_smooth(place_of(tape, (struct start){ .kind = START_TIME }, 0), 7, floor);
	assert_int_equal(tape_count(tape, 0), 2);

	lab_fork(tape, GAP_EPOCH, lab_position(2, 0, 0)); /* 9, at the head */
	floor = lab_position(2, 0, 0);
	assert_smooth(place_of(tape, oldest, 0), 10, floor);
	assert_smooth(place_of(tape, now, 0), 10, floor);
	assert_smooth(place_of(tape, last(1), 0), 10, floor);
	assert_smooth(place_after(tape, floor), 10, floor);
	assert_int_equal(tape_count(tape, 0), 0);
	tape_free(&tape);
}

static void a_reader_of_the_past_before_a_fork_will_meet_the_fork(void **state)
{
	(void)state;
	struct tape *tape = rewound();
	for (uint64_t seq = 3; seq <= 9; seq++) {
		struct position after = lab_position(1, seq, 0);
		struct place place = place_after(tape, after);
		/* Who had read just as far as the fork goes back has missed nothing. */
		assert_smooth(place, seq == 7 ? 7 : seq - 3, after);
		assert_true(place.recovered);
		assert_true(tape_holds(tape, &after));
	}
	assert_smooth(place_after(tape, lab_position(1, 8, 1)), 8, lab_position(1, 8, 1));
	assert_smooth(place_after(tape, lab_position(1, 9, 1)), 9, lab_position(1, 9, 1));
	struct place place = place_after(tape, lab_position(1, 2, 0));
	assert_gap(place, GAP_TRIMMED, 7, lab_position(1, 7, 0));
	assert_int_equal(place.gap.lost, 5);
	assert_gap(place_after(tape, lab_position(1, 8, 2)), GAP_REWOUND, 7, lab_position(1, 7, 0));
	tape_free(&tape);
}

static void a_fork_that_was_trimmed_leaves_its_floor(void **state)
{
	(void)state;
	struct tape *tape = rewound();
	struct position next = lab_position(1, 7, 0);
	for (uint64_t seq = 10; seq <= 15; seq++)
		lab_append(tape, lab_position(1, seq, 1), &plain);
	assert_int_equal(tape_tail_ord(tape), 6); /* the fork is the oldest entry */
	assert_smooth(place_of(tape, oldest, 0), 7, next);
	assert_smooth(place_after(tape, lab_position(1, 9, 0)), 6, lab_position(1, 9, 0));
	lab_append(tape, lab_position(1, 16, 1), &plain);
	assert_smooth(place_of(tape, oldest, 0), 7, next);
	assert_smooth(place_after(tape, next), 7, next);
	assert_gap(place_after(tape, lab_position(1, 9, 0)), GAP_REWOUND, 7, next);
	lab_append(tape, lab_position(1, 17, 1), &plain);
	assert_smooth(place_of(tape, oldest, 0), 8, lab_position(1, 8, 1));
	assert_gap(place_after(tape, next), GAP_TRIMMED, 8, lab_position(1, 8, 1));
	tape_free(&tape);
}

static void an_ended_stream_is_finished_for_who_has_read_it_all(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(9));
	lab_run(tape, 1, 3);
	lab_append(tape, lab_position(1, 3, 0), &fleeting);
	struct said brief = { .draft = { .data = SLICE("z"), .ttl_ms = 100 } };
	lab_append(tape, lab_position(1, 4, 0), &brief);
	struct said end = { .draft.end = END_COMPLETE };
	lab_append(tape, lab_position(1, 5, 0), &end);

	assert_true(place_after(tape, lab_position(1, 5, 0)).finished);
	assert_true(place_after(tape, lab_position(1, 4, 0)).finished);
	assert_false(place_after(tape, lab_position(1, 3, 0)).finished);
	struct start start = { .kind = START_AFTER, .after = lab_position(1, 3, 0) };
	assert_true(place_of(tape, start, 100).finished);
	assert_false(place_after(tape, lab_position(1, 2, 0)).finished);
	assert_false(place_after(tape, lab_position(1, 7, 0)).finished);

	/* Anybody else is told the end. */
	assert_smooth(place_of(tape, now, 0), 5, lab_position(1, 4, 0));
	assert_smooth(place_of(tape, last(0), 0), 5, lab_position(1, 4, 0));
	start = (struct start){ .kind = START_TIME, .wall_ms = UINT64_MAX };
	assert_smooth(place_of(tape, start, 0), 5, lab_position(1, 4, 0));
	start = (struct start){ .kind = START_INVALID, .otherwise = START_NOW };
	assert_gap(place_of(tape, start, 0), GAP_INVALID, 5, lab_position(1, 4, 0));
	assert_false(place_of(tape, now, 0).finished);
	tape_free(&tape);
}

static void a_stream_of_which_only_the_end_is_left_still_tells_it(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(1));
	lab_run(tape, 1, 3);
	struct said end = { .draft.end = END_COMPLETE };
	lab_append(tape, lab_position(1, 4, 0), &end);
	assert_smooth(place_of(tape, oldest, 0), 3, lab_position(1, 3, 0));
	assert_smooth(place_of(tape, now, 0), 3, lab_position(1, 3, 0));
	assert_true(place_after(tape, lab_position(1, 3, 0)).finished);
	assert_false(place_after(tape, lab_position(1, 2, 0)).finished);
	tape_free(&tape);
}

static void a_fork_takes_the_end_back(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(9));
	lab_run(tape, 1, 3);
	struct said end = { .draft.end = END_COMPLETE };
	lab_append(tape, lab_position(1, 4, 0), &end);
	assert_true(place_after(tape, lab_position(1, 4, 0)).finished);
	lab_fork(tape, GAP_EPOCH, lab_position(2, 0, 0));
	assert_false(place_after(tape, lab_position(1, 3, 0)).finished);
	assert_false(place_after(tape, lab_position(1, 4, 0)).finished);
	assert_smooth(place_of(tape, now, 0), 5, lab_position(2, 0, 0));
	tape_free(&tape);
}

static void who_stands_before_a_fork_is_never_finished(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(9));
	lab_run(tape, 1, 3);
	lab_fork(tape, GAP_EPOCH, lab_position(2, 0, 0));
	struct said end = { .draft.end = END_CANCELLED };
	lab_append(tape, lab_position(2, 1, 0), &end);
	assert_false(place_after(tape, lab_position(1, 3, 0)).finished);
	assert_true(place_after(tape, lab_position(2, 0, 0)).finished);
	tape_free(&tape);
}

static void all_that_is_passed_over_counts_as_lost(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	lab_run(tape, 1, 9);
	struct start start = { .kind = START_AFTER, .after = lab_position(1, 2, 0),
			       .otherwise = START_OLDEST };
	assert_int_equal(place_of(tape, start, 0).gap.lost, 3);
	start.otherwise = START_NOW;
	assert_gap(place_of(tape, start, 0), GAP_TRIMMED, 9, lab_position(1, 9, 0));
	assert_int_equal(place_of(tape, start, 0).gap.lost, 7);
	start.otherwise = START_LAST;
	start.count = 1;
	assert_gap(place_of(tape, start, 0), GAP_TRIMMED, 8, lab_position(1, 8, 0));
	assert_int_equal(place_of(tape, start, 0).gap.lost, 6);
	start.after = (struct position){ 0 };
	assert_int_equal(place_of(tape, start, 0).gap.lost, 8);
	assert_true(place_of(tape, start, 0).gap.lost_known);
	tape_free(&tape);
}

static void who_was_told_an_older_fork_goes_on_behind_it(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(9));
	lab_run(tape, 1, 2);
	lab_fork(tape, GAP_EPOCH, lab_position(2, 30, 0)); /* ordinal 2 */
	lab_append(tape, lab_position(2, 31, 0), &plain);
	lab_fork(tape, GAP_EPOCH, lab_position(3, 0, 0)); /* 4 */
	lab_append(tape, lab_position(3, 1, 0), &plain);
	struct position told = lab_position(2, 30, 0);
	assert_smooth(place_after(tape, told), 3, told);
	assert_true(place_after(tape, told).recovered);
	assert_true(tape_holds(tape, &told));
	tape_free(&tape);
}

static int teardown(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_tape_has_one_place),
		TEST(before_the_first_event_of_all_nothing_is_missing),
		TEST(a_position_on_the_tape_is_gone_on_from),
		TEST(a_position_of_another_past_is_a_gap),
		TEST(behind_ephemeral_events_when_their_position_was_read),
		TEST(now_is_the_head),
		TEST(the_last_are_those_that_a_late_reader_is_given),
		TEST(a_time_is_met_by_the_first_event_accepted_then_or_later),
		TEST(an_id_that_is_none_is_told_and_gone_on_from),
		TEST(new_readers_are_placed_behind_the_newest_fork),
		TEST(a_reader_of_the_past_before_a_fork_will_meet_the_fork),
		TEST(a_fork_that_was_trimmed_leaves_its_floor),
		TEST(an_ended_stream_is_finished_for_who_has_read_it_all),
		TEST(a_stream_of_which_only_the_end_is_left_still_tells_it),
		TEST(a_fork_takes_the_end_back),
		TEST(who_stands_before_a_fork_is_never_finished),
		TEST(all_that_is_passed_over_counts_as_lost),
		TEST(who_was_told_an_older_fork_goes_on_behind_it),
	};
	return cmocka_run_group_tests_name("tape_place", tests, NULL, NULL);
}

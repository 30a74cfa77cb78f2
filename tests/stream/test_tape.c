#include "tape_lab.h"

static const struct said plain = { .draft.data = { "x", 1 } };

static void a_fresh_tape_is_empty_and_stands_at_its_floor(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	assert_int_equal(tape_head_ord(tape), 0);
	assert_int_equal(tape_tail_ord(tape), 0);
	assert_int_equal(tape_end(tape), END_NONE);
	assert_position(tape_head(tape), (struct position){ 0 });
	tape_floor_set(tape, lab_position(1, 41, 0));
	assert_position(tape_head(tape), lab_position(1, 41, 0));
	tape_age(tape, UINT64_MAX);
	assert_int_equal(tape_tail_ord(tape), 0);
	tape_free(&tape);
	assert_null(tape);
	tape_free(&tape);
}

static void an_event_becomes_one_frame_in_each_form(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	assert_int_equal(tape_use(tape, FORM_JSON), OK);
	struct said said = {
		.draft = { .type = SLICE("tick"), .key = SLICE("k"), .data = SLICE("[1]"),
			   .json = true },
	};
	lab_append(tape, lab_position(1, 1, 0), &said);
	assert_reads(tape, FORM_SSE,
		     SLICE("event: tick\ndata: [1]\nid: 1.0000002d-1-000000000010\n\n"));
	assert_reads(tape, FORM_JSON,
		     SLICE("{\"stream\":\"room/1\",\"id\":\"1.0000002d-1-000000000010\","
			   "\"type\":\"tick\",\"key\":\"k\",\"time\":\"1970-01-01T00:00:00.000Z\","
			   "\"data\":[1]}\n"));
	tape_free(&tape);
}

static void an_ephemeral_event_has_no_id_and_moves_no_head(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	assert_int_equal(tape_use(tape, FORM_JSON), OK);
	lab_append(tape, lab_position(1, 1, 0), &plain);
	struct said said = { .draft = { .data = SLICE("y"), .ephemeral = true } };
	lab_append(tape, lab_position(1, 1, 0), &said);
	assert_int_equal(tape_head_ord(tape), 2);
	assert_position(tape_head(tape), lab_position(1, 1, 0));
	assert_reads(tape, FORM_SSE,
		     SLICE("data: x\nid: 1.0000002d-1-000000000010\n\ndata: y\n\n"));
	tape_free(&tape);
}

static void keeps_a_reference_of_its_own(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(1));
	struct event *event = lab_event(lab_position(1, 1, 0), &plain);
	assert_int_equal(tape_append(tape, event, 0), OK);
	assert_int_equal(atomic_load(&event->refs), 2);
	lab_append(tape, lab_position(1, 2, 0), &plain);
	assert_int_equal(atomic_load(&event->refs), 1);
	event_unref(&event);
	tape_free(&tape);
}

static void trims_to_the_count(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(3));
	for (uint64_t seq = 1; seq <= 40; seq++) {
		lab_run(tape, seq, seq);
		assert_int_equal(tape_head_ord(tape), seq);
		assert_int_equal(tape_tail_ord(tape), seq < 3 ? 0 : seq - 3);
		assert_position(tape_head(tape), lab_position(1, seq, 0));
	}
	tape_free(&tape);
}

static void trims_to_the_bytes_but_keeps_the_newest_event(void **state)
{
	(void)state;
	struct event *event = lab_event(lab_position(1, 1, 0), &plain);
	size_t weight = event_weight(event);
	event_unref(&event);

	struct tape *tape = lab_tape((struct tape_bounds){ .events_max = 100,
							   .bytes_max = weight * 3,
							   .age_ms_max = UINT64_MAX });
	for (uint64_t seq = 1; seq <= 9; seq++) {
		lab_append(tape, lab_position(1, seq, 0), &plain);
		assert_int_equal(tape_tail_ord(tape), seq < 3 ? 0 : seq - 3);
	}
	static const char large[1000];
	struct said said = { .draft.data = slice_from(large, sizeof large) };
	lab_append(tape, lab_position(1, 10, 0), &said);
	assert_int_equal(tape_tail_ord(tape), 9);
	lab_append(tape, lab_position(1, 11, 0), &plain);
	assert_int_equal(tape_tail_ord(tape), 10);
	tape_free(&tape);
}

static void trims_what_is_older_than_its_age(void **state)
{
	(void)state;
	struct tape *tape = lab_tape((struct tape_bounds){ .events_max = 100, .bytes_max = SIZE_MAX,
			.age_ms_max = 1000 });
	for (uint64_t seq = 1; seq <= 5; seq++) {
		struct said said = { .draft.data = SLICE("x"), .born_ms = 100 * seq };
		lab_append(tape, lab_position(1, seq, 0), &said);
	}
	tape_age(tape, 1100);
	assert_int_equal(tape_tail_ord(tape), 0);
	tape_age(tape, 1101);
	assert_int_equal(tape_tail_ord(tape), 1);
	tape_age(tape, 50); /* a clock read before the events came makes nothing old */
	assert_int_equal(tape_tail_ord(tape), 1);
	struct said late = { .draft.data = SLICE("x"), .born_ms = 1301 };
	lab_append(tape, lab_position(1, 6, 0), &late);
	assert_int_equal(tape_tail_ord(tape), 3);
	tape_age(tape, UINT64_MAX);
	assert_int_equal(tape_tail_ord(tape), 5);
	tape_free(&tape);
}

static void a_form_taken_up_late_has_the_same_bytes(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(700));
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	lab_run(tape, 1, 900);
	lab_fork(tape, GAP_EPOCH, lab_position(2, 0, 0));
	lab_append(tape, lab_position(2, 1, 0), &plain);
	struct said end = { .draft.end = END_COMPLETE };
	lab_append(tape, lab_position(2, 2, 0), &end);

	struct buf expected;
	buf_init(&expected, SIZE_MAX / 4);
	for (uint64_t seq = 204; seq <= 901; seq++) {
		struct buf text;
		buf_init(&text, 32);
		assert_int_equal(buf_put_u64(&text, seq), OK);
		struct said said = { .draft.data = buf_slice(&text), .wall_ms = 1000 * seq };
		struct event *event = seq <= 900 ? lab_event(lab_position(1, seq, 0), &said) :
						   lab_event(lab_position(2, 1, 0), &plain);
		lab_frame(event, FORM_JSON, &expected);
		event_unref(&event);
		buf_fini(&text);
	}
	assert_int_equal(tape_use(tape, FORM_JSON), OK);
	assert_int_equal(tape_use(tape, FORM_JSON), OK);
	assert_int_equal(tape_tail_ord(tape), 203);
	assert_reads(tape, FORM_JSON, buf_slice(&expected));
	buf_fini(&expected);
	tape_free(&tape);
}

static void the_end_is_told_until_history_breaks_there(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	lab_append(tape, lab_position(1, 1, 0), &plain);
	struct said end = { .draft.end = END_FAILED };
	lab_append(tape, lab_position(1, 2, 0), &end);
	assert_int_equal(tape_end(tape), END_FAILED);
	assert_position(tape_head(tape), lab_position(1, 2, 0));
	lab_fork(tape, GAP_REWOUND, lab_position(1, 1, 0));
	assert_int_equal(tape_end(tape), END_NONE);
	assert_position(tape_head(tape), lab_position(1, 1, 0));
	assert_reads(tape, FORM_SSE, SLICE("data: x\nid: 1.0000002d-1-000000000010\n\n"));
	tape_free(&tape);
}

static void a_fork_does_not_keep_old_events(void **state)
{
	(void)state;
	struct tape *tape = lab_tape((struct tape_bounds){ .events_max = 100, .bytes_max = SIZE_MAX,
			.age_ms_max = 1000 });
	lab_fork(tape, GAP_EPOCH, lab_position(2, 0, 0));
	lab_fork(tape, GAP_EPOCH, lab_position(3, 0, 0));
	for (uint64_t seq = 1; seq <= 5; seq++) {
		struct said said = { .draft.data = SLICE("x"), .born_ms = 100 * seq };
		lab_append(tape, lab_position(3, seq, 0), &said);
	}
	tape_age(tape, 1100);
	assert_int_equal(tape_tail_ord(tape), 0);
	tape_age(tape, 1301);
	assert_int_equal(tape_tail_ord(tape), 2 + 3);
	lab_fork(tape, GAP_EPOCH, lab_position(4, 0, 0));
	tape_age(tape, 1000000);
	assert_int_equal(tape_tail_ord(tape), 2 + 5); /* the newest entry stays */
	lab_fork(tape, GAP_EPOCH, lab_position(5, 0, 0));
	tape_age(tape, 1000000);
	assert_int_equal(tape_tail_ord(tape), 2 + 5); /* not before an event behind it is old */
	tape_free(&tape);
}

static void forks_are_trimmed_to_the_bounds_as_well(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	lab_run(tape, 1, 4);
	size_t weight = tape_weight(tape);
	for (uint32_t n = 2; n < 1000; n++) {
		lab_fork(tape, GAP_EPOCH, lab_position(n, 0, 0));
		assert_int_equal(tape_head_ord(tape) - tape_tail_ord(tape), 4);
		assert_in_range(tape_weight(tape), 1, weight + 2 * 65536); /* two segments */
	}
	assert_in_range(mem_live(), 4, 10);
	tape_free(&tape);
}

static void an_ephemeral_event_behind_the_end_is_left_out(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(4));
	struct said end = { .draft.end = END_COMPLETE };
	struct said late = { .draft = { .data = SLICE("y"), .ephemeral = true } };
	lab_append(tape, lab_position(1, 1, 0), &end);
	lab_append(tape, lab_position(1, 1, 0), &late);
	assert_int_equal(tape_head_ord(tape), 1);
	assert_int_equal(tape_end(tape), END_COMPLETE);
	lab_fork(tape, GAP_EPOCH, lab_position(2, 0, 0));
	lab_append(tape, lab_position(2, 0, 0), &late);
	assert_int_equal(tape_head_ord(tape), 3);
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
		TEST(a_fresh_tape_is_empty_and_stands_at_its_floor),
		TEST(an_event_becomes_one_frame_in_each_form),
		TEST(an_ephemeral_event_has_no_id_and_moves_no_head),
		TEST(keeps_a_reference_of_its_own),
		TEST(trims_to_the_count),
		TEST(trims_to_the_bytes_but_keeps_the_newest_event),
		TEST(trims_what_is_older_than_its_age),
		TEST(a_form_taken_up_late_has_the_same_bytes),
		TEST(the_end_is_told_until_history_breaks_there),
		TEST(a_fork_does_not_keep_old_events),
		TEST(forks_are_trimmed_to_the_bounds_as_well),
		TEST(an_ephemeral_event_behind_the_end_is_left_out),
	};
	return cmocka_run_group_tests_name("tape", tests, NULL, NULL);
}

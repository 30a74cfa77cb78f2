#include "tape_lab.h"

static const struct said plain = { .draft.data = { "x", 1 } };
static const struct said fleeting = { .draft = { .data = { "y", 1 }, .ephemeral = true } };
static const struct said brief = { .draft = { .data = { "z", 1 }, .ttl_ms = 100 } };
static const struct said end = { .draft.end = END_COMPLETE };
static const struct position nowhere = { 0 };

static char large_data[30000];

static struct tape *sse_tape(uint32_t events_max)
{
	struct tape *tape = lab_tape(lab_bounds(events_max));
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	return tape;
}

static struct view look(const struct tape *tape, struct peek peek, struct position at)
{
	struct view view;
	memset(&view, 0x5a, sizeof view);
	tape_peek(tape, &peek, &at, &view);
	if (view.kind != VIEW_BYTES) {
		assert_null(view.segment);
		assert_null(view.event);
	}
	return view;
}

/* Checks the run of entries and puts it back. */
static void assert_run(struct view view, uint64_t ord, uint64_t end_ord, const char *bytes,
		       struct position end_at)
{
	assert_int_equal(view.kind, VIEW_BYTES);
	assert_int_equal(view.ord, ord);
	assert_int_equal(view.end_ord, end_ord);
	assert_bytes(view.bytes, slice_of(bytes));
	assert_position(view.end_at, end_at);
	view_done(&view);
	assert_null(view.segment);
	assert_null(view.event);
}

#define FRAME(text, id) "data: " text "\nid: 1.0000002d-" id "\n\n"
#define ONE FRAME("1", "1-000000000010")
#define TWO FRAME("2", "2-000000000020")
#define THREE FRAME("3", "3-000000000030")

static void at_the_head_lies_nothing(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(9);
	struct view view = look(tape, (struct peek){ 0 }, nowhere);
	assert_int_equal(view.kind, VIEW_NOTHING);
	lab_run(tape, 1, 3);
	view = look(tape, (struct peek){ .ord = 3, .lagging = true }, lab_position(1, 3, 0));
	assert_int_equal(view.kind, VIEW_NOTHING);
	assert_int_equal(view.end_ord, 3);
	assert_position(view.end_at, lab_position(1, 3, 0));
	view_done(&view);
	tape_free(&tape);
}

static void a_reader_behind_gets_one_run_up_to_the_head(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(9);
	lab_run(tape, 1, 3);
	struct position three = lab_position(1, 3, 0);
	assert_run(look(tape, (struct peek){ 0 }, nowhere), 0, 3, ONE TWO THREE, three);
	struct view view = look(tape, (struct peek){ .ord = 1 }, lab_position(1, 1, 0));
	assert_null(view.event);
	assert_run(view, 1, 3, TWO THREE, three);
	assert_run(look(tape, (struct peek){ .events_max = 2 }, nowhere), 0, 2, ONE TWO,
		   lab_position(1, 2, 0));
	assert_run(look(tape, (struct peek){ .events_max = 3 }, nowhere), 0, 3, ONE TWO THREE,
		   three);
	assert_run(look(tape, (struct peek){ .events_max = 9 }, nowhere), 0, 3, ONE TWO THREE,
		   three);
	tape_free(&tape);
}

static void each_form_has_its_own_run(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(9);
	assert_int_equal(tape_use(tape, FORM_JSON), OK);
	lab_run(tape, 1, 1);
	assert_run(look(tape, (struct peek){ .form = FORM_JSON }, nowhere), 0, 1,
		   "{\"stream\":\"room/1\",\"id\":\"1.0000002d-1-000000000010\","
		   "\"time\":\"1970-01-01T00:00:01.000Z\",\"data\":\"1\"}\n",
		   lab_position(1, 1, 0));
	tape_free(&tape);
}

static void one_event_at_a_time_comes_with_the_event(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(9);
	lab_run(tape, 1, 3);
	struct peek peek = { .ord = 1, .events_max = 1 };
	struct view view = look(tape, peek, lab_position(1, 1, 0));
	assert_true(slice_equal(event_data(view.event), SLICE("2")));
	assert_run(view, 1, 2, TWO, lab_position(1, 2, 0));
	tape_free(&tape);
}

static void what_was_sent_of_the_first_frame_is_left_out(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(9);
	lab_run(tape, 1, 2);
	struct peek peek = { .skip = 6, .events_max = 1 };
	struct view view = look(tape, peek, nowhere);
	assert_int_equal(view.skip, 6);
	assert_run(view, 0, 1, &ONE[6], lab_position(1, 1, 0));
	peek.events_max = 0;
	assert_run(look(tape, peek, nowhere), 0, 2, &(ONE TWO)[6], lab_position(1, 2, 0));
	tape_free(&tape);
}

static void runs_break_where_segments_end(void **state)
{
	(void)state;
	memset(large_data, 'd', sizeof large_data);
	struct tape *tape = sse_tape(100);
	struct said large = { .draft.data = slice_from(large_data, sizeof large_data) };
	struct buf expected, got;
	buf_init(&expected, SIZE_MAX / 4);
	buf_init(&got, SIZE_MAX / 4);
	for (uint64_t seq = 1; seq <= 20; seq++) {
		struct event *event = lab_event(lab_position(1, seq, 0), &large);
		lab_frame(event, FORM_SSE, &expected);
		assert_int_equal(tape_append(tape, event, 0), OK);
		event_unref(&event);
	}
	struct peek peek = { 0 };
	int run_count = 0;
	for (; peek.ord < 20; run_count++) {
		struct view view = look(tape, peek, nowhere);
		assert_int_equal(view.kind, VIEW_BYTES);
		assert_in_range(view.bytes.bytes, 1, 65536);
		assert_position(view.end_at, lab_position(1, view.end_ord, 0));
		assert_int_equal(buf_put(&got, view.bytes), OK);
		peek.ord = view.end_ord;
		view_done(&view);
	}
	assert_in_range(run_count, 10, 13); /* two to a segment, once segments are of full size */
	assert_bytes(buf_slice(&got), buf_slice(&expected));
	buf_fini(&expected);
	buf_fini(&got);
	tape_free(&tape);
}

static void a_fork_is_told_by_itself(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(9);
	lab_run(tape, 1, 3);
	struct position next = lab_position(1, 2, 0);
	struct gap gap = { .reason = GAP_REWOUND, .after = lab_position(1, 3, 0), .next = next,
			   .lost = 5, .lost_known = true };
	assert_int_equal(tape_fork(tape, &gap), OK);
	lab_append(tape, lab_position(1, 3, 1), &plain);

	assert_run(look(tape, (struct peek){ 0 }, nowhere), 0, 3, ONE TWO THREE,
		   lab_position(1, 3, 0));
	struct view view = look(tape, (struct peek){ .ord = 3 }, lab_position(1, 1, 9));
	assert_int_equal(view.kind, VIEW_GAP);
	assert_int_equal(view.end_ord, 4);
	assert_position(view.end_at, next);
	assert_int_equal(view.gap.reason, GAP_REWOUND);
	assert_position(view.gap.after, lab_position(1, 1, 9)); /* where this reader stood */
	assert_position(view.gap.next, next);
	assert_true(view.gap.lost_known);
	assert_int_equal(view.gap.lost, 5);
	view_done(&view);
	assert_run(look(tape, (struct peek){ .ord = 4 }, next), 4, 5,
		   FRAME("x", "3-000000000031"), lab_position(1, 3, 1));
	tape_free(&tape);
}

static void the_end_is_told_by_itself(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(9);
	lab_run(tape, 1, 1);
	lab_append(tape, lab_position(1, 2, 0), &end);
	assert_run(look(tape, (struct peek){ 0 }, nowhere), 0, 1, ONE, lab_position(1, 1, 0));
	struct view view = look(tape, (struct peek){ .ord = 1 }, lab_position(1, 1, 0));
	assert_int_equal(view.kind, VIEW_END);
	assert_int_equal(view.end, END_COMPLETE);
	assert_int_equal(view.end_ord, 2);
	assert_position(view.end_at, lab_position(1, 2, 0));
	view_done(&view);
	tape_free(&tape);
}

/* 1, an ephemeral, one with a ttl (2), an ephemeral, 3. */
static struct tape *mixed(void)
{
	struct tape *tape = sse_tape(9);
	lab_run(tape, 1, 1);
	lab_append(tape, lab_position(1, 1, 0), &fleeting);
	lab_append(tape, lab_position(1, 2, 0), &brief);
	lab_append(tape, lab_position(1, 2, 0), &fleeting);
	lab_run(tape, 3, 3);
	return tape;
}

static void who_keeps_up_gets_everything(void **state)
{
	(void)state;
	struct tape *tape = mixed();
	assert_run(look(tape, (struct peek){ .now_ms = 500 }, nowhere), 0, 5,
		   ONE "data: y\n\n" FRAME("z", "2-000000000020") "data: y\n\n" THREE,
		   lab_position(1, 3, 0));
	tape_free(&tape);
}

static void who_lags_is_spared_the_ephemeral_and_the_expired(void **state)
{
	(void)state;
	struct tape *tape = mixed();
	struct peek peek = { .lagging = true, .now_ms = 99 };
	assert_run(look(tape, peek, nowhere), 0, 1, ONE, lab_position(1, 1, 0));
	peek.ord = 1;
	assert_run(look(tape, peek, nowhere), 2, 3, FRAME("z", "2-000000000020"),
		   lab_position(1, 2, 0));
	peek.ord = 3;
	assert_run(look(tape, peek, nowhere), 4, 5, THREE, lab_position(1, 3, 0));

	peek = (struct peek){ .lagging = true, .now_ms = 100, .ord = 1 };
	assert_run(look(tape, peek, nowhere), 4, 5, THREE, lab_position(1, 3, 0));
	peek.events_max = 1;
	struct view view = look(tape, peek, nowhere);
	assert_true(slice_equal(event_data(view.event), SLICE("3")));
	assert_run(view, 4, 5, THREE, lab_position(1, 3, 0));
	tape_free(&tape);
}

static void what_is_stepped_over_before_the_head_moves_the_reader(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(9);
	lab_run(tape, 1, 1);
	lab_append(tape, lab_position(1, 2, 0), &brief);
	lab_append(tape, lab_position(1, 2, 0), &fleeting);
	struct peek peek = { .lagging = true, .now_ms = 100, .ord = 1 };
	struct view view = look(tape, peek, lab_position(1, 1, 0));
	assert_null(view.segment);
	assert_run(view, 3, 3, "", lab_position(1, 2, 0));

	/* Before a fork and an end as well: those are told next. */
	lab_fork(tape, GAP_EPOCH, lab_position(2, 0, 0));
	lab_append(tape, lab_position(2, 0, 0), &fleeting);
	lab_append(tape, lab_position(2, 1, 0), &end);
	assert_run(look(tape, peek, lab_position(1, 1, 0)), 3, 3, "", lab_position(1, 2, 0));
	peek.ord = 4;
	assert_run(look(tape, peek, lab_position(2, 0, 0)), 5, 5, "", lab_position(2, 0, 0));
	tape_free(&tape);
}

static void a_frame_that_was_begun_is_finished_even_for_who_lags(void **state)
{
	(void)state;
	struct tape *tape = mixed();
	struct peek peek = { .ord = 1, .skip = 3, .lagging = true, .now_ms = 100 };
	struct position one = lab_position(1, 1, 0);
	assert_run(look(tape, peek, one), 1, 2, "a: y\n\n", one);
	tape_free(&tape);
}

static void the_tail_that_has_passed_is_told(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(3);
	lab_run(tape, 1, 9);
	struct position two = lab_position(1, 2, 0), six = lab_position(1, 6, 0);
	for (uint64_t ord = 2; ord < 6; ord++) {
		struct view view = look(tape, (struct peek){ .ord = ord }, two);
		assert_int_equal(view.kind, VIEW_OVERTAKEN);
		assert_int_equal(view.end_ord, 6);
		assert_position(view.end_at, six);
		assert_int_equal(view.gap.reason, GAP_SKIPPED);
		assert_position(view.gap.after, two);
		assert_position(view.gap.next, six);
		assert_true(view.gap.lost_known);
		assert_int_equal(view.gap.lost, 4);
		view_done(&view);
	}
	assert_int_equal(look(tape, (struct peek){ 0 }, nowhere).gap.lost, 6);
	assert_true(look(tape, (struct peek){ 0 }, nowhere).gap.lost_known);
	assert_false(look(tape, (struct peek){ 0 }, lab_position(2, 2, 0)).gap.lost_known);
	assert_false(look(tape, (struct peek){ 0 }, lab_position(1, 7, 0)).gap.lost_known);
	struct view view = look(tape, (struct peek){ .ord = 6 }, six);
	assert_int_equal(view.kind, VIEW_BYTES);
	view_done(&view);
	tape_free(&tape);
}

static void pinned_bytes_outlive_a_trim_and_the_tape(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(1);
	lab_run(tape, 1, 1);
	struct view view = look(tape, (struct peek){ .events_max = 1 }, nowhere);
	for (uint64_t seq = 2; seq < 100; seq++)
		lab_run(tape, seq, seq);
	assert_bytes(view.bytes, SLICE(ONE));
	tape_free(&tape);
	assert_bytes(view.bytes, SLICE(ONE));
	assert_true(slice_equal(event_data(view.event), SLICE("1")));
	view_done(&view);
	view_done(&view);
}

static struct partial part_of(const struct tape *tape, const struct view *view, size_t sent)
{
	struct partial part;
	memset(&part, 0x5a, sizeof part);
	tape_partial(tape, view, sent, &part);
	return part;
}

static void a_part_sent_ends_in_the_entry_it_reached(void **state)
{
	(void)state;
	const size_t frame_bytes = sizeof ONE - 1;
	struct tape *tape = sse_tape(9);
	lab_run(tape, 1, 3);
	for (uint32_t skip = 0; skip < 9; skip += 4) {
		struct view view = look(tape, (struct peek){ .skip = skip }, nowhere);
		assert_int_equal(view.bytes.bytes, 3 * frame_bytes - skip);
		for (size_t sent = 0; sent < view.bytes.bytes; sent++) {
			struct partial part = part_of(tape, &view, sent);
			uint64_t ord = (skip + sent) / frame_bytes;
			assert_int_equal(part.ord, ord);
			assert_int_equal(part.skip, (skip + sent) % frame_bytes);
			assert_int_equal(part.rest, frame_bytes - (skip + sent) % frame_bytes);
			assert_true(part.known);
			assert_position(part.at, ord ? lab_position(1, ord, 0) : nowhere);
			assert_position(part.after, lab_position(1, ord + 1, 0));
		}
		view_done(&view);
	}
	tape_free(&tape);
}

static void a_part_sent_is_known_even_behind_the_tail(void **state)
{
	(void)state;
	const size_t frame_bytes = sizeof ONE - 1;
	struct tape *tape = sse_tape(4);
	lab_run(tape, 1, 4);
	struct view view = look(tape, (struct peek){ .ord = 1 }, lab_position(1, 1, 0));
	lab_run(tape, 5, 6); /* the tail is now entry 2, in the same segment */
	struct partial part = part_of(tape, &view, 5);
	assert_int_equal(part.ord, 1);
	assert_int_equal(part.rest, frame_bytes - 5);
	assert_false(part.known);
	part = part_of(tape, &view, frame_bytes + 5);
	assert_int_equal(part.ord, 2);
	assert_int_equal(part.skip, 5);
	assert_true(part.known);
	assert_position(part.at, lab_position(1, 2, 0));
	assert_position(part.after, lab_position(1, 3, 0));
	lab_run(tape, 7, 9); /* entry 5 */
	part = part_of(tape, &view, 2 * frame_bytes + 5);
	assert_int_equal(part.ord, 3);
	assert_int_equal(part.skip, 5);
	assert_int_equal(part.rest, frame_bytes - 5);
	assert_false(part.known);
	view_done(&view);
	tape_free(&tape);
}

static void a_trimmed_fork_leaves_the_loss_unknown(void **state)
{
	(void)state;
	struct tape *tape = sse_tape(4);
	lab_run(tape, 1, 3);
	struct peek old = { .ord = 3 }, young = { .ord = 4 };
	lab_fork(tape, GAP_REWOUND, lab_position(1, 1, 0)); /* entry 3 */
	for (uint64_t seq = 2; seq <= 9; seq++)
		lab_append(tape, lab_position(1, seq, 1), &plain);
	/* 2 to 5 of the new branch were passed over: not 5 - 3. */
	struct view view = look(tape, old, lab_position(1, 3, 0));
	assert_int_equal(view.kind, VIEW_OVERTAKEN);
	assert_false(view.gap.lost_known);
	view = look(tape, young, lab_position(1, 1, 0));
	assert_int_equal(view.kind, VIEW_OVERTAKEN);
	assert_true(view.gap.lost_known);
	assert_int_equal(view.gap.lost, 4);

	/* A fork that only skips ahead takes nothing back. */
	old = (struct peek){ .ord = tape_head_ord(tape) };
	lab_fork(tape, GAP_TRIMMED, lab_position(1, 30, 1));
	for (uint64_t seq = 31; seq <= 39; seq++)
		lab_append(tape, lab_position(1, seq, 1), &plain);
	view = look(tape, old, lab_position(1, 9, 1));
	assert_int_equal(view.kind, VIEW_OVERTAKEN);
	assert_true(view.gap.lost_known);
	assert_int_equal(view.gap.lost, 35 - 9);
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
		TEST(at_the_head_lies_nothing),
		TEST(a_reader_behind_gets_one_run_up_to_the_head),
		TEST(each_form_has_its_own_run),
		TEST(one_event_at_a_time_comes_with_the_event),
		TEST(what_was_sent_of_the_first_frame_is_left_out),
		TEST(runs_break_where_segments_end),
		TEST(a_fork_is_told_by_itself),
		TEST(the_end_is_told_by_itself),
		TEST(who_keeps_up_gets_everything),
		TEST(who_lags_is_spared_the_ephemeral_and_the_expired),
		TEST(what_is_stepped_over_before_the_head_moves_the_reader),
		TEST(a_frame_that_was_begun_is_finished_even_for_who_lags),
		TEST(the_tail_that_has_passed_is_told),
		TEST(pinned_bytes_outlive_a_trim_and_the_tape),
		TEST(a_part_sent_ends_in_the_entry_it_reached),
		TEST(a_part_sent_is_known_even_behind_the_tail),
		TEST(a_trimmed_fork_leaves_the_loss_unknown),
	};
	return cmocka_run_group_tests_name("tape_peek", tests, NULL, NULL);
}

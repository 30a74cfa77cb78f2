#include "tape_lab.h"

static const struct said plain = { .draft.data = { "x", 1 } };

static void gives_trimmed_segments_back(void **state)
{
	(void)state;
	static char data[5000];
	memset(data, 'd', sizeof data);
	struct said said = { .draft.data = slice_from(data, sizeof data) };
	struct tape *tape = lab_tape(lab_bounds(20));
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	size_t weight_max = 0, live_max = 0;
	for (uint64_t seq = 1; seq <= 2000; seq++) {
		lab_append(tape, lab_position(1, seq, 0), &said);
		size_t weight = tape_weight(tape), live = mem_live_bytes();
		assert_true(seq < 200 || (weight <= weight_max && live <= live_max));
		weight_max = weight > weight_max ? weight : weight_max;
		live_max = live > live_max ? live : live_max;
	}
	tape_free(&tape);
}

static void a_segment_goes_with_the_last_of_its_events(void **state)
{
	(void)state;
	static char data[70000];
	struct said said = { .draft.data = slice_from(data, sizeof data) };
	struct tape *tape = lab_tape(lab_bounds(1));
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	lab_append(tape, lab_position(1, 1, 0), &said);
	size_t weight = tape_weight(tape);
	lab_append(tape, lab_position(1, 2, 0), &said);
	assert_int_equal(tape_weight(tape), weight);
	tape_free(&tape);
}

static void a_form_taken_up_late_is_made_of_what_is_left(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(2));
	lab_run(tape, 1, 900);
	size_t weight = tape_weight(tape);
	assert_int_equal(tape_use(tape, FORM_SSE), OK);
	assert_int_equal(tape_weight(tape), weight + 1024);
	tape_free(&tape);
}

static void weighs_what_it_holds(void **state)
{
	(void)state;
	struct tape *tape = lab_tape(lab_bounds(2));
	size_t empty = tape_weight(tape);
	lab_append(tape, lab_position(1, 1, 0), &plain);
	struct event *event = lab_event(lab_position(1, 2, 0), &plain);
	size_t weight = event_weight(event);
	event_unref(&event);
	assert_int_equal(tape_weight(tape), empty + weight);
	assert_int_equal(tape_use(tape, FORM_JSON), OK);
	assert_int_equal(tape_weight(tape), empty + weight + 1024);
	lab_append(tape, lab_position(1, 2, 0), &plain);
	lab_append(tape, lab_position(1, 3, 0), &plain);
	assert_int_equal(tape_weight(tape), empty + 2 * weight + 1024);
	tape_free(&tape);
}

/* Everything that a failed call must leave as it was. */
struct looks {
	uint64_t tail_ord, head_ord;
	struct position head;
	size_t count, live;
};

static struct looks look(const struct tape *tape)
{
	return (struct looks){ tape_tail_ord(tape), tape_head_ord(tape), tape_head(tape),
			       tape_count(tape, 0), mem_live() };
}

static void assert_looks(const struct tape *tape, struct looks before)
{
	struct looks now = look(tape);
	assert_int_equal(now.tail_ord, before.tail_ord);
	assert_int_equal(now.head_ord, before.head_ord);
	assert_position(now.head, before.head);
	assert_int_equal(now.count, before.count);
}

static void a_failed_append_leaves_the_tape_as_it_was(void **state)
{
	(void)state;
	static char data[3000];
	memset(data, 'd', sizeof data);
	for (long after = 0, failed = 1; failed; after++) {
		struct tape *tape = lab_tape(lab_bounds(100));
		assert_int_equal(tape_use(tape, FORM_SSE), OK);
		assert_int_equal(tape_use(tape, FORM_JSON), OK);
		struct buf expected;
		buf_init(&expected, SIZE_MAX / 4);
		failed = 0;
		for (uint64_t seq = 1; seq <= 40; seq++) {
			struct said said = { .draft.data = slice_from(data, 75 * seq) };
			struct event *event = lab_event(lab_position(1, seq, 0), &said);
			struct looks before = look(tape);
			mem_fail_after(after);
			enum err err = tape_append(tape, event, 0);
			mem_fail_after(-1);
			if (err) {
				failed++;
				assert_int_equal(err, ERR_NOMEM);
				assert_int_equal(atomic_load(&event->refs), 1);
				assert_looks(tape, before);
				assert_int_equal(tape_append(tape, event, 0), OK);
			}
			lab_frame(event, FORM_SSE, &expected);
			event_unref(&event);
		}
		assert_true(failed > 0 || after > 3);
		assert_reads(tape, FORM_SSE, buf_slice(&expected));
		buf_fini(&expected);
		tape_free(&tape);
		assert_int_equal(mem_live(), 0);
	}
}

static void a_failed_fork_leaves_the_tape_as_it_was(void **state)
{
	(void)state;
	for (long after = 0, failed = 1; failed; after++) {
		struct tape *tape = lab_tape(lab_bounds(8));
		assert_int_equal(tape_use(tape, FORM_SSE), OK);
		assert_int_equal(tape_use(tape, FORM_JSON), OK);
		lab_run(tape, 1, 8);
		struct looks before = look(tape);
		struct gap gap = { .reason = GAP_EPOCH, .next = lab_position(2, 0, 0) };
		mem_fail_after(after);
		enum err err = tape_fork(tape, &gap);
		mem_fail_after(-1);
		failed = err != OK;
		if (failed) {
			assert_int_equal(err, ERR_NOMEM);
			assert_looks(tape, before);
			assert_int_equal(mem_live(), before.live);
		}
		assert_true(failed || after > 1);
		tape_free(&tape);
	}
}

static void a_form_that_cannot_be_had_is_not_in_use(void **state)
{
	(void)state;
	for (long after = 0, failed = 1; failed; after++) {
		struct tape *tape = lab_tape(lab_bounds(1000));
		lab_run(tape, 1, 300);
		struct looks before = look(tape);
		size_t weight = tape_weight(tape);
		mem_fail_after(after);
		failed = tape_use(tape, FORM_JSON) != OK;
		mem_fail_after(-1);
		if (failed) {
			assert_looks(tape, before);
			assert_int_equal(mem_live(), before.live);
			assert_int_equal(tape_weight(tape), weight);
			lab_run(tape, 301, 301);
			assert_int_equal(mem_live(), before.live + 1);
			assert_int_equal(tape_use(tape, FORM_JSON), OK);
		}
		tape_free(&tape);
	}
}

static void no_tape_without_memory(void **state)
{
	(void)state;
	struct tape *none = NULL;
	for (long after = 0; after < 2; after++) {
		mem_fail_after(after);
		assert_int_equal(tape_new(lab_name, lab_bounds(1), &none), ERR_NOMEM);
		assert_null(none);
		assert_int_equal(mem_live(), 0);
	}
}

static void appends_that_go_on_failing_take_no_memory(void **state)
{
	(void)state;
	static char data[100000];
	memset(data, 'd', sizeof data);
	/* Once with nothing on the tape yet, once with segments that must stay. */
	for (uint64_t kept = 0; kept <= 5; kept += 5) {
		struct tape *tape = lab_tape(lab_bounds(100));
		assert_int_equal(tape_use(tape, FORM_SSE), OK);
		assert_int_equal(tape_use(tape, FORM_JSON), OK);
		lab_run(tape, 1, kept);
		struct looks before = look(tape);
		size_t weight = tape_weight(tape);
		for (size_t bytes = 1500; bytes <= sizeof data; bytes += 1500) {
			struct said said = { .draft.data = slice_from(data, bytes) };
			struct event *event = lab_event(lab_position(1, kept + 1, 0), &said);
			/* SSE takes its frame and a segment; for JSON nothing is left. */
			mem_fail_after(2);
			assert_int_equal(tape_append(tape, event, 0), ERR_NOMEM);
			mem_fail_after(-1);
			event_unref(&event);
			assert_looks(tape, before);
			assert_int_equal(tape_weight(tape), weight);
			assert_int_equal(mem_live(), before.live);
		}
		lab_run(tape, kept + 1, kept + 5);
		assert_int_equal(tape_head_ord(tape), kept + 5);
		tape_free(&tape);
	}
}

static int teardown(void **state)
{
	(void)state;
	mem_fail_after(-1);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, teardown)
	const struct CMUnitTest tests[] = {
		TEST(gives_trimmed_segments_back),
		TEST(a_segment_goes_with_the_last_of_its_events),
		TEST(a_form_taken_up_late_is_made_of_what_is_left),
		TEST(weighs_what_it_holds),
		TEST(a_failed_append_leaves_the_tape_as_it_was),
		TEST(a_failed_fork_leaves_the_tape_as_it_was),
		TEST(a_form_that_cannot_be_had_is_not_in_use),
		TEST(no_tape_without_memory),
		TEST(appends_that_go_on_failing_take_no_memory),
	};
	return cmocka_run_group_tests_name("tape_memory", tests, NULL, NULL);
}

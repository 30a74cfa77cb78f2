#include "stream/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../base/dies.h"
#include "base/mem.h"

static struct segment *segment_with(const struct segment *before, size_t frame_bytes)
{
	struct segment *segment = NULL;
	assert_int_equal(segment_new(before, 7, frame_bytes, &segment), OK);
	assert_int_equal(segment->first_ord, 7);
	assert_int_equal(segment->count, 0);
	assert_int_equal(segment->used, 0);
	assert_null(segment->next);
	return segment;
}

static void put(struct segment *segment, size_t frame_bytes, char letter)
{
	assert_in_range(frame_bytes, 0, segment_room(segment));
	memset(segment->bytes + segment->used, letter, frame_bytes);
	segment_commit(segment, frame_bytes);
}

static void begins_small_and_doubles_to_the_usual_size(void **state)
{
	(void)state;
	struct segment *segment = segment_with(NULL, 0);
	for (uint32_t bytes = SEGMENT_BYTES_MIN;; bytes *= 2) {
		assert_int_equal(segment->capacity, bytes);
		struct segment *next = segment_with(segment, 1);
		segment_unref(&segment);
		segment = next;
		if (bytes == SEGMENT_BYTES_USUAL)
			break;
	}
	assert_int_equal(segment->capacity, SEGMENT_BYTES_USUAL);
	segment_unref(&segment);
}

static void a_frame_too_large_for_it_gets_one_that_fits_exactly(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 5; extra++) {
		/* The last four bytes of a usual segment are the frame's start. */
		struct segment *segment = segment_with(NULL, SEGMENT_BYTES_MIN - 4 + extra);
		assert_int_equal(segment->capacity, SEGMENT_BYTES_MIN + extra);
		assert_int_equal(segment_room(segment), SEGMENT_BYTES_MIN - 4 + extra);
		put(segment, SEGMENT_BYTES_MIN - 4 + extra, 'a');
		assert_int_equal(segment_room(segment), 0);
		assert_int_equal(segment_start(segment, 0), 0);
		segment_unref(&segment);
	}
	/* The one after it is of the usual size again. */
	struct segment *vast = segment_with(NULL, 1000000);
	struct segment *next = segment_with(vast, 1);
	assert_int_equal(next->capacity, SEGMENT_BYTES_USUAL);
	segment_unref(&vast);
	segment_unref(&next);
}

static void knows_the_start_of_every_frame_until_it_is_full(void **state)
{
	(void)state;
	for (size_t first = 0; first < 9; first++) {
		struct segment *segment = segment_with(NULL, 0);
		uint32_t starts[SEGMENT_BYTES_MIN];
		uint32_t count = 0;
		for (size_t bytes = first; segment_room(segment) > 0; bytes = (bytes + 1) % 9) {
			size_t room = segment_room(segment);
			starts[count] = segment->used;
			put(segment, bytes < room ? bytes : room, (char)('a' + count % 26));
			count++;
			assert_int_equal(segment->count, count);
		}
		assert_in_range(segment->used + count * 4, SEGMENT_BYTES_MIN - 4,
				SEGMENT_BYTES_MIN);
		for (uint32_t i = 0; i < count; i++) {
			assert_int_equal(segment_start(segment, i), starts[i]);
			uint32_t end = segment_start(segment, i + 1);
			for (uint32_t at = starts[i]; at < end; at++)
				assert_int_equal(segment->bytes[at], 'a' + i % 26);
		}
		assert_int_equal(segment_start(segment, count), segment->used);
		segment_unref(&segment);
	}
}

static void room_is_what_the_next_frame_may_have(void **state)
{
	(void)state;
	struct segment *segment = segment_with(NULL, 0);
	assert_int_equal(segment_room(segment), SEGMENT_BYTES_MIN - 4);
	put(segment, 100, 'a');
	assert_int_equal(segment_room(segment), SEGMENT_BYTES_MIN - 100 - 8);
	put(segment, 0, 'a');
	assert_int_equal(segment_room(segment), SEGMENT_BYTES_MIN - 100 - 12);
	put(segment, SEGMENT_BYTES_MIN - 100 - 12 - 4, 'b');
	assert_int_equal(segment_room(segment), 0);
	put(segment, 0, 'c'); /* the last four bytes take one more start */
	assert_int_equal(segment_room(segment), 0);
	assert_int_equal(segment_start(segment, 2), 100);
	assert_int_equal(segment_start(segment, 3), segment->used);
	segment_unref(&segment);
}

static void lives_until_the_last_reference_goes(void **state)
{
	(void)state;
	struct segment *first = segment_with(NULL, 0);
	struct segment *second = segment_ref(first);
	assert_ptr_equal(first, second);
	segment_unref(&first);
	assert_null(first);
	assert_int_equal(mem_live(), 1);
	segment_unref(&second);
	assert_int_equal(mem_live(), 0);
	segment_unref(&second);
}

static void refuses_what_it_cannot_hold(void **state)
{
	(void)state;
	struct segment *none = NULL;
	mem_fail_after(0);
	assert_int_equal(segment_new(NULL, 0, 1, &none), ERR_NOMEM);
	mem_fail_after(-1);
	assert_int_equal(segment_new(NULL, 0, (size_t)UINT32_MAX / 2 + 1, &none), ERR_TOO_BIG);
	assert_null(none);
}

static void commit_one_byte_too_many(void *arg)
{
	segment_commit(arg, segment_room(arg) + 1);
}

static void a_frame_that_does_not_fit_is_a_bug(void **state)
{
	(void)state;
	struct segment *segment = segment_with(NULL, 0);
	assert_true(dies(commit_one_byte_too_many, segment));
	segment_unref(&segment);
}

static void commit_an_empty_frame(void *arg)
{
	segment_commit(arg, 0);
}

static void an_empty_frame_without_place_for_its_start_is_a_bug(void **state)
{
	(void)state;
	struct segment *segment = segment_with(NULL, 0);
	put(segment, segment_room(segment), 'a');
	assert_int_equal(segment_room(segment), 0);
	assert_true(dies(commit_an_empty_frame, segment));
	segment_unref(&segment);
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
		TEST(begins_small_and_doubles_to_the_usual_size),
		TEST(a_frame_too_large_for_it_gets_one_that_fits_exactly),
		TEST(knows_the_start_of_every_frame_until_it_is_full),
		TEST(room_is_what_the_next_frame_may_have),
		TEST(lives_until_the_last_reference_goes),
		TEST(refuses_what_it_cannot_hold),
		TEST(a_frame_that_does_not_fit_is_a_bug),
		TEST(an_empty_frame_without_place_for_its_start_is_a_bug),
	};
	return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}

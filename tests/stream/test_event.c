#include "stream/event.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../base/dies.h"
#include "base/mem.h"

static void keeps_a_copy_of_what_was_said(void **state)
{
	(void)state;
	char data[] = "a\0b\nc";
	struct draft draft = {
		.type = SLICE("tick"),
		.key = SLICE("k"),
		.data = slice_from(data, sizeof data - 1),
		.json = true,
		.ttl_ms = 5,
	};
	struct event *event = NULL;
	assert_int_equal(event_new(&draft, 1700, 42, &event), OK);
	memset(data, 'x', sizeof data);

	assert_true(slice_equal(event_type(event), SLICE("tick")));
	assert_true(slice_equal(event_key(event), SLICE("k")));
	assert_true(slice_equal(event_data(event), SLICE("a\0b\nc")));
	assert_int_equal(event->wall_ms, 1700);
	assert_int_equal(event->born_ms, 42);
	assert_int_equal(event->ttl_ms, 5);
	assert_true(event->json);
	assert_false(event->ephemeral);
	assert_int_equal(event->end, END_NONE);
	assert_true(position_is_origin(&event->position));
	event_unref(&event);
}

static void may_say_nothing_at_all(void **state)
{
	(void)state;
	struct event *event = NULL;
	assert_int_equal(event_new(&(struct draft){ .ephemeral = true }, 0, 0, &event), OK);
	assert_int_equal(event_type(event).bytes + event_key(event).bytes, 0);
	assert_int_equal(event_data(event).bytes, 0);
	assert_true(event->ephemeral);
	event_unref(&event);
}

static void a_draft_that_ends_makes_no_end_by_itself(void **state)
{
	(void)state;
	struct event *event = NULL;
	struct draft draft = { .data = SLICE("last words"), .end = END_FAILED };
	assert_int_equal(event_new(&draft, 0, 0, &event), OK);
	assert_int_equal(event->end, END_NONE);
	event_unref(&event);
}

static void an_end_has_a_state_and_no_data(void **state)
{
	(void)state;
	struct event *event = NULL;
	assert_int_equal(event_new_end(END_CANCELLED, 1700, 42, &event), OK);
	assert_int_equal(event->end, END_CANCELLED);
	assert_int_equal(event_data(event).bytes, 0);
	assert_int_equal(event->wall_ms, 1700);
	assert_int_equal(event->born_ms, 42);
	event_unref(&event);
}

static void lives_until_the_last_reference_goes(void **state)
{
	(void)state;
	struct event *first = NULL;
	assert_int_equal(event_new(&(struct draft){ .data = SLICE("x") }, 0, 0, &first), OK);
	struct event *second = event_ref(first);
	assert_ptr_equal(first, second);

	event_unref(&first);
	assert_null(first);
	assert_int_equal(mem_live(), 1);
	assert_true(slice_equal(event_data(second), SLICE("x")));
	event_unref(&second);
	assert_int_equal(mem_live(), 0);
	event_unref(&second);
}

static void expires_when_its_ttl_has_passed_and_not_before(void **state)
{
	(void)state;
	struct event event = { .born_ms = 1000, .ttl_ms = 50 };
	assert_false(event_expired(&event, 1049));
	assert_true(event_expired(&event, 1050));
	assert_true(event_expired(&event, UINT64_MAX));
	/* A time taken a moment before the event came. */
	assert_false(event_expired(&event, 999));
	event.ttl_ms = 0;
	assert_false(event_expired(&event, UINT64_MAX));
}

static void weighs_what_it_takes(void **state)
{
	(void)state;
	struct event *event = NULL;
	struct draft draft = { .type = SLICE("ab"), .key = SLICE("cde"), .data = SLICE("fghi") };
	assert_int_equal(event_new(&draft, 0, 0, &event), OK);
	assert_int_equal(event_weight(event), sizeof *event + 9);
	event_unref(&event);
}

static void refuses_what_it_cannot_hold(void **state)
{
	(void)state;
	struct event *none = NULL;
	mem_fail_after(0);
	assert_int_equal(event_new(&(struct draft){ .data = SLICE("x") }, 0, 0, &none), ERR_NOMEM);
	assert_int_equal(event_new_end(END_COMPLETE, 0, 0, &none), ERR_NOMEM);
	mem_fail_after(-1);
	/* Never read: refused by its size. */
	const struct slice vast = slice_from("", (size_t)UINT32_MAX + 1);
	assert_int_equal(event_new(&(struct draft){ .data = vast }, 0, 0, &none), ERR_TOO_BIG);
	assert_int_equal(event_new(&(struct draft){ .key = vast }, 0, 0, &none), ERR_TOO_BIG);
	assert_int_equal(event_new(&(struct draft){ .type = vast }, 0, 0, &none), ERR_TOO_BIG);
	assert_null(none);
}

static void make_no_end(void *arg)
{
	struct event *event = NULL;
	*(enum err *)arg = event_new_end(END_NONE, 0, 0, &event);
	event_unref(&event);
}

static void an_end_that_is_none_is_a_bug(void **state)
{
	(void)state;
	enum err err = OK;
	assert_true(dies(make_no_end, &err));
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
		TEST(keeps_a_copy_of_what_was_said),
		TEST(may_say_nothing_at_all),
		TEST(a_draft_that_ends_makes_no_end_by_itself),
		TEST(an_end_has_a_state_and_no_data),
		TEST(lives_until_the_last_reference_goes),
		TEST(expires_when_its_ttl_has_passed_and_not_before),
		TEST(weighs_what_it_takes),
		TEST(refuses_what_it_cannot_hold),
		TEST(an_end_that_is_none_is_a_bug),
	};
	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}

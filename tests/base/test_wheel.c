#include "base/wheel.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"

static const uint64_t start_ms = 1000;

struct waiter {
	struct deadline due;
	struct wheel *wheel;
	uint64_t every_ms; /* 0: once */
	uint64_t fired_at_ms;
	unsigned fired_count;
};

static void waiter_fire(struct deadline *due, uint64_t now_ms)
{
	struct waiter *waiter = CONTAINER_OF(due, struct waiter, due);
	waiter->fired_at_ms = now_ms;
	waiter->fired_count++;
	if (waiter->every_ms)
		assert_int_equal(wheel_arm(waiter->wheel, due, now_ms + waiter->every_ms), OK);
}

static struct waiter waiter_at(struct wheel *wheel, uint64_t every_ms)
{
	return (struct waiter){ .wheel = wheel, .every_ms = every_ms };
}

static void fires_never_early_and_less_than_a_tick_late(void **state)
{
	(void)state;
	for (uint64_t at_ms = start_ms + 1; at_ms < start_ms + 3 * WHEEL_TICK_MS; at_ms++) {
		struct wheel *wheel = NULL;
		assert_int_equal(wheel_new(start_ms, &wheel), OK);
		struct waiter waiter = waiter_at(wheel, 0);
		deadline_init(&waiter.due, waiter_fire);
		assert_int_equal(wheel_arm(wheel, &waiter.due, at_ms), OK);

		for (uint64_t now_ms = start_ms; !waiter.fired_count; now_ms++)
			wheel_advance(wheel, now_ms);

		assert_in_range(waiter.fired_at_ms, at_ms, at_ms + WHEEL_TICK_MS - 1);
		wheel_free(&wheel);
	}
}

static void beats_for_a_minute_without_sleeping(void **state)
{
	struct waiter beat = waiter_at(*state, 15000);
	deadline_init(&beat.due, waiter_fire);
	assert_int_equal(wheel_arm(*state, &beat.due, start_ms + 15000), OK);

	for (uint64_t now_ms = start_ms; now_ms <= start_ms + 60000; now_ms += WHEEL_TICK_MS)
		wheel_advance(*state, now_ms);

	assert_int_equal(beat.fired_count, 4);
	wheel_disarm(*state, &beat.due);
}

static void a_time_already_past_fires_at_the_next_tick(void **state)
{
	struct waiter late = waiter_at(*state, 0);
	deadline_init(&late.due, waiter_fire);
	assert_int_equal(wheel_arm(*state, &late.due, 1), OK);
	assert_int_equal(wheel_advance(*state, start_ms), 0);
	assert_int_equal(wheel_advance(*state, start_ms + WHEEL_TICK_MS), 1);
}

static void a_moved_deadline_fires_only_at_its_new_time(void **state)
{
	struct waiter moved = waiter_at(*state, 0);
	deadline_init(&moved.due, waiter_fire);
	assert_int_equal(wheel_arm(*state, &moved.due, start_ms + 100), OK);
	assert_int_equal(wheel_arm(*state, &moved.due, start_ms + 5000), OK);
	assert_int_equal(wheel_advance(*state, start_ms + 4999), 0);
	assert_int_equal(wheel_advance(*state, start_ms + 5000), 1);
}

static void a_day_of_sleep_fires_the_furthest_deadline_once(void **state)
{
	struct waiter far = waiter_at(*state, 0);
	deadline_init(&far.due, waiter_fire);
	assert_int_equal(wheel_arm(*state, &far.due, start_ms + WHEEL_SPAN_MS), OK);
	assert_int_equal(wheel_advance(*state, 86400000), 1);
	assert_int_equal(wheel_advance(*state, 86500000), 0);
}

static void a_day_of_sleep_fires_every_tick_of_the_span(void **state)
{
	static struct waiter waiters[WHEEL_SLOTS - 1];
	for (size_t i = 0; i < WHEEL_SLOTS - 1; i++) {
		waiters[i] = waiter_at(*state, 0);
		deadline_init(&waiters[i].due, waiter_fire);
		uint64_t at_ms = start_ms + (i + 1) * WHEEL_TICK_MS;
		assert_int_equal(wheel_arm(*state, &waiters[i].due, at_ms), OK);
	}
	assert_int_equal(wheel_advance(*state, 86400000), WHEEL_SLOTS - 1);
}

static void a_beat_goes_on_after_a_stall_longer_than_the_wheel(void **state)
{
	struct waiter beat = waiter_at(*state, WHEEL_SPAN_MS);
	deadline_init(&beat.due, waiter_fire);
	assert_int_equal(wheel_arm(*state, &beat.due, start_ms + 100), OK);

	uint64_t stalled_ms = start_ms + 3 * WHEEL_SPAN_MS;
	assert_int_equal(wheel_advance(*state, stalled_ms), 1);
	assert_int_equal(wheel_advance(*state, stalled_ms + WHEEL_SPAN_MS - 1), 0);
	assert_int_equal(wheel_advance(*state, stalled_ms + WHEEL_SPAN_MS + WHEEL_TICK_MS), 1);
	wheel_disarm(*state, &beat.due);
}

struct killer {
	struct waiter waiter;
	struct deadline *victim;
};

static void killer_fire(struct deadline *due, uint64_t now_ms)
{
	struct killer *killer = CONTAINER_OF(due, struct killer, waiter.due);
	(void)now_ms;
	wheel_disarm(killer->waiter.wheel, killer->victim);
}

static void a_callback_may_disarm_what_is_due_with_it(void **state)
{
	struct waiter victim = waiter_at(*state, 0);
	struct killer killer = { .waiter = waiter_at(*state, 0), .victim = &victim.due };
	deadline_init(&killer.waiter.due, killer_fire);
	deadline_init(&victim.due, waiter_fire);
	assert_int_equal(wheel_arm(*state, &killer.waiter.due, start_ms + 100), OK);
	assert_int_equal(wheel_arm(*state, &victim.due, start_ms + 100), OK);

	assert_int_equal(wheel_advance(*state, start_ms + 200), 1);
	assert_int_equal(victim.fired_count, 0);
}

static void fires_in_order_of_time(void **state)
{
	struct waiter waiters[20];
	for (unsigned i = 0; i < 20; i++) {
		waiters[i] = waiter_at(*state, 0);
		deadline_init(&waiters[i].due, waiter_fire);
		uint64_t at_ms = start_ms + 100u * (20 - i);
		assert_int_equal(wheel_arm(*state, &waiters[i].due, at_ms), OK);
	}
	for (unsigned i = 20; i-- > 0;) {
		assert_int_equal(wheel_advance(*state, start_ms + 100u * (20 - i)), 1);
		assert_int_equal(waiters[i].fired_count, 1);
	}
}

static void asker_fire(struct deadline *due, uint64_t now_ms)
{
	struct waiter *waiter = CONTAINER_OF(due, struct waiter, due);
	waiter->fired_at_ms = (uint64_t)wheel_wait_ms(waiter->wheel, now_ms);
}

static void tells_how_long_to_sleep(void **state)
{
	struct waiter near = waiter_at(*state, 0);
	struct waiter far = waiter_at(*state, 0);
	deadline_init(&near.due, waiter_fire);
	deadline_init(&far.due, waiter_fire);
	assert_int_equal(wheel_wait_ms(*state, start_ms), -1);

	assert_int_equal(wheel_arm(*state, &far.due, start_ms + WHEEL_SPAN_MS), OK);
	assert_int_equal(wheel_wait_ms(*state, start_ms), WHEEL_SPAN_MS);
	assert_int_equal(wheel_arm(*state, &near.due, start_ms + 120), OK);
	assert_int_equal(wheel_wait_ms(*state, start_ms), 150);
	assert_int_equal(wheel_wait_ms(*state, start_ms + 149), 1);
	assert_int_equal(wheel_wait_ms(*state, start_ms + 151), 0);
	assert_int_equal(wheel_advance(*state, start_ms + 151), 1);
	wheel_disarm(*state, &far.due);
	assert_int_equal(wheel_wait_ms(*state, start_ms + 151), -1);
}

static void a_callback_may_ask_how_long_to_sleep(void **state)
{
	struct waiter asker = waiter_at(*state, 0);
	struct waiter other = waiter_at(*state, 0);
	deadline_init(&asker.due, asker_fire);
	deadline_init(&other.due, waiter_fire);
	asker.fired_at_ms = 77;
	assert_int_equal(wheel_arm(*state, &asker.due, start_ms + 100), OK);
	assert_int_equal(wheel_arm(*state, &other.due, start_ms + 100), OK);
	assert_int_equal(wheel_advance(*state, start_ms + 100), 2);
	assert_int_equal(asker.fired_at_ms, 0);
}

static void refuses_what_it_cannot_hold(void **state)
{
	struct waiter waiter = waiter_at(*state, 0);
	deadline_init(&waiter.due, waiter_fire);
	assert_int_equal(wheel_arm(*state, &waiter.due, start_ms + WHEEL_SPAN_MS + 1), ERR_RANGE);
	assert_true(list_empty(&waiter.due.link));

	struct wheel *none = NULL;
	mem_fail_after(0);
	assert_int_equal(wheel_new(start_ms, &none), ERR_NOMEM);
	mem_fail_after(-1);
	assert_null(none);
}

static int setup(void **state)
{
	return wheel_new(start_ms, (struct wheel **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	wheel_free((struct wheel **)state);
	return mem_live() == 0 ? 0 : -1; /* every test gives back what it took */
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(fires_never_early_and_less_than_a_tick_late),
		TEST(beats_for_a_minute_without_sleeping),
		TEST(a_time_already_past_fires_at_the_next_tick),
		TEST(a_moved_deadline_fires_only_at_its_new_time),
		TEST(a_day_of_sleep_fires_the_furthest_deadline_once),
		TEST(a_day_of_sleep_fires_every_tick_of_the_span),
		TEST(a_beat_goes_on_after_a_stall_longer_than_the_wheel),
		TEST(a_callback_may_disarm_what_is_due_with_it),
		TEST(fires_in_order_of_time),
		TEST(tells_how_long_to_sleep),
		TEST(a_callback_may_ask_how_long_to_sleep),
		TEST(refuses_what_it_cannot_hold),
	};
	return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}

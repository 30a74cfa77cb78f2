/*
 * The faults that can be ordered from the memory backplane: they must be what they say, since other
 * tests believe them.
 */
#include "backplane/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"

enum { HEARD_MAX = 16 };

static struct fake_world fake;
static struct backplane *backplane;
static struct position heard[HEARD_MAX];
static struct position heard_parent[HEARD_MAX];
static size_t heard_count, doubt_count, answer_count, watched_count;
static struct read answer;

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return (struct tape_bounds){ .events_max = 100, .bytes_max = 1 << 20, .age_ms_max = 60000 };
}

static void hear(void *arg, const struct push *push)
{
	(void)arg;
	for (size_t i = 0; i < push->count && heard_count < HEARD_MAX; i++) {
		heard_parent[heard_count] = push->parent;
		heard[heard_count++] = push->events[i]->position;
	}
}

static void doubt(void *arg)
{
	(void)arg;
	doubt_count++;
}

static void published(struct publish *publish)
{
	(void)publish;
}

static struct publish say(const char *text)
{
	struct event *event = NULL;
	struct draft draft = { .data = slice_of(text), .has_data = true };
	struct publish publish = { .name = SLICE("a"), .events = &event, .count = 1,
				   .idem = draft.data, .done = published };
	assert_int_equal(event_new(&draft, 1, fake.now_ms, &event), OK);
	backplane->ops->publish(backplane, &publish);
	publish.events = NULL;
	return publish;
}

static void answered(struct read *read)
{
	answer_count++;
	answer = *read;
	for (size_t i = 0; i < read->count; i++)
		event_unref(&read->events[i]);
	mem_free(read->events);
}

static void ask(struct read *read, const struct position *from)
{
	*read = (struct read){ .name = SLICE("a"), .from_given = from != NULL,
			       .from = from ? *from : (struct position){ 0 },
			       .events_max = 100, .done = answered };
	backplane->ops->read(backplane, read);
}

static void watched(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	watched_count++;
}

static void watch(void)
{
	backplane->ops->watch(backplane, SLICE("a"), watched, NULL);
}

static uint64_t turn(uint64_t ms)
{
	fake.now_ms += ms;
	return backplane->ops->turn(backplane, fake.now_ms);
}

static void dropped_pushes_are_gone_and_the_next_one_comes(void **state)
{
	(void)state;
	watch();
	memory_fault_drop(backplane, 2);
	say("one");
	struct position two = say("two").last;
	struct position three = say("three").last;
	assert_int_equal(heard_count, 1);
	assert_true(position_equal(&heard[0], &three));
	assert_true(position_equal(&heard_parent[0], &two));
}

static void delayed_pushes_come_later_and_in_order(void **state)
{
	(void)state;
	watch();
	memory_fault_delay(backplane, 100);
	say("one");
	memory_fault_delay(backplane, 10);
	say("two");
	memory_fault_delay(backplane, 0);
	say("three");
	assert_int_equal(heard_count, 0);
	turn(50);
	assert_int_equal(heard_count, 0);
	uint64_t next_ms = turn(49);
	assert_int_equal(next_ms, fake.now_ms + 1);
	turn(1);
	assert_int_equal(heard_count, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(heard[i].seq, i + 1);
	say("four");
	assert_int_equal(heard_count, 4);
}

static void a_delayed_answer_tells_of_its_own_time(void **state)
{
	(void)state;
	struct read read;
	watch();
	say("one");
	memory_fault_delay(backplane, 100);
	ask(&read, NULL);
	memory_fault_delay(backplane, 10);
	say("two");
	turn(10);
	assert_int_equal(heard_count, 2); /* the push overtook the answer */
	assert_int_equal(answer_count, 0);
	turn(90);
	assert_int_equal(answer_count, 1);
	assert_int_equal(answer.head.seq, 1);
}

static void a_delayed_watch_hears_nothing_before_it_is_confirmed(void **state)
{
	(void)state;
	memory_fault_delay(backplane, 100);
	watch();
	say("one");
	assert_int_equal(watched_count, 0);
	turn(100);
	assert_int_equal(watched_count, 1);
	assert_int_equal(heard_count, 0);
	memory_fault_delay(backplane, 0);
	say("two");
	assert_int_equal(heard_count, 1);

	memory_fault_delay(backplane, 10);
	backplane->ops->unwatch(backplane, SLICE("a"));
	turn(10);
	say("three");
	turn(10);
	assert_int_equal(heard_count, 1);
}

static void a_fork_gives_the_same_numbers_out_again(void **state)
{
	(void)state;
	struct read read;
	struct position one = say("one").last;
	struct position two = say("two").last;
	say("three");
	watch();
	memory_fault_fork(backplane, SLICE("a"), 2);
	assert_int_equal(heard_count, 0);
	ask(&read, &two);
	assert_int_equal(answer.status, READ_AHEAD);
	ask(&read, &one);
	assert_int_equal(answer.status, READ_OK);
	struct position other = say("other").last;
	assert_int_equal(other.epoch, two.epoch);
	assert_int_equal(other.seq, two.seq);
	assert_true(other.tag != two.tag);
	assert_true(position_equal(&heard_parent[0], &one));
	ask(&read, &two);
	assert_int_equal(answer.status, READ_DIVERGED);
}

static void a_fork_forgets_the_keys_of_what_it_forgot(void **state)
{
	(void)state;
	say("one");
	struct position two = say("two").last;
	memory_fault_fork(backplane, SLICE("a"), 1);
	assert_true(say("one").duplicate);
	struct publish again = say("two");
	assert_false(again.duplicate);
	assert_true(position_equal(&again.last, &two)); /* an equal past */
}

static void an_end_that_was_forgotten_has_not_come(void **state)
{
	(void)state;
	struct read read;
	say("one");
	struct event *end = NULL;
	struct publish publish = { .name = SLICE("a"), .events = &end, .count = 1,
				   .done = published };
	assert_int_equal(event_new_end(END_COMPLETE, 1, fake.now_ms, &end), OK);
	backplane->ops->publish(backplane, &publish);
	assert_int_equal(say("two").err, ERR_ENDED);
	memory_fault_fork(backplane, SLICE("a"), 1);
	assert_int_equal(say("two").err, OK);
	ask(&read, NULL);
	assert_int_equal(answer.end, END_NONE);
}

static void a_lost_stream_begins_anew(void **state)
{
	(void)state;
	struct read read;
	struct position one = say("one").last;
	watch();
	memory_fault_lose(backplane, SLICE("a"));
	memory_fault_lose(backplane, SLICE("none"));
	ask(&read, &one);
	assert_int_equal(answer.status, READ_EMPTY);
	assert_int_equal(heard_count, 0);
	struct publish again = say("one");
	assert_false(again.duplicate);
	assert_int_equal(again.last.seq, 1);
	assert_true(again.last.epoch != one.epoch);
	assert_true(position_is_origin(&heard_parent[0]));
}

static void a_fork_that_leaves_nothing_is_a_loss(void **state)
{
	(void)state;
	struct read read;
	struct position one = say("one").last;
	memory_fault_fork(backplane, SLICE("a"), 5);
	ask(&read, &one);
	assert_int_equal(answer.status, READ_EMPTY);
	assert_true(say("one").last.epoch != one.epoch);
}

static void away_refuses_everything_and_says_when_it_is_back(void **state)
{
	(void)state;
	struct read read;
	watch();
	say("one");
	memory_fault_delay(backplane, 100);
	ask(&read, NULL);
	say("unheard");
	memory_fault_away(backplane, true);
	assert_int_equal(answer_count, 1); /* the one under way */
	assert_int_equal(answer.err, ERR_UNAVAILABLE);
	memory_fault_delay(backplane, 0);
	assert_false(backplane->ops->ready(backplane));
	struct publish publish = say("two");
	assert_int_equal(publish.err, ERR_UNAVAILABLE);
	assert_true(publish.note[0] != '\0');
	ask(&read, NULL);
	assert_int_equal(answer.err, ERR_UNAVAILABLE);
	struct event *event = NULL;
	struct draft draft = { .ephemeral = true };
	assert_int_equal(event_new(&draft, 1, 1, &event), OK);
	assert_int_equal(backplane->ops->shout(backplane, SLICE("a"), event), ERR_UNAVAILABLE);
	assert_int_equal(doubt_count, 0);
	memory_fault_away(backplane, false);
	assert_int_equal(doubt_count, 1);
	assert_true(backplane->ops->ready(backplane));
	assert_int_equal(heard_count, 1);
	assert_int_equal(say("three").last.seq, 3);
}

static void faults_are_believed_once_they_are_allowed(void **state)
{
	(void)state;
	assert_false(backplane->ops->pushes_can_fail);
	memory_faults_allow(backplane);
	assert_true(backplane->ops->pushes_can_fail);
	assert_int_equal(say("one").err, OK);
}

static void what_is_late_at_the_end_goes_with_it(void **state)
{
	(void)state;
	static struct read read;
	say("zero");
	watch();
	memory_fault_delay(backplane, 100);
	say("one");
	ask(&read, NULL);
	watch();
	backplane->ops->free(&backplane);
	assert_int_equal(answer_count, 1);
	assert_int_equal(watched_count, 1);
	assert_int_equal(heard_count, 0);
}

static int setup(void **state)
{
	(void)state;
	const struct memory_config config = {
		.world = &fake.world,
		.streams_max = 10,
		.bytes_max = 1 << 20,
		.idem_max = 10,
		.idem_window_ms = 1000,
		.bounds_of = bounds_of,
	};
	fake_world_init(&fake);
	heard_count = doubt_count = answer_count = watched_count = 0;
	if (memory_new(&config, &backplane) != OK)
		return -1;
	backplane->sink = (struct backplane_sink){ .pushed = hear, .doubt = doubt };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (backplane)
		backplane->ops->free(&backplane);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(dropped_pushes_are_gone_and_the_next_one_comes),
		TEST(delayed_pushes_come_later_and_in_order),
		TEST(a_delayed_answer_tells_of_its_own_time),
		TEST(a_delayed_watch_hears_nothing_before_it_is_confirmed),
		TEST(a_fork_gives_the_same_numbers_out_again),
		TEST(a_fork_forgets_the_keys_of_what_it_forgot),
		TEST(an_end_that_was_forgotten_has_not_come),
		TEST(a_lost_stream_begins_anew),
		TEST(a_fork_that_leaves_nothing_is_a_loss),
		TEST(away_refuses_everything_and_says_when_it_is_back),
		TEST(faults_are_believed_once_they_are_allowed),
		TEST(what_is_late_at_the_end_goes_with_it),
	};
	return cmocka_run_group_tests_name("memory_fault", tests, NULL, NULL);
}

/*
 * What the memory backplane does beyond the suite of all backplanes: time, bounds, lack of memory.
 */
#include "backplane/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"

enum { AGE_MS = 60000, WINDOW_MS = 1000, IDEM_MAX = 4, STREAMS_MAX = 8, BYTES_MAX = 100000 };

static struct fake_world fake;
static struct backplane *backplane;
static size_t pushed_count;

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return (struct tape_bounds){ .events_max = 100, .bytes_max = 20000, .age_ms_max = AGE_MS };
}

static const struct memory_config config = {
	.world = &fake.world,
	.streams_max = STREAMS_MAX,
	.bytes_max = BYTES_MAX,
	.idem_max = IDEM_MAX,
	.idem_window_ms = WINDOW_MS,
	.bounds_of = bounds_of,
};

static void count_push(void *arg, const struct push *push)
{
	(void)arg;
	pushed_count += push->count;
}

static void answered(struct publish *publish)
{
	assert_true(publish->name.bytes > 0);
}

/* One event of `bytes` bytes; ERR_NOMEM also if there was no memory for the event. */
static struct publish publish_bytes(const char *name, size_t bytes, const char *idem)
{
	static char data[32768];
	memset(data, 'x', sizeof data);
	struct event *event = NULL;
	struct draft draft = { .data = slice_from(data, bytes), .has_data = true };
	struct publish publish = { .name = slice_of(name), .events = &event, .count = 1,
				   .idem = slice_of(idem), .done = answered };
	publish.err = event_new(&draft, fake_wall_ms(&fake.world), fake.now_ms, &event);
	if (publish.err == OK)
		backplane->ops->publish(backplane, &publish);
	publish.events = NULL;
	return publish;
}

static enum err say(const char *name)
{
	return publish_bytes(name, 10, NULL).err;
}

static void read_answered(struct read *read)
{
	for (size_t i = 0; i < read->count; i++)
		event_unref(&read->events[i]);
	mem_free(read->events);
}

static struct read look(const char *name, const struct position *from)
{
	struct read read = { .name = slice_of(name), .from_given = from != NULL,
			     .from = from ? *from : (struct position){ 0 },
			     .events_max = BACKPLANE_READ_MAX, .done = read_answered };
	backplane->ops->read(backplane, &read);
	return read;
}

static void drop_answered(struct drop *drop)
{
	assert_int_equal(drop->err, OK);
}

static void watched(void *arg, struct slice name)
{
	(void)name;
	(*(int *)arg)++;
}

static void watch(const char *name)
{
	int count = 0;
	backplane->ops->watch(backplane, slice_of(name), watched, &count);
	assert_int_equal(count, 1);
}

/* Turns until every stream has been walked. */
static void turn(void)
{
	for (int i = 0; i < 3; i++) {
		fake.now_ms += 1001;
		backplane->ops->turn(backplane, fake.now_ms);
	}
}

static void an_idle_stream_is_forgotten_and_begins_anew(void **state)
{
	(void)state;
	struct position first = publish_bytes("a", 10, NULL).last;
	fake.now_ms += AGE_MS;
	assert_int_equal(look("a", &first).status, READ_OK);
	fake.now_ms += 1;
	assert_int_equal(look("a", &first).status, READ_EMPTY);
	size_t live = mem_live();
	turn();
	assert_true(mem_live() < live);
	struct position again = publish_bytes("a", 10, NULL).last;
	assert_int_equal(again.seq, 1);
	assert_true(again.epoch != first.epoch);
	assert_int_equal(look("a", &first).status, READ_EPOCH);
}

static void a_watched_stream_is_not_forgotten(void **state)
{
	(void)state;
	struct position first = publish_bytes("a", 10, NULL).last;
	watch("a");
	fake.now_ms += 10 * AGE_MS;
	turn();
	assert_int_equal(look("a", NULL).kept_count, 1);
	assert_int_equal(publish_bytes("a", 10, NULL).last.seq, 2);
	struct read read = look("a", &first);
	assert_int_equal(read.status, READ_OK);
	assert_int_equal(read.floor.seq, 1); /* the first was too old, once it was not the newest */
	backplane->ops->unwatch(backplane, SLICE("a"));
	fake.now_ms += AGE_MS + 1;
	assert_int_equal(look("a", &first).status, READ_EMPTY);
}

static void old_events_go_one_by_one(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		assert_int_equal(say("a"), OK);
		fake.now_ms += AGE_MS / 4;
	}
	/* Ages 6/4 .. 1/4 of the bound: the fourth is just as old as it may be. */
	struct read read = look("a", NULL);
	assert_int_equal(read.oldest_seq, 3);
	assert_int_equal(read.kept_count, 4);
}

static void a_dropped_stream_is_remembered_for_a_while(void **state)
{
	(void)state;
	struct position first = publish_bytes("a", 10, NULL).last;
	struct drop drop = { .name = SLICE("a"), .done = drop_answered };
	backplane->ops->drop(backplane, &drop);
	fake.now_ms += AGE_MS;
	struct read read = look("a", &first);
	assert_int_equal(read.status, READ_OK);
	assert_int_equal(read.end, END_CANCELLED);
	assert_int_equal(say("a"), ERR_ENDED);
	turn();
	assert_int_equal(look("a", &first).status, READ_EMPTY);
	assert_int_equal(say("a"), OK);
}

static void bytes_of_a_stream_are_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(publish_bytes("a", 5000, NULL).err, OK);
	struct read read = look("a", NULL);
	assert_int_equal(read.kept_count, 3);
	assert_true(read.kept_bytes <= 20000);
	/* The newest stays, however long it is. */
	assert_int_equal(publish_bytes("b", 25000, NULL).err, OK);
	assert_int_equal(look("b", NULL).kept_count, 1);
}

static void bytes_in_all_cost_the_longest_unused_first(void **state)
{
	(void)state;
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g" };
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(publish_bytes(names[i], 16000, NULL).err, OK);
	assert_int_equal(say("a"), OK); /* used again */
	for (size_t i = 5; i < 7; i++)
		assert_int_equal(publish_bytes(names[i], 16000, NULL).err, OK);
	assert_int_equal(look("a", NULL).status, READ_NONE);
	assert_int_equal(look("b", NULL).status, READ_EMPTY);
	assert_int_equal(look("g", NULL).status, READ_NONE);
}

static void what_was_just_published_is_the_last_to_go(void **state)
{
	(void)state;
	struct memory_config tight = config;
	struct position last = { 0 };
	tight.bytes_max = 10000;
	backplane->ops->free(&backplane);
	assert_int_equal(memory_new(&tight, &backplane), OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(say("small"), OK);
		last = publish_bytes("large", 15000, NULL).last;
		assert_int_equal(look("small", NULL).status, READ_EMPTY);
	}
	/* Alone it is more than the bound. */
	assert_int_equal(look("large", &last).status, READ_OK);
}

static void what_listeners_watch_is_shortened_but_stays(void **state)
{
	(void)state;
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
	struct position first[8];
	for (size_t i = 0; i < 8; i++) {
		watch(names[i]);
		for (int n = 0; n < 4; n++)
			first[i] = publish_bytes(names[i], 4000, NULL).first;
	}
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(look(names[i], &first[i]).status, READ_OK);
	assert_true(look("a", NULL).kept_count < 4);
	assert_int_equal(look("h", NULL).kept_count, 4);
}

static void one_stream_too_many_is_refused(void **state)
{
	(void)state;
	char name[8];
	for (int i = 0; i < STREAMS_MAX; i++) {
		(void)snprintf(name, sizeof name, "s%d", i);
		assert_int_equal(say(name), OK);
	}
	struct publish publish = publish_bytes("more", 10, NULL);
	assert_int_equal(publish.err, ERR_FULL);
	assert_true(publish.note[0] != '\0');
	assert_int_equal(say("s0"), OK);
	fake.now_ms += AGE_MS + 1;
	turn();
	assert_int_equal(say("more"), OK);
}

static void a_key_lives_for_one_window_and_not_for_three(void **state)
{
	(void)state;
	fake.now_ms = 5000;
	assert_int_equal(publish_bytes("a", 10, "key").last.seq, 1);
	fake.now_ms += WINDOW_MS - 1;
	assert_true(publish_bytes("a", 10, "key").duplicate);
	fake.now_ms += 2 * WINDOW_MS + 1;
	assert_false(publish_bytes("a", 10, "key").duplicate);
}

static void as_many_keys_as_promised_are_kept(void **state)
{
	(void)state;
	char key[8];
	for (int i = 0; i < 2 * IDEM_MAX; i++) {
		(void)snprintf(key, sizeof key, "k%d", i);
		assert_false(publish_bytes("a", 10, key).duplicate);
	}
	assert_false(publish_bytes("a", 10, "new").duplicate);
	for (int i = 2 * IDEM_MAX - 1; i >= IDEM_MAX; i--) {
		(void)snprintf(key, sizeof key, "k%d", i);
		assert_true(publish_bytes("a", 10, key).duplicate);
	}
	assert_false(publish_bytes("a", 10, "k0").duplicate); /* its generation had to go */
}

static void keys_of_an_idle_stream_cost_nothing_for_long(void **state)
{
	(void)state;
	assert_int_equal(publish_bytes("a", 10, "key").err, OK);
	size_t live = mem_live();
	fake.now_ms += 3 * WINDOW_MS;
	turn();
	assert_int_equal(mem_live(), live - 1);
}

static void without_memory_a_publish_is_refused_whole(void **state)
{
	(void)state;
	enum err err = ERR_NOMEM;
	for (long n = 0; err != OK; n++) {
		size_t live = mem_live();
		mem_fail_after(n);
		err = publish_bytes("a", 10, "key").err;
		mem_fail_after(-1);
		if (err != OK) {
			assert_int_equal(err, ERR_NOMEM);
			assert_int_equal(look("a", NULL).status, READ_EMPTY);
			assert_in_range(mem_live(), live, live + 1); /* the table may have grown */
		}
		assert_true(n < 20);
	}
	assert_int_equal(look("a", NULL).head.seq, 1);
	for (int i = 0; i < 7; i++)
		assert_int_equal(say("a"), OK);
	mem_fail_after(1); /* the event, but no wider ring */
	assert_int_equal(say("a"), ERR_NOMEM);
	mem_fail_after(-1);
	assert_int_equal(publish_bytes("a", 10, NULL).last.seq, 9);
	mem_fail_after(0);
	assert_int_equal(look("a", NULL).err, ERR_NOMEM);
	mem_fail_after(-1);
}

static void without_memory_a_watch_still_gets_its_pushes(void **state)
{
	(void)state;
	assert_int_equal(say("old"), OK);
	mem_fail_after(0);
	watch("old");
	watch("new");
	mem_fail_after(-1);
	assert_int_equal(say("old"), OK);
	assert_int_equal(say("new"), OK);
	assert_int_equal(pushed_count, 2);
	backplane->ops->unwatch(backplane, SLICE("new"));
}

static void it_says_when_it_wants_its_turn(void **state)
{
	(void)state;
	uint64_t next_ms = backplane->ops->turn(backplane, fake.now_ms);
	assert_in_range(next_ms, fake.now_ms + 1, fake.now_ms + 1000);
}

static int setup(void **state)
{
	(void)state;
	fake_world_init(&fake);
	pushed_count = 0;
	if (memory_new(&config, &backplane) != OK)
		return -1;
	backplane->sink.pushed = count_push;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	backplane->ops->free(&backplane);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_idle_stream_is_forgotten_and_begins_anew),
		TEST(a_watched_stream_is_not_forgotten),
		TEST(old_events_go_one_by_one),
		TEST(a_dropped_stream_is_remembered_for_a_while),
		TEST(bytes_of_a_stream_are_bounded),
		TEST(bytes_in_all_cost_the_longest_unused_first),
		TEST(what_was_just_published_is_the_last_to_go),
		TEST(what_listeners_watch_is_shortened_but_stays),
		TEST(one_stream_too_many_is_refused),
		TEST(a_key_lives_for_one_window_and_not_for_three),
		TEST(as_many_keys_as_promised_are_kept),
		TEST(keys_of_an_idle_stream_cost_nothing_for_long),
		TEST(without_memory_a_publish_is_refused_whole),
		TEST(without_memory_a_watch_still_gets_its_pushes),
		TEST(it_says_when_it_wants_its_turn),
	};
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}

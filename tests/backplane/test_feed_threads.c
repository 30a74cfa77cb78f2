/*
 * The feed on the memory backplane, with publishers, listeners that come and go, and turns, each in
 * threads of their own. Worth most under -fsanitize=thread.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <cmocka.h>

#include "backplane/feed.h"
#include "backplane/memory.h"
#include "base/mem.h"

enum { PUBLISHERS = 2, EVENTS = 3000, STREAMS = 2, VISITS = 2000 };

static const char *const names[STREAMS] = { "a", "b" };

static struct hub *hub;
static struct backplane *backplane;
static struct feed *feed;
static atomic_bool over;
static atomic_size_t wrong_count;

static uint64_t now_ms(void)
{
	struct world *world = world_linux();
	return world->ops->now_ms(world);
}

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return (struct tape_bounds){ .events_max = 2 * PUBLISHERS * EVENTS, .bytes_max = 64 << 20,
			.age_ms_max = 86400000 };
}

static void published(struct publish *publish)
{
	if (publish->err != OK)
		atomic_fetch_add(&wrong_count, 1);
}

static void *publish_all(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < EVENTS; i++) {
		struct event *event = NULL;
		struct draft draft = { .data = SLICE("data"), .has_data = true };
		struct publish publish = { .name = slice_of(names[i % STREAMS]), .events = &event,
					   .count = 1, .done = published };
		if (event_new(&draft, 1, now_ms(), &event) != OK)
			atomic_fetch_add(&wrong_count, 1);
		else
			backplane->ops->publish(backplane, &publish);
	}
	return NULL;
}

/* Everything from the oldest to the head, without a hole. */
static void check_tape(struct stream *stream)
{
	struct tape *tape = stream_tape(stream);
	struct position at = { 0 };
	struct view view = { .kind = VIEW_BYTES };
	uint64_t ord = 0;
	if (!stream_live(stream) || tape_tail_ord(tape) != 0 || tape_use(tape, FORM_JSON) != OK)
		atomic_fetch_add(&wrong_count, 1);
	else
		while (view.kind != VIEW_NOTHING) {
			struct peek peek = { .form = FORM_JSON, .ord = ord, .now_ms = 1 };
			tape_peek(tape, &peek, &at, &view);
			if (view.kind != VIEW_BYTES && view.kind != VIEW_NOTHING)
				atomic_fetch_add(&wrong_count, 1);
			at = view.end_at;
			ord = view.end_ord;
			if (at.seq != ord)
				atomic_fetch_add(&wrong_count, 1);
			view_done(&view);
		}
}

static void *visit_all(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < VISITS; i++) {
		struct stream *stream = NULL;
		if (hub_get(hub, slice_of(names[i % STREAMS]), &stream) != OK ||
		    feed_attach(feed, stream) != OK) {
			atomic_fetch_add(&wrong_count, 1);
			continue;
		}
		stream_lock(stream);
		if (i % 16 == 0 && stream_live(stream))
			check_tape(stream);
		stream_unlock(stream);
		hub_put(hub, &stream, now_ms());
	}
	return NULL;
}

static void *turn_all(void *arg)
{
	(void)arg;
	while (!atomic_load(&over)) {
		feed_turn(feed, now_ms());
		hub_turn(hub, now_ms());
		backplane->ops->turn(backplane, now_ms());
		backplane->sink.doubt(backplane->sink.arg);
		sched_yield();
	}
	return NULL;
}

static void nothing_is_lost_among_threads(void **state)
{
	(void)state;
	pthread_t publishers[PUBLISHERS], visitors[2], turner;
	struct stream *kept = NULL;
	assert_int_equal(hub_get(hub, SLICE("a"), &kept), OK); /* "b" comes and goes */
	assert_int_equal(pthread_create(&turner, NULL, turn_all, NULL), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&visitors[i], NULL, visit_all, NULL), 0);
	for (size_t i = 0; i < PUBLISHERS; i++)
		assert_int_equal(pthread_create(&publishers[i], NULL, publish_all, NULL), 0);
	for (size_t i = 0; i < PUBLISHERS; i++)
		assert_int_equal(pthread_join(publishers[i], NULL), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(visitors[i], NULL), 0);
	atomic_store(&over, true);
	assert_int_equal(pthread_join(turner, NULL), 0);
	feed_turn(feed, now_ms());

	stream_lock(kept);
	check_tape(kept);
	assert_int_equal(tape_head(stream_tape(kept)).seq, PUBLISHERS * EVENTS / STREAMS);
	stream_unlock(kept);
	assert_int_equal(atomic_load(&wrong_count), 0);
	hub_put(hub, &kept, now_ms());
}

static int setup(void **state)
{
	(void)state;
	const struct memory_config memory = {
		.world = world_linux(),
		.streams_max = 10,
		.bytes_max = 256 << 20,
		.idem_max = 10,
		.idem_window_ms = 1000,
		.bounds_of = bounds_of,
	};
	const struct hub_config config = { .streams_max = 10, .bytes_max = 256 << 20,
					   .bounds_of = bounds_of };
	return memory_new(&memory, &backplane) == OK && hub_new(&config, &hub) == OK &&
			       feed_new(world_linux(), hub, backplane, &feed) == OK ?
		       0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	hub_free(&hub);
	feed_free(&feed);
	backplane->ops->free(&backplane);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_lost_among_threads, setup, teardown),
	};
	return cmocka_run_group_tests_name("feed_threads", tests, NULL, NULL);
}

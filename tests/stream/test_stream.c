#include "stream/stream.h"

#include "stream/hub.h"
#include "tape_lab.h"

struct scene {
	struct hub *hub;
	struct stream *stream;
};

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return lab_bounds(4);
}

static struct scene scene_open(void **state)
{
	(void)state;
	struct scene scene = { .hub = NULL };
	const struct hub_config config = { .streams_max = 1, .bytes_max = SIZE_MAX,
					   .bounds_of = bounds_of };
	assert_int_equal(hub_new(&config, &scene.hub), OK);
	assert_int_equal(hub_get(scene.hub, SLICE("a"), &scene.stream), OK);
	assert_true(slice_equal(stream_name(scene.stream), SLICE("a")));
	return scene;
}

static void scene_close(struct scene *scene)
{
	hub_put(scene->hub, &scene->stream, 0);
	hub_free(&scene->hub);
}

static void fill(struct stream *stream, uint64_t seq, size_t bytes)
{
	static char data[10000];
	struct said said = { .draft.data = slice_from(data, bytes) };
	stream_lock(stream);
	lab_append(stream_tape(stream), lab_position(1, seq, 0), &said);
	stream_unlock(stream);
}

struct listener {
	struct watch watch;
	unsigned moved_count;
};

static void listener_moved(struct watch *watch)
{
	CONTAINER_OF(watch, struct listener, watch)->moved_count++;
}

static void every_watch_hears_once_that_the_tape_moved(void **state)
{
	struct scene scene = scene_open(state);
	struct stream *a = scene.stream;
	struct listener one = { .watch.moved = listener_moved };
	struct listener two = { .watch.moved = listener_moved };
	list_init(&one.watch.link);
	list_init(&two.watch.link);
	stream_lock(a);
	stream_watch_add(a, &one.watch);
	stream_watch_add(a, &two.watch);
	assert_int_equal(stream_watch_count(a), 2);
	stream_moved(a);
	stream_watch_drop(a, &one.watch);
	stream_watch_drop(a, &one.watch);
	assert_int_equal(stream_watch_count(a), 1);
	stream_moved(a);
	stream_watch_drop(a, &two.watch);
	stream_moved(a);
	assert_int_equal(stream_watch_count(a), 0);
	assert_false(stream_live(a));
	stream_live_set(a, true);
	assert_true(stream_live(a));
	stream_unlock(a);
	assert_int_equal(one.moved_count, 1);
	assert_int_equal(two.moved_count, 2);
	scene_close(&scene);
}

static void the_bounds_of_the_name_are_the_tapes_and_the_hub_weighs_it(void **state)
{
	struct scene scene = scene_open(state);
	size_t empty = hub_weight(scene.hub);
	for (uint64_t seq = 1; seq <= 9; seq++)
		fill(scene.stream, seq, 1000);
	assert_true(hub_weight(scene.hub) > empty + 4 * 1000);
	stream_lock(scene.stream);
	assert_int_equal(tape_tail_ord(stream_tape(scene.stream)), 5);
	stream_unlock(scene.stream);
	scene_close(&scene);
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
		TEST(every_watch_hears_once_that_the_tape_moved),
		TEST(the_bounds_of_the_name_are_the_tapes_and_the_hub_weighs_it),
	};
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}

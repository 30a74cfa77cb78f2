#include "stream/hub.h"

#include <pthread.h>
#include <stdio.h>

#include "tape_lab.h"

struct house {
	struct hub *hub;
	struct tape_bounds bounds;
	unsigned unfed_count;
	void *unfed_feed;
	char unfed_name[32];
	bool seen_again;
};

static const struct said plain = { .draft.data = { "x", 1 } };

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	struct house *house = arg;
	struct tape_bounds bounds = house->bounds;
	if (slice_starts(name, SLICE("large/")))
		bounds.events_max = 1000;
	return bounds;
}

static void unfed(void *arg, struct slice name, void *feed)
{
	struct house *house = arg;
	house->unfed_count++;
	house->unfed_feed = feed;
	assert_in_range(name.bytes, 1, sizeof house->unfed_name - 1);
	memcpy(house->unfed_name, name.at, name.bytes);
	house->unfed_name[name.bytes] = '\0';
	struct stream *same = hub_find(house->hub, name);
	house->seen_again = same != NULL;
	hub_put(house->hub, &same, 0);
}

static struct house *house_of(void **state)
{
	return *state;
}

static void house_open(struct house *house, size_t streams_max, size_t bytes_max,
		       uint64_t linger_ms)
{
	const struct hub_config config = {
		.streams_max = streams_max,
		.bytes_max = bytes_max,
		.linger_ms = linger_ms,
		.bounds_of = bounds_of,
		.arg = house,
	};
	house->bounds = (struct tape_bounds){ .events_max = 4, .bytes_max = SIZE_MAX,
			.age_ms_max = 1000000 };
	assert_int_equal(hub_new(&config, &house->hub), OK);
	hub_unfed_set(house->hub, unfed, house);
}

static struct stream *get(struct house *house, const char *name)
{
	struct stream *stream = NULL;
	assert_int_equal(hub_get(house->hub, slice_of(name), &stream), OK);
	return stream;
}

/* Appends the seq-th event to a stream. */
static void fill(struct stream *stream, uint64_t seq, uint64_t born_ms, size_t bytes)
{
	static char data[100000];
	assert_in_range(bytes, 0, sizeof data);
	struct said said = { .draft.data = slice_from(data, bytes), .born_ms = born_ms };
	stream_lock(stream);
	lab_append(stream_tape(stream), lab_position(1, seq, 0), &said);
	stream_unlock(stream);
}

static bool is_open(struct house *house, const char *name, uint64_t now_ms)
{
	struct stream *stream = hub_find(house->hub, slice_of(name));
	bool open = stream != NULL;
	hub_put(house->hub, &stream, now_ms);
	return open;
}

static void one_name_is_one_stream(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 100);
	struct stream *a = get(house, "a"), *again = get(house, "a"), *b = get(house, "b");
	assert_ptr_equal(a, again);
	assert_ptr_not_equal(a, b);
	assert_true(slice_equal(stream_name(a), SLICE("a")));
	assert_int_equal(hub_count(house->hub), 2);
	struct stream *found = hub_find(house->hub, SLICE("a"));
	assert_ptr_equal(found, a);
	assert_null(hub_find(house->hub, SLICE("c")));
	assert_int_equal(hub_count(house->hub), 2);
	hub_put(house->hub, &found, 0);
	hub_put(house->hub, &again, 0);
	hub_put(house->hub, &a, 0);
	assert_null(a);
	hub_put(house->hub, &a, 0);
	hub_put(house->hub, &b, 0);
}

static void a_name_that_nobody_wrote_to_leaves_no_trace(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 100);
	struct stream *a = get(house, "a"), *again = get(house, "a");
	hub_put(house->hub, &a, 0);
	assert_int_equal(hub_count(house->hub), 1);
	hub_put(house->hub, &again, 0);
	assert_int_equal(hub_count(house->hub), 0);
	assert_int_equal(house->unfed_count, 0); /* nobody fed it */
	assert_int_equal(hub_weight(house->hub), 0);
}

static void a_stream_lingers_and_then_goes(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 100);
	struct stream *a = get(house, "a");
	fill(a, 1, 0, 1);
	hub_turn(house->hub, 100000);
	assert_int_equal(hub_count(house->hub), 1); /* in use */
	hub_put(house->hub, &a, 1000);
	hub_turn(house->hub, 1099);
	assert_true(is_open(house, "a", 1050)); /* and lingers anew from here */
	hub_turn(house->hub, 1149);
	assert_int_equal(hub_count(house->hub), 1);
	hub_turn(house->hub, 1150);
	assert_int_equal(hub_count(house->hub), 0);
	assert_int_equal(hub_weight(house->hub), 0);
}

static void a_visit_is_no_use_but_keeps_a_stream_from_going(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 100);
	struct stream *a = get(house, "a");
	fill(a, 1, 0, 1);
	hub_put(house->hub, &a, 1000);
	struct stream *visited = hub_visit(house->hub, SLICE("a"));
	assert_non_null(visited);
	assert_null(hub_visit(house->hub, SLICE("b")));
	hub_turn(house->hub, 5000);
	assert_int_equal(hub_count(house->hub), 1); /* somebody is there */
	hub_put(house->hub, &visited, 5000);
	hub_turn(house->hub, 5000);
	assert_int_equal(hub_count(house->hub), 0); /* idle since 1000, for all the visits */
}

static void a_full_hub_lets_go_of_what_only_lingers(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 2, SIZE_MAX, 100000);
	struct stream *a = get(house, "a"), *b = get(house, "b"), *c = NULL;
	fill(a, 1, 0, 1);
	fill(b, 2, 0, 1);
	assert_int_equal(hub_get(house->hub, SLICE("c"), &c), ERR_TOO_MANY);
	hub_put(house->hub, &a, 1000);
	c = get(house, "c");
	assert_null(hub_find(house->hub, SLICE("a")));
	hub_put(house->hub, &b, 1000);
	hub_put(house->hub, &c, 1000);
}

static void without_linger_it_goes_at_once(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 0);
	struct stream *a = get(house, "a");
	fill(a, 1, 0, 1);
	int feed;
	stream_feed_set(a, &feed);
	hub_put(house->hub, &a, 0);
	assert_int_equal(hub_count(house->hub), 0);
	assert_int_equal(house->unfed_count, 1);
}

static void its_feed_is_freed_when_it_has_gone(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 100);
	int feed;
	struct stream *a = get(house, "a"), *b = get(house, "b");
	fill(a, 1, 0, 1);
	fill(b, 1, 0, 1);
	stream_feed_set(a, &feed);
	assert_ptr_equal(stream_feed(a), &feed);
	assert_null(stream_feed(b));
	hub_put(house->hub, &a, 0);
	hub_put(house->hub, &b, 0);
	assert_int_equal(house->unfed_count, 0);
	hub_turn(house->hub, 100);
	assert_int_equal(house->unfed_count, 1);
	assert_ptr_equal(house->unfed_feed, &feed);
	assert_string_equal(house->unfed_name, "a");
	assert_false(house->seen_again);

	a = get(house, "a");
	fill(a, 1, 0, 1);
	stream_feed_set(a, &feed);
	hub_put(house->hub, &a, 0);
	hub_free(&house->hub);
	assert_int_equal(house->unfed_count, 2);
}

static void too_many_are_refused(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 2, SIZE_MAX, 100);
	struct stream *a = get(house, "a"), *b = get(house, "b"), *none = NULL;
	assert_int_equal(hub_get(house->hub, SLICE("c"), &none), ERR_TOO_MANY);
	assert_null(none);
	struct stream *again = get(house, "b");
	hub_put(house->hub, &a, 0);
	struct stream *c = get(house, "c");
	hub_put(house->hub, &b, 0);
	hub_put(house->hub, &again, 0);
	hub_put(house->hub, &c, 0);
}

static void weighs_all_tapes_together(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 100);
	struct stream *a = get(house, "a"), *b = get(house, "b");
	fill(a, 1, 0, 1000);
	fill(b, 1, 0, 1000);
	assert_int_equal(hub_weight(house->hub),
			 tape_weight(stream_tape(a)) + tape_weight(stream_tape(b)));
	size_t both = hub_weight(house->hub);
	fill(a, 2, 0, 5000);
	assert_true(hub_weight(house->hub) > both + 5000);
	for (uint64_t seq = 3; seq < 7; seq++) /* trimmed to four small ones: less again */
		fill(a, seq, 0, 1);
	assert_true(hub_weight(house->hub) < both);
	assert_int_equal(hub_weight(house->hub),
			 tape_weight(stream_tape(a)) + tape_weight(stream_tape(b)));
	hub_put(house->hub, &a, 0);
	hub_put(house->hub, &b, 0);
	hub_turn(house->hub, 100);
	assert_int_equal(hub_weight(house->hub), 0);
}

static void the_longest_unused_go_first_when_tapes_weigh_too_much(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, 25000, 1000000);
	const char *const names[] = { "a", "b", "c" };
	struct stream *streams[3];
	for (int i = 0; i < 3; i++) {
		streams[i] = get(house, names[i]);
		fill(streams[i], 1, 0, 10000);
	}
	hub_put(house->hub, &streams[1], 1);
	hub_put(house->hub, &streams[0], 2);
	hub_turn(house->hub, 3);
	assert_int_equal(hub_count(house->hub), 2);
	assert_false(is_open(house, "b", 3));
	assert_true(is_open(house, "a", 4));
	assert_in_range(hub_weight(house->hub), 20000, 25000);

	/* Used again, it is no longer the first to go. */
	streams[1] = get(house, "b");
	fill(streams[1], 1, 0, 10000);
	hub_put(house->hub, &streams[2], 5);
	assert_true(is_open(house, "a", 6));
	hub_put(house->hub, &streams[1], 7);
	hub_turn(house->hub, 8);
	assert_false(is_open(house, "c", 8));
	assert_true(is_open(house, "a", 8) && is_open(house, "b", 8));
}

static void what_is_in_use_stays_however_much_it_weighs(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, 100, 100);
	struct stream *a = get(house, "a");
	fill(a, 1, 0, 10000);
	hub_turn(house->hub, 1000000);
	assert_int_equal(hub_count(house->hub), 1);
	hub_put(house->hub, &a, 1000000);
	hub_turn(house->hub, 1000000);
	assert_int_equal(hub_count(house->hub), 0);
}

static void turns_age_every_tape_in_the_end(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 2000, SIZE_MAX, 100);
	static struct stream *streams[1200];
	for (int i = 0; i < 1200; i++) {
		char name[16];
		int bytes = snprintf(name, sizeof name, "s%d", i);
		enum err err = hub_get(house->hub, slice_from(name, (size_t)bytes), &streams[i]);
		assert_int_equal(err, OK);
		fill(streams[i], 1, 0, 1);
		fill(streams[i], 2, 5, 1);
	}
	size_t weight = hub_weight(house->hub);
	size_t aged_count = 0;
	for (int turn = 1; turn <= 3; turn++) {
		hub_turn(house->hub, 1000001);
		size_t before = aged_count;
		aged_count = 0;
		for (int i = 0; i < 1200; i++)
			aged_count += tape_tail_ord(stream_tape(streams[i])) == 1;
		assert_in_range(aged_count - before, 1, 512);
	}
	assert_int_equal(aged_count, 1200);
	assert_true(hub_weight(house->hub) < weight);

	/* And round again. */
	fill(streams[0], 3, 1000002, 1);
	assert_int_equal(tape_tail_ord(stream_tape(streams[0])), 1);
	for (int turn = 1; turn <= 3; turn++)
		hub_turn(house->hub, 1000006);
	assert_int_equal(tape_tail_ord(stream_tape(streams[0])), 2);
	for (int i = 0; i < 1200; i++)
		hub_put(house->hub, &streams[i], 0);
}

static void a_stream_has_the_bounds_of_its_class(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 100);
	struct stream *a = get(house, "a"), *large = get(house, "large/a");
	for (uint64_t seq = 1; seq <= 9; seq++) {
		fill(a, seq, 0, 1);
		fill(large, seq, 0, 1);
	}
	assert_int_equal(tape_tail_ord(stream_tape(a)), 5);
	assert_int_equal(tape_tail_ord(stream_tape(large)), 0);
	hub_put(house->hub, &a, 0);
	hub_put(house->hub, &large, 0);
}

static void without_memory_nothing_is_made_and_nothing_is_lost(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 9, SIZE_MAX, 100);
	size_t live = mem_live();
	long after = 0;
	for (;; after++) {
		struct stream *a = NULL;
		mem_fail_after(after);
		enum err err = hub_get(house->hub, SLICE("a"), &a);
		mem_fail_after(-1);
		if (err == OK) {
			hub_put(house->hub, &a, 0);
			break;
		}
		assert_int_equal(err, ERR_NOMEM);
		assert_null(a);
		assert_int_equal(hub_count(house->hub), 0);
		assert_int_equal(mem_live(), live);
	}
	assert_in_range(after, 3, 9);
	hub_free(&house->hub);
	const struct hub_config config = { .streams_max = 1 };
	for (after = 0; after < 2; after++) {
		struct hub *none = NULL;
		mem_fail_after(after);
		assert_int_equal(hub_new(&config, &none), ERR_NOMEM);
		mem_fail_after(-1);
		assert_null(none);
	}
}

/* Two threads that take and give back the same few names, while a third turns the hub. */
static void *take_and_give(void *arg)
{
	struct house *house = arg;
	for (unsigned i = 0; i < 4000; i++) {
		struct stream *stream = NULL;
		const char name[] = { (char)('a' + i % 3) };
		if (hub_get(house->hub, slice_from(name, 1), &stream) != OK)
			return arg;
		struct event *event = NULL;
		stream_lock(stream);
		struct position at = tape_head(stream_tape(stream));
		if (event_new(&plain.draft, 0, i, &event) == OK) {
			event->position = lab_position(1, at.seq + 1, 0);
			if (tape_append(stream_tape(stream), event, i) != OK)
				i = 4000;
		}
		event_unref(&event);
		stream_unlock(stream);
		hub_put(house->hub, &stream, i);
	}
	return NULL;
}

static void threads_share_a_hub(void **state)
{
	struct house *house = house_of(state);
	house_open(house, 3, 1500, 1);
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, house), 0);
	for (uint64_t i = 0; i < 500; i++) {
		hub_turn(house->hub, i * 8);
		assert_in_range(hub_count(house->hub), 0, 3);
	}
	for (int i = 0; i < 2; i++) {
		void *failed = house;
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	hub_turn(house->hub, 1000000);
	assert_int_equal(hub_count(house->hub), 0);
	assert_int_equal(hub_weight(house->hub), 0);
}

static int setup(void **state)
{
	static struct house house;
	house = (struct house){ 0 };
	*state = &house;
	return 0;
}

static int teardown(void **state)
{
	mem_fail_after(-1);
	hub_free(&house_of(state)->hub);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_name_is_one_stream),
		TEST(a_name_that_nobody_wrote_to_leaves_no_trace),
		TEST(a_stream_lingers_and_then_goes),
		TEST(a_visit_is_no_use_but_keeps_a_stream_from_going),
		TEST(a_full_hub_lets_go_of_what_only_lingers),
		TEST(without_linger_it_goes_at_once),
		TEST(its_feed_is_freed_when_it_has_gone),
		TEST(too_many_are_refused),
		TEST(weighs_all_tapes_together),
		TEST(the_longest_unused_go_first_when_tapes_weigh_too_much),
		TEST(what_is_in_use_stays_however_much_it_weighs),
		TEST(turns_age_every_tape_in_the_end),
		TEST(a_stream_has_the_bounds_of_its_class),
		TEST(without_memory_nothing_is_made_and_nothing_is_lost),
		TEST(threads_share_a_hub),
	};
	return cmocka_run_group_tests_name("hub", tests, NULL, NULL);
}

/*
 * What the simulation found, one small story each: seeds change their meaning when the simulation
 * grows, these do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "backplane/feed.h"
#include "backplane/memory.h"
#include "base/mem.h"
#include "delivery/engine.h"
#include "sim_parse.h"
#include "sim_world.h"

enum { BEAT_MS = 15000, DEAD_MS = 30000, BLOCKS_MAX = 64, TEXT_MAX = 16384 };

static struct sim_world sim;
static struct hub *hub;
static struct backplane *store;
static struct feed *feed;
static struct engine *engine;
static struct tape_bounds bounds;
static struct position last; /* of the newest publish */
static uint32_t interval_ms; /* of the listeners to come */

/* One client. */
static struct parse parse;
static int fd;
static uint32_t block_count;
static char ids[BLOCKS_MAX][1024];
static char data[BLOCKS_MAX][TEXT_MAX];

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return bounds;
}

static enum err attach(void *arg, struct stream *stream)
{
	(void)arg;
	return feed_attach(feed, stream);
}

static uint64_t now_ms(void)
{
	return sim.world.ops->now_ms(&sim.world);
}

static void turn(uint64_t ms)
{
	for (uint64_t at = 0; at <= ms; at += 50) {
		(void)store->ops->turn(store, now_ms());
		feed_turn(feed, now_ms());
		while (loop_turn(engine_loop(engine, 0), 0))
			;
		if (at + 50 <= ms)
			sim_world_advance(&sim, 50);
	}
}

static void published(struct publish *publish)
{
	assert_int_equal(publish->err, OK);
	last = publish->last;
}

static struct event *event_of(size_t bytes, char letter, bool ephemeral)
{
	static char text[TEXT_MAX];
	struct draft draft = { .data = { text, bytes }, .has_data = true, .ephemeral = ephemeral };
	struct event *event = NULL;

	memset(text, letter, bytes);
	assert_int_equal(event_new(&draft, 0, now_ms(), &event), OK);
	return event;
}

static void say_event(const char *stream, struct event *event)
{
	struct publish publish = { .name = slice_of(stream), .events = &event, .count = 1,
				   .done = published };

	list_init(&publish.link);
	store->ops->publish(store, &publish);
}

static void say(const char *stream, size_t bytes, char letter)
{
	say_event(stream, event_of(bytes, letter, false));
}

static void say_end(const char *stream)
{
	struct event *end = NULL;

	assert_int_equal(event_new_end(END_COMPLETE, 0, now_ms(), &end), OK);
	say_event(stream, end);
}

static void shout(const char *stream, char letter)
{
	struct event *event = event_of(20, letter, true);
	assert_int_equal(store->ops->shout(store, slice_of(stream), event), OK);
}

static void listen_to(enum session_form form, const struct wanted *wanted, size_t count,
		      uint32_t queue_bytes)
{
	fd = sim_connect(&sim, queue_bytes);
	struct ticket ticket = { .fd = fd, .form = form, .notices = true, .wanted = wanted,
				 .wanted_count = count, .interval_ms = interval_ms,
				 .head = SLICE("HTTP/1.1 200 OK\r\n\r\n") };

	parse_init(&parse, form == SESSION_NDJSON, false);
	block_count = 0;
	assert_int_equal(engine_adopt(engine, engine_loop(engine, 0), &ticket), OK);
}

static void block_kept(void *arg, const struct block *block)
{
	(void)arg;
	assert_true(block_count < BLOCKS_MAX);
	snprintf(ids[block_count], sizeof ids[0], "%.*s", (int)block->id.bytes,
		 block->id.bytes ? block->id.at : "");
	snprintf(data[block_count], sizeof data[0], "%.*s", (int)block->data.bytes, block->data.at);
	block_count++;
}

static enum sim_read hear(size_t bytes_max)
{
	char bytes[TEXT_MAX];
	size_t got;
	enum sim_read read = sim_client_read(&sim, fd, bytes, bytes_max, &got);

	parse_feed(&parse, slice_from(bytes, got), block_kept, NULL);
	assert_null(parse.wrong);
	return read;
}

static void hear_all(void)
{
	do
		turn(0);
	while (hear(TEXT_MAX) == SIM_READ_SOME);
}

static bool heard(const char *text)
{
	for (uint32_t i = 0; i < block_count; i++) {
		if (strstr(data[i], text))
			return true;
	}
	return false;
}

static struct wanted oldest(const char *stream)
{
	return (struct wanted){ slice_of(stream), { .kind = START_OLDEST } };
}

static struct wanted after(const char *stream, struct position position)
{
	return (struct wanted){ slice_of(stream), { .kind = START_AFTER, .after = position,
						    .otherwise = START_OLDEST } };
}

/* On a bounded stream, five events of which three are gone. */
static struct position first_of_five(const char *stream)
{
	bounds.events_max = 2;
	say(stream, 10, 'a');
	struct position first = last;
	for (char letter = 'b'; letter <= 'e'; letter++)
		say(stream, 10, letter);
	return first;
}

static void the_open_block_stands_before_a_gap_that_is_not_told_yet(void **state)
{
	(void)state;
	char text[POSITION_TEXT_MAX];
	struct position first = first_of_five("a");
	struct wanted wanted = after("a", first);

	listen_to(SESSION_SSE, &wanted, 1, SIM_QUEUE_BYTES);
	hear_all();
	(void)position_format(&first, text);
	assert_string_equal(ids[0], text);
	assert_non_null(strstr(data[1], "\"reason\":\"trimmed\""));
	assert_string_not_equal(ids[1], text);
}

static void each_of_two_gaps_moves_only_its_own_stream(void **state)
{
	(void)state;
	struct position a = first_of_five("a"), b = first_of_five("b");
	struct wanted wanted[] = { after("a", a), after("b", b) };
	struct slice names[] = { SLICE("a"), SLICE("b") };
	struct cursor_place places[2];

	listen_to(SESSION_SSE_ENVELOPE, wanted, 2, SIM_QUEUE_BYTES);
	hear_all();
	assert_non_null(strstr(data[1], "\"stream\":\"a\""));
	cursor_parse(slice_of(ids[1]), names, 2, places);
	assert_int_equal(places[0].position.seq, 3);
	assert_true(position_equal(&places[1].position, &b));
}

static void who_reads_slowly_behind_a_large_buffer_is_alive(void **state)
{
	(void)state;
	struct wanted wanted = oldest("a");

	for (int i = 0; i < 10; i++)
		say("a", 5000, 'x');
	listen_to(SESSION_SSE, &wanted, 1, SIM_QUEUE_BYTES);
	for (int s = 0; s < 90; s += 5) {
		turn(5000);
		assert_int_equal(hear(10), SIM_READ_SOME);
	}
	assert_int_equal(engine_counts(engine).sessions_now, 1);
}

static void who_reads_nothing_is_given_up(void **state)
{
	(void)state;
	struct wanted wanted = oldest("a");

	for (int i = 0; i < 10; i++)
		say("a", 5000, 'x');
	listen_to(SESSION_SSE, &wanted, 1, 1000);
	turn(DEAD_MS + BEAT_MS + 1000);
	assert_int_equal(engine_counts(engine).closed_dead, 1);
}

static void who_has_caught_up_hears_a_beat_in_time(void **state)
{
	(void)state;
	struct wanted wanted = oldest("a");

	listen_to(SESSION_SSE, &wanted, 1, 1000);
	turn(10000);
	say("a", 5000, 'x');
	turn(BEAT_MS - 10000 + 100); /* its beat falls due while it is refused */
	hear_all();
	uint64_t comments = parse.comments;
	turn(BEAT_MS + 100);
	hear_all();
	assert_true(parse.comments > comments);
}

static void a_frame_half_out_is_finished_before_another_streams(void **state)
{
	(void)state;
	struct wanted wanted[] = { oldest("a"), oldest("b"), oldest("c") };

	say("a", 6000, 'x');
	say("b", 10, 'y');
	say("c", 6000, 'z');
	listen_to(SESSION_NDJSON, wanted, 3, 64);
	hear_all();
	assert_int_equal(block_count, 4);
	for (uint32_t i = 0; i < block_count; i++)
		assert_true(json_member(slice_of(data[i]), "cursor").bytes || i == 0);
}

static void a_frame_half_out_is_not_begun_with_what_was_left_out(void **state)
{
	(void)state;
	struct wanted keeps = oldest("a"), wanted = oldest("a");

	listen_to(SESSION_SSE, &keeps, 1, SIM_QUEUE_BYTES); /* so that shouts reach the tape */
	turn(0);
	shout("a", 'e');
	say("a", 6000, 'x');
	listen_to(SESSION_SSE_ENVELOPE, &wanted, 1, 64);
	hear_all();
	assert_int_equal(block_count, 2);
	assert_false(heard("eeee"));
}

static void a_replay_gives_nothing_passing_behind_a_cut_frame(void **state)
{
	(void)state;
	struct wanted keeps = oldest("a"), wanted = oldest("a");

	listen_to(SESSION_SSE, &keeps, 1, SIM_QUEUE_BYTES);
	turn(0);
	say("a", 11000, 'x');
	shout("a", 'e');
	say("a", 10, 'z');
	listen_to(SESSION_SSE, &wanted, 1, 6000);
	hear_all();
	assert_true(heard("zzzz"));
	assert_false(heard("eeee"));
}

static void who_asked_for_few_flushes_hears_beats_between_them(void **state)
{
	(void)state;
	struct wanted wanted = oldest("a");

	interval_ms = 60000;
	listen_to(SESSION_SSE, &wanted, 1, SIM_QUEUE_BYTES);
	hear_all();
	say("a", 10, 'x');
	hear_all();
	assert_true(heard("xxxx")); /* the first goes at once */
	say("a", 10, 'y');
	turn(BEAT_MS + 100);
	hear_all();
	assert_false(heard("yyyy"));
	assert_int_equal(parse.comments, 1);
}

static void a_flush_goes_on_until_all_is_out(void **state)
{
	(void)state;
	struct wanted wanted = oldest("a");

	interval_ms = 10000;
	listen_to(SESSION_SSE, &wanted, 1, SIM_QUEUE_BYTES);
	hear_all();
	say("a", 10, 'x');
	hear_all();
	for (int i = 0; i < 40; i++) /* far more than one view */
		say("a", 900, 'y');
	hear_all();
	assert_int_equal(block_count, 2);
	turn(10000);
	hear_all();
	assert_int_equal(block_count, 42);
}

static void a_stream_whose_end_was_lost_goes_on_behind_a_gap(void **state)
{
	(void)state;
	struct wanted wanted[] = { oldest("a"), oldest("b") };

	memory_faults_allow(store);
	say("a", 10, 'x');
	say_end("a");
	listen_to(SESSION_SSE_ENVELOPE, wanted, 2, SIM_QUEUE_BYTES);
	hear_all();
	assert_true(heard("\"state\":\"complete\""));
	memory_fault_lose(store, SLICE("a"));
	say("a", 10, 'y');
	turn(10000);
	hear_all();
	assert_int_equal(block_count, 5); /* open, x, the end, the gap, y */
	assert_non_null(strstr(data[3], "\"reason\":\"epoch\""));
	assert_non_null(strstr(data[4], "yyyyyyyyyy"));
}

static bool answered;

static void answer(void *arg, struct stream *stream, const struct place *place, uint64_t now,
		   struct buf *buf)
{
	(void)arg, (void)stream, (void)place, (void)now;
	answered = true;
	buf_put_text(buf, "HTTP/1.1 200 OK\r\n\r\n");
}

static void an_answer_looks_behind_what_has_expired(void **state)
{
	(void)state;
	struct event *event = event_of(10, 'b', false);

	memory_faults_allow(store);
	say("a", 10, 'a');
	struct wanted wanted = after("a", last);
	event->ttl_ms = 1000;
	say_event("a", event);
	turn(2000);
	fd = sim_connect(&sim, SIM_QUEUE_BYTES);
	struct ticket ticket = { .fd = fd, .form = SESSION_ANSWER, .wanted = &wanted,
				 .wanted_count = 1, .wait_ms = 20000, .answer = answer };
	answered = false;
	assert_int_equal(engine_adopt(engine, engine_loop(engine, 0), &ticket), OK);
	turn(1000);
	assert_false(answered);
	memory_fault_lose(store, SLICE("a"));
	say("a", 10, 'c');
	turn(0);
	assert_true(answered);
}

static int setup(void **state)
{
	(void)state;
	sim_world_init(&sim, 1);
	interval_ms = 0;
	bounds = (struct tape_bounds){ .events_max = 100, .bytes_max = 1 << 20,
				       .age_ms_max = 3600000 };
	struct memory_config memory = { .world = &sim.world, .streams_max = 100,
					.bytes_max = 1 << 24, .idem_max = 100,
					.idem_window_ms = 120000, .bounds_of = bounds_of };
	struct hub_config hubs = { .streams_max = 100, .bytes_max = 1 << 24, .linger_ms = 60000,
				   .bounds_of = bounds_of };
	if (memory_new(&memory, &store) || hub_new(&hubs, &hub) ||
	    feed_new(&sim.world, hub, store, &feed))
		return -1;
	struct engine_config config = {
		.world = &sim.world, .hub = hub, .loop_count = 1, .sessions_max = 100,
		.sessions_per_address_max = 100, .heartbeat_ms = BEAT_MS, .dead_ms = DEAD_MS,
		.retry_min_ms = 1000, .retry_max_ms = 1000, .open_ms = 500, .attach = attach,
	};
	return engine_new(&config, &engine) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	engine_free(&engine);
	hub_free(&hub);
	feed_free(&feed);
	store->ops->free(&store);
	return mem_live() == 0 && !sim.misuse ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_open_block_stands_before_a_gap_that_is_not_told_yet),
		TEST(each_of_two_gaps_moves_only_its_own_stream),
		TEST(who_reads_slowly_behind_a_large_buffer_is_alive),
		TEST(who_reads_nothing_is_given_up),
		TEST(who_has_caught_up_hears_a_beat_in_time),
		TEST(a_frame_half_out_is_finished_before_another_streams),
		TEST(a_frame_half_out_is_not_begun_with_what_was_left_out),
		TEST(a_replay_gives_nothing_passing_behind_a_cut_frame),
		TEST(who_asked_for_few_flushes_hears_beats_between_them),
		TEST(a_flush_goes_on_until_all_is_out),
		TEST(a_stream_whose_end_was_lost_goes_on_behind_a_gap),
		TEST(an_answer_looks_behind_what_has_expired),
	};
	return cmocka_run_group_tests_name("found", tests, NULL, NULL);
}

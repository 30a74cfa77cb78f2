#include "delivery/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "stage.h"

static const struct tape_bounds usual = { .events_max = 1000, .bytes_max = 1 << 20,
					  .age_ms_max = 3600000 };

static uint64_t now_ms(void)
{
	return world_linux()->ops->now_ms(world_linux());
}

/* Turns the loop for this long, hearing what comes. False: the peer has closed. */
static bool hear_for(struct stage *stage, int client, struct buf *buf, uint64_t ms)
{
	bool open = true;
	uint64_t until_ms = now_ms() + ms;
	while (open && now_ms() < until_ms) {
		stage_turn(stage, 20);
		open = stage_hear(stage, client, buf);
	}
	return open;
}

static size_t count_of(const struct buf *buf, const char *text)
{
	size_t count = 0;
	for (size_t i = 0; i + strlen(text) <= buf->bytes; i++)
		count += memcmp(buf->at + i, text, strlen(text)) == 0;
	return count;
}

static void a_silent_stream_beats(void **state)
{
	(void)state;
	struct engine_config config = stage_config();
	config.heartbeat_ms = 200;
	struct stage stage;
	stage_init(&stage, config, usual);
	struct wanted wanted;
	int client;
	struct ticket ticket = stage_ticket(&wanted, "a", SESSION_SSE, &client);
	stage_adopt(&stage, &ticket);
	struct buf buf;
	buf_init(&buf, 1 << 20);
	assert_true(hear_for(&stage, client, &buf, 1100));
	assert_in_range(count_of(&buf, "\n:\n"), 3, 6);
	assert_false(heard(&buf, ":\n\n")); /* a blank line would make an event of it */
	buf_fini(&buf);
	close(client);
	stage_turn(&stage, 0);
	assert_int_equal(engine_counts(stage.engine).sessions_now, 0);
	stage_fini(&stage);
}

static void the_head_goes_out_while_the_backplane_is_silent(void **state)
{
	(void)state;
	struct stage stage;
	stage_init(&stage, stage_config(), usual);
	stage.dead = true;
	struct wanted wanted;
	int client;
	struct ticket ticket = stage_ticket(&wanted, "a", SESSION_SSE, &client);
	stage_adopt(&stage, &ticket);
	struct buf buf;
	buf_init(&buf, 1 << 20);
	assert_true(hear_for(&stage, client, &buf, 300));
	assert_true(slice_equal(buf_slice(&buf), SLICE(STAGE_HEAD ":\n")));
	stage.dead = false;
	struct stream *stream = hub_find(stage.hub, SLICE("a"));
	stream_lock(stream);
	stream_live_set(stream, true);
	stream_moved(stream);
	stream_unlock(stream);
	hub_put(stage.hub, &stream, now_ms());
	assert_true(stage_hear(&stage, client, &buf));
	assert_true(heard(&buf, ":\nevent: tapecast.open\n"));
	buf_fini(&buf);
	close(client);
	stage_turn(&stage, 0);
	stage_fini(&stage);
}

static void an_interval_flushes_once_a_window_and_drops_nothing(void **state)
{
	(void)state;
	struct stage stage;
	stage_init(&stage, stage_config(), usual);
	struct wanted wanted;
	int client;
	struct ticket ticket = stage_ticket(&wanted, "a", SESSION_SSE, &client);
	ticket.interval_ms = 300;
	stage_adopt(&stage, &ticket);
	struct buf buf;
	buf_init(&buf, 1 << 20);
	assert_true(stage_hear(&stage, client, &buf));
	assert_true(hear_for(&stage, client, &buf, 400));
	stage_say(&stage, "a", "first");
	assert_true(stage_hear(&stage, client, &buf));
	assert_true(heard(&buf, "data: first\n")); /* at once */
	for (int i = 0; i < 50; i++)
		stage_say(&stage, "a", "more");
	assert_true(stage_hear(&stage, client, &buf));
	assert_false(heard(&buf, "data: more\n"));
	uint64_t sends = engine_counts(stage.engine).sends;
	assert_true(hear_for(&stage, client, &buf, 500));
	assert_int_equal(count_of(&buf, "data: more\n"), 50);
	/* One, or two where the events lie on two of a young tape's small segments. */
	assert_in_range(engine_counts(stage.engine).sends, sends + 1, sends + 2);
	buf_fini(&buf);
	close(client);
	stage_turn(&stage, 0);
	stage_fini(&stage);
}

static void a_reader_that_stalls_is_closed_after_dead_ms(void **state)
{
	(void)state;
	struct engine_config config = stage_config();
	config.dead_ms = 300;
	config.heartbeat_ms = 200;
	struct stage stage;
	stage_init(&stage, config, usual);
	struct wanted wanted;
	int client;
	struct ticket ticket = stage_ticket(&wanted, "a", SESSION_SSE, &client);
	stage_adopt(&stage, &ticket);
	char big[60000];
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	for (int i = 0; i < 20; i++)
		stage_say(&stage, "a", big);
	uint64_t until_ms = now_ms() + 1500;
	while (now_ms() < until_ms && engine_counts(stage.engine).closed_dead == 0)
		stage_turn(&stage, 50);
	assert_int_equal(engine_counts(stage.engine).closed_dead, 1);
	close(client);
	stage_fini(&stage);
}

static void a_drain_tells_when_to_come_back_and_takes_nobody_in(void **state)
{
	(void)state;
	struct stage stage;
	stage_init(&stage, stage_config(), usual);
	struct wanted wanted;
	int client;
	struct ticket ticket = stage_ticket(&wanted, "a", SESSION_SSE, &client);
	stage_adopt(&stage, &ticket);
	struct buf buf;
	buf_init(&buf, 1 << 20);
	assert_true(stage_hear(&stage, client, &buf));
	engine_drain(stage.engine, 200);
	assert_false(hear_for(&stage, client, &buf, 1000));
	assert_true(heard(&buf, "\n\nretry: 1000\n"));
	assert_int_equal(engine_counts(stage.engine).closed_drain, 1);
	int late;
	ticket = stage_ticket(&wanted, "a", SESSION_SSE, &late);
	assert_int_equal(engine_adopt(stage.engine, stage.loop, &ticket), ERR_DRAINING);
	close(ticket.fd);
	close(late);
	close(client);
	buf_fini(&buf);
	stage_fini(&stage);
}

static void bounds_refuse_one_session_too_many(void **state)
{
	(void)state;
	struct engine_config config = stage_config();
	config.sessions_max = 3;
	config.sessions_per_address_max = 2;
	struct stage stage;
	stage_init(&stage, config, usual);
	struct wanted wanted;
	int clients[5];
	static const enum err want[] = { OK, OK, ERR_TOO_MANY, OK, ERR_TOO_MANY };
	for (int i = 0; i < 5; i++) {
		struct ticket ticket = stage_ticket(&wanted, "a", SESSION_SSE, &clients[i]);
		ticket.address[15] = i >= 3;
		assert_int_equal(engine_room(stage.engine, ticket.address), want[i]);
		assert_int_equal(engine_adopt(stage.engine, stage.loop, &ticket), want[i]);
		if (want[i])
			close(ticket.fd);
	}
	for (int i = 0; i < 5; i++)
		close(clients[i]);
	stage_turn(&stage, 0);
	assert_int_equal(engine_counts(stage.engine).sessions_now, 0);
	stage_fini(&stage);
}

struct answered {
	bool placed;
	int calls, frees;
};

static void answer(void *arg, struct stream *stream, const struct place *place, uint64_t ms,
		   struct buf *buf)
{
	(void)stream;
	(void)ms;
	struct answered *answered = arg;
	answered->calls++;
	answered->placed = place != NULL;
	buf_put_text(buf, "the answer");
}

static void answer_free(void *arg)
{
	((struct answered *)arg)->frees++;
}

static void an_answer_comes_with_the_first_event_or_after_its_wait(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct stage stage;
		stage_init(&stage, stage_config(), usual);
		struct wanted wanted;
		int client;
		struct answered answered = { 0 };
		struct ticket ticket = stage_ticket(&wanted, "a", SESSION_ANSWER, &client);
		ticket.wait_ms = 200;
		ticket.answer = answer;
		ticket.answer_free = answer_free;
		ticket.answer_arg = &answered;
		stage_adopt(&stage, &ticket);
		struct buf buf;
		buf_init(&buf, 1 << 20);
		assert_true(stage_hear(&stage, client, &buf));
		assert_int_equal(buf.bytes, 0);
		if (!late)
			stage_say(&stage, "a", "news");
		assert_false(hear_for(&stage, client, &buf, late ? 600 : 20));
		assert_true(slice_equal(buf_slice(&buf), SLICE("the answer")));
		assert_true(answered.placed);
		assert_int_equal(answered.calls, 1);
		assert_int_equal(answered.frees, 1);
		buf_fini(&buf);
		close(client);
		stage_fini(&stage);
	}
}

static int nothing_lives(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, nothing_lives)
	const struct CMUnitTest tests[] = {
		TEST(a_silent_stream_beats),
		TEST(the_head_goes_out_while_the_backplane_is_silent),
		TEST(an_interval_flushes_once_a_window_and_drops_nothing),
		TEST(a_reader_that_stalls_is_closed_after_dead_ms),
		TEST(a_drain_tells_when_to_come_back_and_takes_nobody_in),
		TEST(bounds_refuse_one_session_too_many),
		TEST(an_answer_comes_with_the_first_event_or_after_its_wait),
	};
	return cmocka_run_group_tests_name("timing", tests, NULL, NULL);
}

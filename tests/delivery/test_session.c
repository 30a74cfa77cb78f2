#include "delivery/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "stage.h"
#include "wire/encode.h"

static const struct tape_bounds usual = { .events_max = 1000, .bytes_max = 1 << 20,
					  .age_ms_max = 3600000 };

struct ear {
	struct stage stage;
	struct wanted wanted[2];
	int client;
	struct buf buf;
};

static void ear_open(struct ear *ear, struct tape_bounds bounds)
{
	stage_init(&ear->stage, stage_config(), bounds);
	buf_init(&ear->buf, 1 << 24);
	ear->client = -1;
}

static void ear_listen(struct ear *ear, enum session_form form, struct start start)
{
	struct ticket ticket = stage_ticket(ear->wanted, "a", form, &ear->client);
	ear->wanted[0].start = start;
	stage_adopt(&ear->stage, &ticket);
}

static void ear_close(struct ear *ear)
{
	if (ear->client >= 0)
		close(ear->client);
	stage_turn(&ear->stage, 0);
	stage_fini(&ear->stage);
	buf_fini(&ear->buf);
}

static void the_head_then_the_open_block_with_an_id_come_first(void **state)
{
	(void)state;
	struct ear ear;
	ear_open(&ear, usual);
	ear_listen(&ear, SESSION_SSE, (struct start){ .kind = START_NOW });
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	assert_memory_equal(ear.buf.at, STAGE_HEAD "event: tapecast.open\nretry: 1000\ndata: {",
			    sizeof STAGE_HEAD "event: tapecast.open\nretry: 1000\ndata: {" - 1);
	assert_true(heard(&ear.buf, "\"recovered\":false}\nid: 0\n\n"));
	ear_close(&ear);
}

static void live_events_arrive_as_the_encoder_wrote_them(void **state)
{
	(void)state;
	struct ear ear;
	ear_open(&ear, usual);
	ear_listen(&ear, SESSION_SSE, (struct start){ .kind = START_NOW });
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	buf_reset(&ear.buf);
	struct position position = stage_say(&ear.stage, "a", "one\ntwo");
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	struct buf want;
	buf_init(&want, 4096);
	assert_int_equal(encode_sse(&(struct encode_event){ .data = SLICE("one\ntwo"),
							    .position = position,
							    .has_position = true }, &want), OK);
	assert_true(slice_equal(buf_slice(&want), buf_slice(&ear.buf)));
	buf_fini(&want);
	ear_close(&ear);
}

static void a_resume_gives_exactly_the_rest(void **state)
{
	(void)state;
	for (int cut = 0; cut < 5; cut++) {
		struct ear ear;
		ear_open(&ear, usual);
		struct position at[5];
		for (int i = 0; i < 5; i++) {
			char text[24];
			snprintf(text, sizeof text, "event-%d", i);
			at[i] = stage_say(&ear.stage, "a", text);
		}
		ear_listen(&ear, SESSION_SSE, (struct start){ .kind = START_AFTER, .after = at[cut],
							      .otherwise = START_OLDEST });
		assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
		assert_true(heard(&ear.buf, "\"recovered\":true"));
		for (int i = 0; i < 5; i++) {
			char text[24];
			snprintf(text, sizeof text, "event-%d", i);
			assert_int_equal(heard(&ear.buf, text), i > cut);
		}
		assert_false(heard(&ear.buf, "tapecast.gap"));
		ear_close(&ear);
	}
}

/* A listener whose socket holds little reads in sips: whatever is cut, the bytes are the tape's. */
static void sip(enum session_form form, size_t event_bytes, unsigned count)
{
	struct ear ear;
	ear_open(&ear, usual);
	ear_listen(&ear, form, (struct start){ .kind = START_OLDEST });
	int small = 4096;
	assert_int_equal(setsockopt(ear.client, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	struct buf want;
	buf_init(&want, 1 << 24);
	for (unsigned i = 0; i < count; i++) {
		struct buf data;
		buf_init(&data, 1 << 20);
		buf_putf(&data, "%u:", i);
		while (data.bytes < event_bytes)
			buf_put_byte(&data, (char)('a' + i % 26));
		struct position position = stage_tell(&ear.stage, "a",
						      (struct draft){ .data = buf_slice(&data) });
		const struct encode_event event = {
			.stream = SLICE("a"), .data = buf_slice(&data), .position = position,
			.has_position = true, .wall_ms = 1700000000000,
		};
		if (form == SESSION_SSE)
			assert_int_equal(encode_sse(&event, &want), OK);
		else
			assert_int_equal(encode_json(&event, &want), OK);
		if (form == SESSION_NDJSON)
			buf_put_byte(&want, '\n');
		buf_fini(&data);
		if (i % 7 == 0) {
			char sipped[1000];
			stage_turn(&ear.stage, 0);
			ssize_t got = recv(ear.client, sipped, sizeof sipped, MSG_DONTWAIT);
			if (got > 0)
				buf_put(&ear.buf, slice_from(sipped, (size_t)got));
		}
	}
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	assert_true(ear.buf.bytes > want.bytes);
	assert_memory_equal(ear.buf.at + ear.buf.bytes - want.bytes, want.at, want.bytes);
	buf_fini(&want);
	ear_close(&ear);
}

static void short_writes_change_no_byte(void **state)
{
	(void)state;
	sip(SESSION_SSE, 100, 900);
	sip(SESSION_SSE, 9000, 100);
	sip(SESSION_SSE, 300000, 3);
	sip(SESSION_NDJSON, 100, 900);
	sip(SESSION_NDJSON, 9000, 100);
}

static size_t count_of(const struct buf *buf, const char *text)
{
	size_t count = 0;
	const char *at = buf->at;
	const char *end = buf->at + buf->bytes;
	while ((at = memmem(at, (size_t)(end - at), text, strlen(text)))) {
		count++;
		at++;
	}
	return count;
}

static void stitched_frames_survive_short_writes(void **state)
{
	(void)state;
	for (int form = SESSION_SSE_ENVELOPE; form <= SESSION_NDJSON; form++) {
		struct ear ear;
		ear_open(&ear, usual);
		struct ticket ticket = stage_ticket(ear.wanted, "a", (enum session_form)form,
						    &ear.client);
		ear.wanted[1] = (struct wanted){ .name = SLICE("b"), .start.kind = START_NOW };
		ticket.wanted_count = 2;
		stage_adopt(&ear.stage, &ticket);
		char big[9000];
		memset(big, 'x', sizeof big - 1);
		big[sizeof big - 1] = '\0';
		for (int i = 0; i < 100; i++) {
			stage_say(&ear.stage, i % 2 ? "a" : "b", big);
			if (i % 10 == 0)
				stage_turn(&ear.stage, 0);
		}
		assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
		assert_int_equal(count_of(&ear.buf, big), 100);
		assert_int_equal(count_of(&ear.buf, "m1."), form == SESSION_NDJSON ? 101 : 101);
		assert_false(heard(&ear.buf, "tapecast.gap"));
		ear_close(&ear);
	}
}

static void a_reader_that_is_overtaken_is_told_and_goes_on(void **state)
{
	(void)state;
	struct ear ear;
	ear_open(&ear, (struct tape_bounds){ .events_max = 10, .bytes_max = 1 << 20,
					     .age_ms_max = 3600000 });
	ear_listen(&ear, SESSION_SSE, (struct start){ .kind = START_NOW });
	char data[3000];
	memset(data, 'x', sizeof data - 1);
	data[sizeof data - 1] = '\0';
	for (int i = 0; i < 500; i++) {
		stage_say(&ear.stage, "a", data);
		stage_turn(&ear.stage, 0);
	}
	stage_say(&ear.stage, "a", "the newest");
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	assert_true(heard(&ear.buf, "event: tapecast.gap\ndata: {\"stream\":\"a\""));
	assert_true(heard(&ear.buf, "\"reason\":\"skipped\""));
	assert_true(heard(&ear.buf, "data: the newest\n"));
	ear_close(&ear);
}

static void an_end_is_told_and_closes_and_a_finished_reader_gets_204(void **state)
{
	(void)state;
	struct ear ear;
	ear_open(&ear, usual);
	ear_listen(&ear, SESSION_SSE, (struct start){ .kind = START_NOW });
	struct position last = stage_say(&ear.stage, "a", "last words");
	stage_end(&ear.stage, "a", END_COMPLETE);
	assert_false(stage_hear(&ear.stage, ear.client, &ear.buf));
	assert_true(heard(&ear.buf, "event: tapecast.end\ndata: {\"stream\":\"a\","
				    "\"state\":\"complete\"}\nid: "));
	close(ear.client);
	buf_reset(&ear.buf);
	ear_listen(&ear, SESSION_SSE, (struct start){ .kind = START_AFTER, .after = last });
	assert_false(stage_hear(&ear.stage, ear.client, &ear.buf));
	assert_true(slice_equal(buf_slice(&ear.buf), SLICE(STAGE_FINISHED)));
	ear_close(&ear);
}

static void an_end_that_the_store_has_lost_is_not_the_end(void **state)
{
	(void)state;
	struct ear ear;
	ear_open(&ear, usual);
	struct ticket ticket = stage_ticket(ear.wanted, "a", SESSION_SSE_ENVELOPE, &ear.client);
	ear.wanted[1] = (struct wanted){ .name = SLICE("b"), .start.kind = START_NOW };
	ticket.wanted_count = 2;
	stage_adopt(&ear.stage, &ticket);
	struct position kept = stage_say(&ear.stage, "a", "kept");
	stage_end(&ear.stage, "a", END_COMPLETE);
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	assert_true(heard(&ear.buf, "tapecast.end"));
	stage_say(&ear.stage, "b", "still here");
	struct stream *stream = hub_find(ear.stage.hub, SLICE("a"));
	struct gap gap = { .reason = GAP_REWOUND, .next = kept };
	stream_lock(stream);
	assert_int_equal(tape_fork(stream_tape(stream), &gap), OK);
	stream_moved(stream);
	stream_unlock(stream);
	hub_put(ear.stage.hub, &stream, 1);
	stage_say(&ear.stage, "a", "goes on");
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	assert_true(heard(&ear.buf, "still here"));
	assert_true(heard(&ear.buf, "\"reason\":\"rewound\""));
	assert_true(heard(&ear.buf, "goes on"));
	stage_end(&ear.stage, "a", END_COMPLETE);
	stage_end(&ear.stage, "b", END_COMPLETE);
	assert_false(stage_hear(&ear.stage, ear.client, &ear.buf));
	ear_close(&ear);
}

static void passing_events_are_for_those_who_listen(void **state)
{
	(void)state;
	struct ear ear;
	ear_open(&ear, usual);
	stage_say(&ear.stage, "a", "kept");
	stage_tell(&ear.stage, "a", (struct draft){ .data = SLICE("before"), .ephemeral = true });
	ear_listen(&ear, SESSION_SSE, (struct start){ .kind = START_OLDEST });
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	stage_tell(&ear.stage, "a", (struct draft){ .data = SLICE("typing"), .ephemeral = true });
	assert_true(stage_hear(&ear.stage, ear.client, &ear.buf));
	assert_true(heard(&ear.buf, "data: kept\n"));
	assert_false(heard(&ear.buf, "data: before\n"));
	assert_true(heard(&ear.buf, "data: typing\n\n"));
	ear_close(&ear);
}

static void one_event_to_a_thousand_sessions_allocates_a_constant_number_of_times(void **state)
{
	(void)state;
	struct ear ear;
	ear_open(&ear, usual);
	int clients[1000];
	for (int i = 0; i < 1000; i++) {
		struct ticket ticket = stage_ticket(ear.wanted, "a", SESSION_SSE, &clients[i]);
		stage_adopt(&ear.stage, &ticket);
	}
	stage_turn(&ear.stage, 0);
	stage_say(&ear.stage, "a", "warm");
	stage_turn(&ear.stage, 0);
	uint64_t before = mem_calls();
	stage_say(&ear.stage, "a", "counted");
	stage_turn(&ear.stage, 0);
	assert_true(mem_calls() - before <= 4);
	assert_int_equal(engine_counts(ear.stage.engine).events_sent, 2000);
	for (int i = 0; i < 1000; i++)
		close(clients[i]);
	ear_close(&ear);
}

static void a_failed_adoption_leaves_the_socket_to_the_caller(void **state)
{
	(void)state;
	struct ear ear;
	ear_open(&ear, usual);
	bool adopted = false;
	for (long n = 0; !adopted && n < 100; n++) {
		struct ticket ticket = stage_ticket(ear.wanted, "a", SESSION_SSE, &ear.client);
		mem_fail_after(n);
		enum err err = engine_adopt(ear.stage.engine, ear.stage.loop, &ticket);
		mem_fail_after(-1);
		if (err) {
			assert_int_equal(close(ticket.fd), 0);
		} else {
			/* Adopted, but it may have been closed for want of memory just after. */
			stage_turn(&ear.stage, 0);
			adopted = engine_counts(ear.stage.engine).sessions_now == 1;
		}
		if (!adopted)
			close(ear.client);
	}
	assert_true(adopted);
	ear_close(&ear);
}

static int nothing_lives(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1; /* every test gives back what it took */
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, nothing_lives)
	const struct CMUnitTest tests[] = {
		TEST(the_head_then_the_open_block_with_an_id_come_first),
		TEST(live_events_arrive_as_the_encoder_wrote_them),
		TEST(a_resume_gives_exactly_the_rest),
		TEST(short_writes_change_no_byte),
		TEST(stitched_frames_survive_short_writes),
		TEST(a_reader_that_is_overtaken_is_told_and_goes_on),
		TEST(an_end_is_told_and_closes_and_a_finished_reader_gets_204),
		TEST(an_end_that_the_store_has_lost_is_not_the_end),
		TEST(passing_events_are_for_those_who_listen),
		TEST(one_event_to_a_thousand_sessions_allocates_a_constant_number_of_times),
		TEST(a_failed_adoption_leaves_the_socket_to_the_caller),
	};
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}

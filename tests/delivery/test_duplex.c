/* A session whose peer talks. */
#include "delivery/duplex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"
#include "play.h"
#include "wire/ws.h"

static struct play play;
static struct buf buf; /* what the peer has got, frames without their heads */
static struct buf raw;
static struct buf input; /* what has come up */
static struct session *session;
static unsigned closed_count;
static size_t takes; /* of each call of input; SIZE_MAX: all */
static uint16_t close_code;
static unsigned pings;
static int fd;

static size_t on_input(void *arg, struct session *of, struct slice bytes)
{
	(void)arg;
	session = of;
	size_t used = bytes.bytes < takes ? bytes.bytes : takes;
	buf_put(&input, slice_from(bytes.at, used));
	return used;
}

static enum err on_subscribed(void *arg, struct slice stream, struct slice ref,
			      const struct position *at, bool recovered, struct buf *out)
{
	(void)arg;
	char text[300], id[POSITION_TEXT_MAX];
	position_format(at, id);
	int bytes = snprintf(text, sizeof text, "<%.*s %.*s %s %d>", (int)ref.bytes,
			     ref.bytes ? ref.at : "", (int)stream.bytes, stream.at, id, recovered);
	return ws_frame(WS_TEXT, slice_from(text, (size_t)bytes), out);
}

static void on_closed(void *arg, struct session *of)
{
	(void)arg;
	(void)of;
	closed_count++;
	session = NULL;
}

static const struct duplex duplex = { on_input, on_subscribed, on_closed, NULL, 0 };

static void send_up(const char *text)
{
	sim_client_write(play.world, fd, slice_of(text));
	play_turn(&play, 0);
}

static void connect_as(struct bearer *bearer)
{
	fd = play_connect(&play);
	struct ticket ticket = { .fd = fd, .form = SESSION_WS, .notices = true,
				 .head = SLICE("101\n"), .duplex = &duplex, .bearer = bearer };
	assert_int_equal(engine_adopt(play.engine, play.loop, &ticket), OK);
	send_up("!");
	assert_non_null(session);
}

/* Takes the frames apart. False: the server has closed. */
static bool hear(void)
{
	bool open = play_hear(&play, fd, &raw);
	struct slice rest = buf_slice(&raw);
	if (slice_starts(rest, SLICE("101\n")))
		rest = slice_from(rest.at + 4, rest.bytes - 4);
	struct ws_reader reader;
	struct slice payload;
	ws_reader_init(&reader, WS_CLIENT, 1 << 20, 1);
	enum ws_found found;
	while ((found = ws_read(&reader, &rest, &payload)) != WS_FOUND_NOTHING) {
		assert_int_not_equal(found, WS_FOUND_BROKEN);
		pings += found == WS_FOUND_PING;
		if (found == WS_FOUND_CLOSE) {
			close_code = reader.code;
			break;
		}
		buf_put(&buf, payload);
		buf_put_byte(&buf, '\n');
	}
	ws_reader_fini(&reader);
	buf_reset(&raw);
	return open;
}

static enum err subscribe(const char *stream, enum start_kind kind, const char *ref)
{
	struct wanted wanted = { .name = slice_of(stream), .start.kind = kind };
	enum err err = session_subscribe(session, &wanted, slice_of(ref));
	err_note_clear();
	return err;
}

static void bytes_come_up_in_order_and_wait_where_they_are_not_wanted(void **state)
{
	(void)state;
	connect_as(NULL);
	takes = 2;
	send_up("abcdef");
	send_up("ghi");
	assert_true(slice_equal(buf_slice(&input), SLICE("!ab")));
	session_read_on(session);
	assert_true(slice_equal(buf_slice(&input), SLICE("!abcd")));
	takes = SIZE_MAX;
	session_read_on(session);
	assert_true(slice_equal(buf_slice(&input), SLICE("!abcdefghi")));
}

static void an_answer_comes_before_its_events_and_each_stream_has_its_own_ids(void **state)
{
	(void)state;
	play_say(&play, "a", "old");
	connect_as(NULL);
	assert_int_equal(subscribe("a", START_OLDEST, "r1"), OK);
	assert_int_equal(subscribe("b", START_NOW, "r2"), OK);
	assert_int_equal(subscribe("a", START_NOW, "r3"), ERR_CONFLICT);
	assert_true(session_listens(session, SLICE("b")));
	play_turn(&play, 0);
	play_say(&play, "b", "new");
	assert_true(hear());
	const char *answer = memmem(buf.at, buf.bytes, "<r1 a 0 0>", 10);
	const char *event = memmem(buf.at, buf.bytes, "\"data\":\"old\"", 12);
	assert_true(answer && event && answer < event);
	assert_true(has(&buf, "<r2 b 0 0>\n"));
	assert_true(has(&buf, "{\"op\":\"event\",\"stream\":\"b\",\"id\":\""));
	assert_false(has(&buf, "cursor"));
	assert_int_equal(session_unsubscribe(session, SLICE("b")), OK);
	assert_int_equal(session_unsubscribe(session, SLICE("b")), ERR_NOT_FOUND);
	err_note_clear();
	play_say(&play, "b", "unheard");
	play_end(&play, "a");
	assert_true(hear());
	assert_false(has(&buf, "unheard"));
	assert_true(has(&buf, "{\"op\":\"end\",\"id\":\""));
	assert_true(has(&buf, ",\"stream\":\"a\",\"state\":\"complete\"}"));
}

static void a_cold_stream_is_answered_when_it_is_live(void **state)
{
	(void)state;
	connect_as(NULL);
	play.dead = true;
	assert_int_equal(subscribe("a", START_NOW, ""), OK);
	play_turn(&play, 1000);
	assert_true(hear());
	assert_int_equal(buf.bytes, 0);
	play_live(&play, "a");
	play_turn(&play, 0);
	play_say(&play, "a", "x");
	assert_true(hear());
	assert_true(has(&buf, "< a 0 0>\n{\"op\":\"event\""));
}

static void what_is_said_goes_out_and_too_much_of_it_ends_the_session(void **state)
{
	(void)state;
	char text[4000];
	memset(text, 'x', sizeof text);
	struct buf frame;
	buf_init(&frame, 8192);
	assert_int_equal(ws_frame(WS_TEXT, slice_from(text, sizeof text), &frame), OK);
	connect_as(NULL);
	assert_int_equal(session_say(session, buf_slice(&frame)), OK);
	assert_true(hear());
	assert_int_equal(buf.bytes, sizeof text + 1);
	enum err err = OK;
	int count = 0;
	for (; err == OK && count < 100; count++)
		err = session_say(session, buf_slice(&frame));
	assert_int_equal(err, ERR_FULL);
	assert_in_range(count, 10, 20); /* the kernel's 32 KiB, and ours */
	assert_int_equal(closed_count, 1);
	assert_int_equal(engine_counts(play.engine).closed_overtaken, 1);
	buf_fini(&frame);
}

static void a_peer_that_is_silent_is_pinged_and_then_given_up(void **state)
{
	(void)state;
	connect_as(NULL);
	play_turn(&play, 16000);
	assert_true(hear());
	assert_int_equal(pings, 1);
	send_up("pong");
	play_turn(&play, 40000);
	assert_true(hear());
	assert_in_range(pings, 3, 4);
	play_turn(&play, 6000);
	assert_false(hear());
	assert_int_equal(engine_counts(play.engine).closed_dead, 1);
	assert_int_equal(closed_count, 1);
}

static void events_do_not_stand_in_for_a_ping(void **state)
{
	(void)state;
	connect_as(NULL);
	assert_int_equal(subscribe("a", START_NOW, ""), OK);
	for (int i = 0; i < 60 && closed_count == 0; i++) {
		play_say(&play, "a", "x");
		play_turn(&play, 1000);
		(void)hear();
	}
	assert_int_equal(closed_count, 1);
	assert_true(pings > 0);
}

static struct bearer *bearer_of(const char *sub, uint64_t ms)
{
	struct bearer *bearer = NULL;
	struct bearer_terms terms = { .expires_ms = play_wall_ms(&play) + ms,
				      .sub = slice_of(sub) };
	assert_int_equal(bearer_new(&terms, &bearer), OK);
	return bearer;
}

static void a_lapsed_token_is_told_and_closed_with_its_code(void **state)
{
	(void)state;
	struct bearer *bearer = bearer_of("ann", 10000);
	connect_as(bearer);
	assert_int_equal(subscribe("a", START_NOW, ""), OK);
	play_turn(&play, 5100);
	assert_true(hear());
	assert_true(has(&buf, "{\"op\":\"auth_expiring\",\"in\":5}\n"));
	play_turn(&play, 5000);
	play_say(&play, "a", "late");
	assert_true(hear());
	assert_int_equal(close_code, WS_CODE_AUTH);
	assert_false(has(&buf, "late"));
	assert_int_equal(session_say(session, SLICE("x")), ERR_CLOSED);
	play_turn(&play, 1100); /* the peer does not answer */
	assert_false(hear());
	assert_int_equal(engine_counts(play.engine).closed_expired, 1);
	bearer_unref(&bearer);
}

static bool may_read(void *arg, const struct bearer *bearer, struct slice stream)
{
	(void)arg;
	return !bearer || !slice_equal(stream, SLICE("secret"));
}

static void a_new_token_takes_the_streams_it_may_not_hear(void **state)
{
	(void)state;
	connect_as(NULL);
	struct bearer *ann = bearer_of("ann", 60000), *bob = bearer_of("bob", 60000);
	assert_int_equal(subscribe("secret", START_NOW, ""), OK);
	assert_int_equal(session_set_bearer(session, ann), OK);
	assert_ptr_equal(session_bearer(session), ann);
	assert_int_equal(session_set_bearer(session, bob), ERR_DENIED);
	err_note_clear();
	play_say(&play, "secret", "hidden");
	assert_true(hear());
	assert_true(has(&buf, "{\"op\":\"error\",\"code\":\"forbidden\",\"stream\":\"secret\"}"));
	assert_false(has(&buf, "hidden"));
	bearer_unref(&ann);
	bearer_unref(&bob);
}

static void who_has_said_goodbye_is_closed_at_once(void **state)
{
	(void)state;
	connect_as(NULL);
	session_finish(session, SLICE("\x88\x02\x03\xe8"), true);
	assert_false(hear());
	assert_int_equal(close_code, WS_CODE_DONE);
	assert_int_equal(engine_counts(play.engine).closed_end, 1);
	assert_int_equal(closed_count, 1);
}

static void a_drain_says_that_the_node_goes_away(void **state)
{
	(void)state;
	connect_as(NULL);
	engine_drain(play.engine, 1000);
	play_turn(&play, 1100);
	(void)hear();
	assert_int_equal(close_code, WS_CODE_AWAY);
	sim_client_close(play.world, fd);
	play_turn(&play, 0);
	assert_int_equal(engine_counts(play.engine).closed_drain, 1);
	assert_int_equal(engine_counts(play.engine).sessions_now, 0);
}

static void who_reads_slowly_gets_whole_frames_all_the_same(void **state)
{
	(void)state;
	char text[6000];
	memset(text, 'y', sizeof text - 1);
	text[sizeof text - 1] = 0;
	connect_as(NULL);
	assert_int_equal(subscribe("a", START_NOW, ""), OK);
	assert_int_equal(subscribe("b", START_NOW, ""), OK);
	play_turn(&play, 0);
	for (int i = 0; i < 10; i++) {
		play_say(&play, i % 2 ? "a" : "b", text);
		play_turn(&play, 0);
	}
	assert_int_equal(session_say(session, SLICE("\x81\x02hi")), OK);
	assert_true(hear());
	assert_true(has(&buf, "\nhi\n"));
	unsigned events = 0;
	for (size_t i = 0; i + 7 < buf.bytes; i++)
		events += memcmp(buf.at + i, "\"event\"", 7) == 0;
	assert_int_equal(events, 10);
}

static int setup(void **state)
{
	(void)state;
	struct engine_config config = play_config();
	config.may_read = may_read;
	play_init(&play, config);
	buf_init(&buf, 1 << 20);
	buf_init(&raw, 1 << 20);
	buf_init(&input, 1 << 20);
	closed_count = pings = close_code = 0;
	takes = SIZE_MAX;
	session = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	play_fini(&play);
	buf_fini(&buf);
	buf_fini(&raw);
	buf_fini(&input);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(bytes_come_up_in_order_and_wait_where_they_are_not_wanted),
		TEST(an_answer_comes_before_its_events_and_each_stream_has_its_own_ids),
		TEST(a_cold_stream_is_answered_when_it_is_live),
		TEST(what_is_said_goes_out_and_too_much_of_it_ends_the_session),
		TEST(a_peer_that_is_silent_is_pinged_and_then_given_up),
		TEST(events_do_not_stand_in_for_a_ping),
		TEST(a_lapsed_token_is_told_and_closed_with_its_code),
		TEST(a_new_token_takes_the_streams_it_may_not_hear),
		TEST(who_has_said_goodbye_is_closed_at_once),
		TEST(a_drain_says_that_the_node_goes_away),
		TEST(who_reads_slowly_gets_whole_frames_all_the_same),
	};
	return cmocka_run_group_tests_name("duplex", tests, NULL, NULL);
}

/*
 * door: the front, whole, over loopback: who is taken in, who waits, who is handed over, who is
 * not.
 */
#include "lobby.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#define LISTEN "GET /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_PAGE "GET /v1/streams/s?from=start&limit=1000 HTTP/1.1\r\nHost: h\r\n" \
	"Accept: application/json\r\n\r\n"
#define CHUNKED(type) \
	"POST /v1/streams/s HTTP/1.1\r\nHost: h\r\nContent-Type: " type "\r\n" \
	"Transfer-Encoding: chunked\r\n\r\n"

static struct lobby lobby;
static struct buf heard;

/* The request's text, for a while. */
static const char *post(const char *path, const char *body)
{
	static char texts[8][512];
	static unsigned next;
	char *text = texts[next++ % 8];
	int bytes = snprintf(text, sizeof texts[0],
			     "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s", path,
			     strlen(body), body);
	assert_in_range(bytes, 1, sizeof texts[0] - 1);
	return text;
}

static int setup(void **state)
{
	(void)state;
	lobby_init(&lobby);
	buf_init(&heard, 1 << 22);
	return 0;
}

static int teardown(void **state)
{
	lobby_close(&lobby);
	buf_fini(&heard);
	return gives_back_all(state);
}

static void assert_heard(const char *text)
{
	if (!heard.bytes || !memmem(heard.at, heard.bytes, text, strlen(text)))
		fail_msg("\"%s\" is not in \"%.*s\"", text, (int)heard.bytes, heard.at);
}

static size_t heard_count(const char *text)
{
	size_t count = 0;
	const char *at = heard.at;
	while ((at = memmem(at, heard.bytes - (size_t)(at - heard.at), text, strlen(text)))) {
		count++;
		at += strlen(text);
	}
	return count;
}

static void listens(enum takeover_way way)
{
	lobby.way = way;
	lobby_open(&lobby);
	int fd = lobby_connect(&lobby);
	lobby_send(fd, LISTEN);
	assert_true(lobby_expect(&lobby, fd, &heard, "id: 0\n\n"));
	assert_int_equal(engine_counts(lobby.engine).sessions_now, 1);
	struct buf answer;
	buf_init(&answer, 65536);
	assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "hello"), &answer), 201);
	assert_true(lobby_expect(&lobby, fd, &heard, "data: hello\n"));
	/* a page is handed over too, and closes */
	assert_int_equal(lobby_ask(&lobby, "GET /v1/streams/s?from=start HTTP/1.1\r\nHost: h\r\n"
					   "Accept: application/json\r\n\r\n", &answer), 200);
	assert_non_null(memmem(answer.at, answer.bytes, "\"up_to_date\":true}", 18));
	buf_fini(&answer);
	assert_int_equal(close(fd), 0);
	for (int i = 0; i < 200 && engine_counts(lobby.engine).sessions_now; i++)
		lobby_turn(&lobby, 1);
	assert_int_equal(engine_counts(lobby.engine).sessions_now, 0);
}

static void a_listener_s_socket_is_handed_over(void **state)
{
	(void)state;
	listens(TAKEOVER_DUP);
}

static void and_so_it_is_by_the_other_way(void **state)
{
	(void)state;
	listens(TAKEOVER_SWAP);
}

static void two_addresses_are_one_guest(void **state)
{
	(void)state;
	lobby.gate_count = 2;
	lobby_open(&lobby);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "x"), &heard), 201);
		lobby.address[0] = lobby.address[1];
	}
}

static void a_publish_waits_for_the_backplane_and_others_do_not_wait_for_it(void **state)
{
	(void)state;
	lobby_open(&lobby);
	lobby.holds = true;
	int fd = lobby_connect(&lobby);
	lobby_send(fd, post("/v1/streams/s", "late"));
	lobby_turn(&lobby, 5);
	assert_int_equal(lobby.held_count, 1);
	assert_true(door_busy(lobby.door));
	assert_false(door_idle(lobby.door));
	assert_int_equal(lobby_ask(&lobby, "GET /healthz/live HTTP/1.1\r\nHost: h\r\n\r\n", &heard),
			 200);

	buf_reset(&heard);
	lobby_release(&lobby);
	assert_true(lobby_expect(&lobby, fd, &heard, "\"id\":"));
	assert_heard("HTTP/1.1 201 Created\r\n");
	assert_false(door_busy(lobby.door));
	/* and the connection serves on */
	buf_reset(&heard);
	lobby_send(fd, "HEAD /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n");
	lobby_turn(&lobby, 3);
	lobby_release(&lobby);
	assert_true(lobby_expect(&lobby, fd, &heard, "Tapecast-Count: 1\r\n"));
	buf_reset(&heard);
	lobby_send(fd, "DELETE /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n");
	lobby_turn(&lobby, 3);
	lobby_release(&lobby);
	assert_true(lobby_expect(&lobby, fd, &heard, "HTTP/1.1 204 No Content\r\n"));
	assert_int_equal(close(fd), 0);
}

static void what_the_backplane_refuses_is_told(void **state)
{
	(void)state;
	static const struct {
		enum err err;
		unsigned status;
	} rows[] = {
		{ ERR_UNAVAILABLE, 503 }, { ERR_TIMEOUT, 504 }, { ERR_FULL, 507 }, { ERR_NOMEM, 503 },
		{ ERR_ENDED, 409 }, { ERR_CONFLICT, 412 }, { ERR_KEY_REUSED, 422 },
	};
	lobby_open(&lobby);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		lobby.refuses = rows[i].err;
		assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "x"), &heard),
				 rows[i].status);
		assert_heard("refused as told");
		assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s?ephemeral=1", "x"),
					   &heard), rows[i].status);
		assert_int_equal(lobby_ask(&lobby, "DELETE /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n",
					   &heard), rows[i].status);
		assert_int_equal(lobby_ask(&lobby, post("/v1/publish", "[{\"stream\":\"s\",\"data\":1}]"),
					   &heard), 207);
		assert_heard("refused as told");
		assert_int_equal(lobby_ask(&lobby, "GET /healthz/ready HTTP/1.1\r\nHost: h\r\n\r\n",
					   &heard), 503);
	}
}

static void lines_wait_their_turn_and_keep_their_order(void **state)
{
	(void)state;
	lobby_open(&lobby);
	lobby.holds = true;
	int fd = lobby_connect(&lobby);
	lobby_send(fd, CHUNKED("application/x-ndjson"));
	int sent = 0;
	for (int i = 0; i < 20; i++) {
		char lines[1024] = "";
		size_t bytes = 0;
		for (int j = 0; j < 20; j++)
			bytes += (size_t)snprintf(lines + bytes, sizeof lines - bytes,
						  "{\"data\":%d}\n", sent++);
		char chunk[1200];
		(void)snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n", bytes, lines);
		lobby_send(fd, chunk);
	}
	lobby_send(fd, "0\r\n\r\n");
	for (int i = 0; i < 100 && !heard.bytes; i++) {
		lobby_turn(&lobby, 2);
		(void)lobby_hear(&lobby, fd, &heard, 1);
		assert_in_range(lobby.held_count, 0, 1); /* one question at a time */
		lobby_release(&lobby);
	}
	assert_heard("HTTP/1.1 201 ");
	assert_heard("\"count\":400}");
	assert_in_range(lobby.group_max, 2, BACKPLANE_GROUP_MAX);
	assert_in_range(lobby.publishes, 400 / BACKPLANE_GROUP_MAX, 40);
	lobby.holds = false;
	assert_int_equal(close(fd), 0);

	buf_reset(&heard);
	assert_int_equal(lobby_ask(&lobby, GET_PAGE, &heard), 200);
	int next = 0;
	for (const char *at = heard.at; (at = strstr(at, "\"data\":")); at++, next++)
		assert_int_equal(strtol(at + 7, NULL, 10), next);
	assert_int_equal(next, 400);
}

static void a_broken_line_waits_for_those_before_it(void **state)
{
	(void)state;
	lobby_open(&lobby);
	lobby.holds = true;
	int fd = lobby_connect(&lobby);
	lobby_send(fd, CHUNKED("application/x-ndjson") "1d\r\n{\"data\":1}\n{\"data\":2}\nbroken\n\r\n");
	lobby_turn(&lobby, 5);
	assert_int_equal(lobby.held_count, 1);
	lobby_release(&lobby);
	assert_true(lobby_ended(&lobby, fd, &heard)); /* though the body goes on */
	assert_heard("HTTP/1.1 400 ");
	assert_heard("\"line\":3,\"published\":2,\"first\":");
	assert_int_equal(close(fd), 0);
	lobby_turn(&lobby, 3);
}

static void a_refusal_ends_a_long_request_at_once(void **state)
{
	(void)state;
	lobby_open(&lobby);
	lobby.holds = true;
	int fd = lobby_connect(&lobby);
	lobby_send(fd, CHUNKED("text/event-stream") "9\r\ndata: x\n\n\r\n");
	lobby_turn(&lobby, 5);
	assert_int_equal(lobby.held_count, 1);
	lobby.refuses = ERR_UNAVAILABLE;
	lobby_release(&lobby);
	assert_true(lobby_ended(&lobby, fd, &heard));
	assert_heard("HTTP/1.1 503 ");
	assert_heard("\"published\":0}");
	assert_int_equal(close(fd), 0);
	lobby_turn(&lobby, 3);
	assert_true(door_idle(lobby.door));
}

static void a_batch_waits_group_by_group(void **state)
{
	(void)state;
	lobby_open(&lobby);
	lobby.holds = true;
	int fd = lobby_connect(&lobby);
	lobby_send(fd, post("/v1/publish", "[{\"stream\":\"a\",\"data\":1},"
					   "{\"stream\":\"b\",\"data\":2},"
					   "{\"stream\":\"a\",\"data\":3}]"));
	for (int i = 0; i < 50 && !heard.bytes; i++) {
		lobby_turn(&lobby, 2);
		lobby_release(&lobby);
		(void)lobby_hear(&lobby, fd, &heard, 1);
	}
	assert_heard("HTTP/1.1 201 ");
	assert_int_equal(heard_count("\"id\":"), 3);
	assert_int_equal(lobby.publishes, 2); /* both of a at once */
	assert_int_equal(lobby.group_max, 2);
	assert_int_equal(close(fd), 0);
}

static void a_client_that_leaves_while_it_waits_costs_nothing(void **state)
{
	(void)state;
	const char *const requests[] = {
		post("/v1/streams/s", "x"), post("/v1/streams/s?end=complete", "x"),
		"HEAD /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n",
		"DELETE /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n",
		CHUNKED("application/x-ndjson") "16\r\n{\"data\":1}\n{\"data\":2}\n\r\n",
		CHUNKED("text/event-stream") "9\r\ndata: x\n\n\r\n",
		post("/v1/publish", "[{\"stream\":\"a\",\"data\":1},{\"stream\":\"b\",\"data\":2}]"),
	};
	lobby_open(&lobby);
	lobby.holds = true;
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		int fd = lobby_connect(&lobby);
		lobby_send(fd, requests[i]);
		lobby_turn(&lobby, 5);
		assert_int_equal(lobby.held_count, 1);
		struct linger reset = { .l_onoff = 1 };
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
		assert_int_equal(close(fd), 0);
		lobby_turn(&lobby, 2);
		for (int j = 0; j < 20 && !door_idle(lobby.door); j++) {
			lobby_release(&lobby);
			lobby_turn(&lobby, 2);
		}
		assert_true(door_idle(lobby.door));
		assert_false(door_busy(lobby.door));
	}
}

static void a_full_house_turns_away_and_takes_in_again(void **state)
{
	(void)state;
	lobby.sessions_max = 1;
	lobby_open(&lobby);
	int fd = lobby_connect(&lobby);
	lobby_send(fd, LISTEN);
	assert_true(lobby_expect(&lobby, fd, &heard, "id: 0\n\n"));
	assert_int_equal(lobby_ask(&lobby, LISTEN, &heard), 200);
	assert_heard("\r\n\r\n: too many\nretry: 1000\n");
	assert_int_equal(lobby_ask(&lobby, "GET /v1/streams/s HTTP/1.1\r\nHost: h\r\n"
					   "Accept: application/json\r\n\r\n", &heard), 503);
	assert_heard("Retry-After: 1\r\n");
	assert_int_equal(close(fd), 0);
	for (int i = 0; i < 200 && engine_counts(lobby.engine).sessions_now; i++)
		lobby_turn(&lobby, 1);
	buf_reset(&heard);
	fd = lobby_connect(&lobby);
	lobby_send(fd, LISTEN);
	assert_true(lobby_expect(&lobby, fd, &heard, "id: 0\n\n"));
	assert_int_equal(close(fd), 0);
}

/* The engine drains and the door does not know yet: the socket is taken over already. */
static void refused_after_the_handover(enum takeover_way way)
{
	lobby.way = way;
	lobby_open(&lobby);
	engine_drain(lobby.engine, 0);
	assert_int_equal(lobby_ask(&lobby, LISTEN, &heard), 200);
	assert_heard("\r\n\r\n: the node is draining\nretry: 1000\n");
	assert_int_equal(lobby_ask(&lobby, "GET /v1/streams/s HTTP/1.1\r\nHost: h\r\n"
					   "Accept: application/json\r\n\r\n", &heard), 503);
	assert_heard("\"draining\"");
	assert_heard("Connection: close\r\n");
}

static void what_is_refused_after_the_handover_is_told_all_the_same(void **state)
{
	(void)state;
	refused_after_the_handover(TAKEOVER_DUP);
}

static void and_so_it_is_when_the_library_has_lost_its_descriptor(void **state)
{
	(void)state;
	refused_after_the_handover(TAKEOVER_SWAP);
}

static void a_closed_door_finishes_what_is_inside(void **state)
{
	(void)state;
	lobby_open(&lobby);
	lobby.holds = true;
	int fd = lobby_connect(&lobby);
	lobby_send(fd, post("/v1/streams/s", "x"));
	lobby_turn(&lobby, 5);
	assert_int_equal(lobby.held_count, 1);
	door_close(lobby.door);
	door_close(lobby.door); /* twice is once */
	lobby_turn(&lobby, 2);
	int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(late, (struct sockaddr *)&lobby.address[0].sa,
				 lobby.address[0].bytes), -1);
	assert_int_equal(close(late), 0);
	lobby_release(&lobby);
	assert_true(lobby_ended(&lobby, fd, &heard));
	assert_heard("HTTP/1.1 201 ");
	assert_heard("Connection: close\r\n");
	assert_int_equal(close(fd), 0);
}

static int held_open[4096];

static void without_descriptors_accepting_pauses_and_does_not_spin(void **state)
{
	(void)state;
	lobby_open(&lobby);
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	int first = lobby_connect(&lobby);
	int second = lobby_connect(&lobby);
	lobby_send(first, "GET /healthz/live HTTP/1.1\r\nHost: h\r\n\r\n");
	lobby_send(second, "GET /healthz/live HTTP/1.1\r\nHost: h\r\n\r\n");
	struct rlimit small = { .rlim_cur = 256, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	size_t count = 0;
	while ((held_open[count] = dup(0)) >= 0)
		count++;

	int turns = 0;
	for (uint64_t until = world_linux()->ops->now_ms(world_linux()) + 500;
	     world_linux()->ops->now_ms(world_linux()) < until; turns++)
		(void)loop_turn(lobby.loop, 1000);
	assert_in_range(turns, 1, 50); /* some every 200 ms, not thousands */

	while (count > 0)
		assert_int_equal(close(held_open[--count]), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(lobby_expect(&lobby, first, &heard, "ok\n"));
	buf_reset(&heard);
	assert_true(lobby_expect(&lobby, second, &heard, "ok\n"));
	assert_int_equal(close(first), 0);
	assert_int_equal(close(second), 0);
}

/* Whichever allocation fails: an answer that is true, or the end of the connection; then all as
 * before. */
static void no_memory_at_any_point_is_survived(void **state)
{
	(void)state;
	const char *const requests[] = {
		post("/v1/streams/s?type=t&key=%41", "x"),
		"HEAD /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /v1/streams/s?from=start HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\n\r\n",
		post("/v1/publish", "[{\"stream\":\"a\",\"data\":\"\\u0041\"},"
				    "{\"stream\":\"b\",\"data\":2,\"idempotency_key\":\"k\"}]"),
		CHUNKED("application/x-ndjson") "16\r\n{\"data\":1}\n{\"data\":2}\n\r\n0\r\n\r\n",
		CHUNKED("text/event-stream") "9\r\ndata: x\n\n\r\n0\r\n\r\n",
		"GET /nothing HTTP/1.1\r\nHost: h\r\nOrigin: http://a\r\n\r\n",
		"DELETE /v1/streams/b HTTP/1.1\r\nHost: h\r\n\r\n",
	};
	lobby_open(&lobby);
	assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "x"), &heard), 201);
	assert_int_equal(buf_reserve(&heard, 65536), OK); /* our own memory does not count */
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		unsigned status = 0;
		long n = 0;
		for (; n < 300; n++) {
			uint64_t before = mem_calls();
			mem_fail_after(n);
			status = lobby_ask(&lobby, requests[i], &heard);
			mem_fail_after(-1);
			assert_true(status == 0 || status == 503 || status < 500);
			if (mem_calls() - before < (uint64_t)n)
				break; /* nothing failed any more */
		}
		assert_in_range(n, 2, 299);
		assert_in_range(status, 200, 404);
		assert_true(door_idle(lobby.door));
	}
	assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "x"), &heard), 201);
}

static void to_open_it_without_memory_says_so(void **state)
{
	(void)state;
	enum err err = ERR_NOMEM;
	for (long n = 0; n < 300 && err; n++) {
		mem_fail_after(n);
		err = lobby_try(&lobby);
		mem_fail_after(-1);
		assert_true(err == OK || err == ERR_NOMEM);
	}
	assert_int_equal(err, OK);
}

int main(void)
{
#undef TEST
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_listener_s_socket_is_handed_over),
		TEST(and_so_it_is_by_the_other_way),
		TEST(two_addresses_are_one_guest),
		TEST(a_publish_waits_for_the_backplane_and_others_do_not_wait_for_it),
		TEST(what_the_backplane_refuses_is_told),
		TEST(lines_wait_their_turn_and_keep_their_order),
		TEST(a_broken_line_waits_for_those_before_it),
		TEST(a_refusal_ends_a_long_request_at_once),
		TEST(a_batch_waits_group_by_group),
		TEST(a_client_that_leaves_while_it_waits_costs_nothing),
		TEST(a_full_house_turns_away_and_takes_in_again),
		TEST(what_is_refused_after_the_handover_is_told_all_the_same),
		TEST(and_so_it_is_when_the_library_has_lost_its_descriptor),
		TEST(a_closed_door_finishes_what_is_inside),
		TEST(without_descriptors_accepting_pauses_and_does_not_spin),
		TEST(no_memory_at_any_point_is_survived),
		TEST(to_open_it_without_memory_says_so),
	};
	return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}

/*
 * ask: requests that wait for a backplane which answers later, from another thread.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "requests.h"

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
	lobby_send(fd, DELETE);
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
		{ ERR_UNAVAILABLE, 503 }, { ERR_TIMEOUT, 504 }, { ERR_FULL, 507 },
		{ ERR_NOMEM, 503 }, { ERR_ENDED, 409 }, { ERR_CONFLICT, 412 },
		{ ERR_KEY_REUSED, 422 },
	};
	lobby_open(&lobby);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		lobby.refuses = rows[i].err;
		assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "x"), &heard),
				 rows[i].status);
		assert_heard("refused as told");
		assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s?ephemeral=1", "x"),
					   &heard), rows[i].status);
		assert_int_equal(lobby_ask(&lobby, DELETE, &heard), rows[i].status);
		assert_int_equal(lobby_ask(&lobby, post("/v1/publish",
							"[{\"stream\":\"s\",\"data\":1}]"),
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
	lobby_send(fd, CHUNKED("application/x-ndjson")
		       "1d\r\n{\"data\":1}\n{\"data\":2}\nbroken\n\r\n");
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
		DELETE,
		CHUNKED("application/x-ndjson") "16\r\n{\"data\":1}\n{\"data\":2}\n\r\n",
		CHUNKED("text/event-stream") "9\r\ndata: x\n\n\r\n",
		post("/v1/publish", "[{\"stream\":\"a\",\"data\":1},"
				    "{\"stream\":\"b\",\"data\":2}]"),
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

int main(void)
{
#undef TEST
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_publish_waits_for_the_backplane_and_others_do_not_wait_for_it),
		TEST(what_the_backplane_refuses_is_told),
		TEST(lines_wait_their_turn_and_keep_their_order),
		TEST(a_broken_line_waits_for_those_before_it),
		TEST(a_refusal_ends_a_long_request_at_once),
		TEST(a_batch_waits_group_by_group),
		TEST(a_client_that_leaves_while_it_waits_costs_nothing),
	};
	return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}

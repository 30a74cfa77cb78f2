/*
 * door: the front, whole, over loopback: who is taken in, who is handed over, who is turned away.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backplane/memory.h"
#include "requests.h"

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

/* The text of the member's value, for a while. */
static const char *member(const char *name)
{
	static char text[64];
	const char *at = strstr(heard.at, name);
	assert_non_null(at);
	(void)snprintf(text, sizeof text, "%.*s", (int)strcspn(at + strlen(name), "\""),
		       at + strlen(name));
	return text;
}

static void page_after(const char *position)
{
	char request[256];
	(void)snprintf(request, sizeof request, "GET /v1/streams/s?after=%s HTTP/1.1\r\nHost: h\r\n"
		       "Accept: application/json\r\n\r\n", position);
	assert_int_equal(lobby_ask(&lobby, request, &heard), 200);
}

/* The store is lost, and the stream begins anew: the tape, which is not, forks behind 2. */
static void a_page_ends_before_a_gap_and_the_next_one_tells_it(void **state)
{
	(void)state;
	lobby.ops.pushes_can_fail = true;
	lobby_open(&lobby);
	memory_faults_allow(lobby.store);
	int fd = lobby_connect(&lobby);
	struct buf live;
	buf_init(&live, 65536);
	lobby_send(fd, LISTEN);
	assert_true(lobby_expect(&lobby, fd, &live, "id: 0\n\n"));
	assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "one"), &heard), 201);
	char first[64];
	(void)snprintf(first, sizeof first, "%s", member("\"id\":\""));
	assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "two"), &heard), 201);
	memory_fault_lose(lobby.store, SLICE("s"));
	assert_int_equal(lobby_ask(&lobby, post("/v1/streams/s", "three"), &heard), 201);
	for (int i = 0; i < 200 && !memmem(live.at, live.bytes, "data: three", 11); i++) {
		feed_turn(lobby.feed, world_linux()->ops->now_ms(world_linux()));
		(void)lobby_hear(&lobby, fd, &live, 1);
	}
	assert_non_null(memmem(live.at, live.bytes, "\"reason\":\"epoch\"", 16));

	page_after(first);
	assert_heard("\"data\":\"two\"");
	assert_heard("\"up_to_date\":false}");
	assert_null(strstr(heard.at, "\"gap\""));
	page_after(member("\"next\":\""));
	assert_heard("\"data\":\"three\"");
	assert_heard("\"up_to_date\":true,\"gap\":{\"stream\":\"s\",\"after\":");
	buf_fini(&live);
	assert_int_equal(close(fd), 0);
}

static int held_open[4096];

/* Takes every descriptor but those that are open; returns how many were taken. */
static size_t take_descriptors(struct rlimit *limit)
{
	assert_int_equal(getrlimit(RLIMIT_NOFILE, limit), 0);
	struct rlimit small = { .rlim_cur = 256, .rlim_max = limit->rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	size_t count = 0;
	while ((held_open[count] = dup(0)) >= 0)
		count++;
	return count;
}

static void give_descriptors(size_t count, const struct rlimit *limit)
{
	while (count > 0)
		assert_int_equal(close(held_open[--count]), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, limit), 0);
}

static void without_a_descriptor_to_hand_over_it_turns_away(void **state)
{
	(void)state;
	lobby_open(&lobby);
	struct rlimit limit;
	int sse = lobby_connect(&lobby);
	int page = lobby_connect(&lobby);
	lobby_send(sse, "GET /v1/streams/s HTTP/1.1\r\n");
	lobby_send(page, "GET /v1/streams/s HTTP/1.1\r\nAccept: application/json\r\n");
	lobby_turn(&lobby, 5);
	size_t count = take_descriptors(&limit);
	lobby_send(sse, "Host: h\r\n\r\n");
	assert_true(lobby_expect(&lobby, sse, &heard, ": too many\nretry: 1000\n"));
	buf_reset(&heard);
	while ((held_open[count] = dup(0)) >= 0) /* the one that it gave back */
		count++;
	lobby_send(page, "Host: h\r\n\r\n");
	assert_true(lobby_expect(&lobby, page, &heard, "\"overloaded\""));
	assert_heard("HTTP/1.1 503 ");
	give_descriptors(count, &limit);
	assert_int_equal(close(sse), 0);
	assert_int_equal(close(page), 0);
}

static void without_descriptors_accepting_pauses_and_does_not_spin(void **state)
{
	(void)state;
	lobby_open(&lobby);
	struct rlimit limit;
	int first = lobby_connect(&lobby);
	int second = lobby_connect(&lobby);
	lobby_send(first, "GET /healthz/live HTTP/1.1\r\nHost: h\r\n\r\n");
	lobby_send(second, "GET /healthz/live HTTP/1.1\r\nHost: h\r\n\r\n");
	size_t count = take_descriptors(&limit);

	int turns = 0;
	for (uint64_t until = world_linux()->ops->now_ms(world_linux()) + 500;
	     world_linux()->ops->now_ms(world_linux()) < until; turns++)
		(void)loop_turn(lobby.loop, 1000);
	assert_in_range(turns, 1, 50); /* some every 200 ms, not thousands */

	give_descriptors(count, &limit);
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
		GET_PAGE,
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
		TEST(a_full_house_turns_away_and_takes_in_again),
		TEST(what_is_refused_after_the_handover_is_told_all_the_same),
		TEST(and_so_it_is_when_the_library_has_lost_its_descriptor),
		TEST(a_closed_door_finishes_what_is_inside),
		TEST(a_page_ends_before_a_gap_and_the_next_one_tells_it),
		TEST(without_a_descriptor_to_hand_over_it_turns_away),
		TEST(without_descriptors_accepting_pauses_and_does_not_spin),
		TEST(no_memory_at_any_point_is_survived),
		TEST(to_open_it_without_memory_says_so),
	};
	return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}

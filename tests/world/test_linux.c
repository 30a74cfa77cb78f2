#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "world/listen.h"
#include "world/world.h"

static struct world *world;
static const struct world_ops *ops;
static int pair[2];

static void clocks_move_forward_and_agree(void **state)
{
	(void)state;
	uint64_t before_ns = ops->now_ns(world);
	uint64_t now_ms = ops->now_ms(world);
	uint64_t after_ns = ops->now_ns(world);
	assert_true(now_ms > 0);
	assert_true(before_ns <= after_ns);
	assert_in_range(now_ms, before_ns / 1000000, after_ns / 1000000);
	assert_true(ops->wall_ms(world) > 1600000000000u);
}

static void chance_does_not_repeat(void **state)
{
	(void)state;
	char a[32] = "";
	char b[32] = "";
	ops->random(world, a, sizeof a);
	ops->random(world, b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
	assert_ptr_equal(world_linux(), world);
}

static void what_is_sent_is_received(void **state)
{
	(void)state;
	size_t count = 0;
	char bytes[20];
	assert_int_equal(ops->send(world, pair[0], SLICE("hello"), &count), OK);
	assert_int_equal(count, 5);
	assert_int_equal(ops->recv(world, pair[1], bytes, sizeof bytes, &count), OK);
	assert_int_equal(count, 5);
	assert_memory_equal(bytes, "hello", 5);

	struct slice pieces[WORLD_PIECES_MAX];
	for (size_t i = 0; i < WORLD_PIECES_MAX; i++)
		pieces[i] = i < 3 ? slice_from("abc" + i, 1) : SLICE("");
	assert_int_equal(ops->sendv(world, pair[0], pieces, WORLD_PIECES_MAX, &count), OK);
	assert_int_equal(count, 3);
	assert_int_equal(ops->recv(world, pair[1], bytes, 2, &count), OK);
	assert_int_equal(count, 2);
	assert_memory_equal(bytes, "ab", 2);
}

static void nothing_to_read_is_again_and_the_end_is_closed(void **state)
{
	(void)state;
	size_t count = 77;
	char bytes[20];
	assert_int_equal(ops->recv(world, pair[1], bytes, sizeof bytes, &count), ERR_AGAIN);
	ops->close(world, pair[0]);
	pair[0] = -1;
	assert_int_equal(ops->recv(world, pair[1], bytes, sizeof bytes, &count), ERR_CLOSED);
	assert_int_equal(count, 77);
}

static void a_full_socket_is_again_though_the_descriptor_would_block(void **state)
{
	(void)state;
	static char block[65536];
	struct slice pieces[] = { slice_from(block, sizeof block), slice_from(block, 1) };
	size_t count = 0;
	enum err err = OK;
	assert_false(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	for (int i = 0; i < 1000 && err == OK; i++)
		err = ops->send(world, pair[0], pieces[0], &count);
	assert_int_equal(err, ERR_AGAIN);
	assert_int_equal(ops->sendv(world, pair[0], pieces, 2, &count), ERR_AGAIN);
}

static void a_peer_that_left_is_closed_and_raises_no_signal(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_DFL);
	size_t count = 0;
	struct slice piece = SLICE("x");
	ops->close(world, pair[1]);
	pair[1] = -1;
	assert_int_equal(ops->send(world, pair[0], piece, &count), ERR_CLOSED);
	assert_int_equal(ops->sendv(world, pair[0], &piece, 1, &count), ERR_CLOSED);
}

static void readiness_brings_the_token_back(void **state)
{
	struct poller *poller = *state;
	struct readiness ready[4];
	int token;
	assert_int_equal(ops->poller_add(poller, pair[1], WORLD_READABLE, &token), OK);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 0), 0);
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 1000), 1);
	assert_ptr_equal(ready[0].token, &token);
	assert_int_equal(ready[0].flags, WORLD_READABLE);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 0), 0); /* an edge is told once */
	ops->poller_drop(poller, pair[1]);
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 0), 0);
	ops->poller_drop(poller, pair[1]); /* not on it: nothing happens */
}

static void a_level_is_told_as_long_as_it_lasts(void **state)
{
	struct poller *poller = *state;
	struct readiness ready[4];
	int token;
	assert_int_equal(ops->poller_add(poller, pair[1], WORLD_READABLE | WORLD_LEVEL, &token),
			 OK);
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 1000), 1);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 1000), 1);
}

static void writable_and_hangup_are_told_apart(void **state)
{
	struct poller *poller = *state;
	struct readiness ready[4];
	int token;
	assert_int_equal(ops->poller_add(poller, pair[1], WORLD_READABLE | WORLD_WRITABLE, &token),
			 OK);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 1000), 1);
	assert_int_equal(ready[0].flags, WORLD_WRITABLE);
	assert_int_equal(shutdown(pair[0], SHUT_WR), 0);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 1000), 1);
	assert_int_equal(ready[0].flags & WORLD_READABLE, WORLD_READABLE);
	assert_int_equal(ready[0].flags & WORLD_HANGUP, 0);
	ops->close(world, pair[0]);
	pair[0] = -1;
	assert_int_equal(ops->poller_wait(poller, ready, 4, 1000), 1);
	assert_int_equal(ready[0].flags & WORLD_HANGUP, WORLD_HANGUP);
}

static void a_descriptor_that_cannot_be_watched_is_refused_with_a_note(void **state)
{
	struct poller *poller = *state;
	err_note_clear();
	assert_int_equal(ops->poller_add(poller, 1 << 20, WORLD_READABLE, NULL), ERR_SYSTEM);
	assert_true(*err_note_text());

	struct poller *none = NULL;
	mem_fail_after(0);
	assert_int_equal(ops->poller_new(world, &none), ERR_NOMEM);
	mem_fail_after(-1);
	assert_null(none);
}

static void a_wake_before_the_wait_ends_that_wait_and_no_other(void **state)
{
	struct poller *poller = *state;
	struct readiness ready[4];
	for (int i = 0; i < 3; i++)
		ops->poller_wake(poller);
	uint64_t start_ms = ops->now_ms(world);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 5000), 0);
	assert_true(ops->now_ms(world) - start_ms < 2500);
	assert_int_equal(ops->poller_wait(poller, ready, 4, 30), 0);
	assert_true(ops->now_ms(world) - start_ms >= 30);
}

struct ping {
	struct poller *poller;
	unsigned sent;
	_Atomic unsigned seen;
};

enum { PINGS = 2000 };

/* Writes plainly, wakes, and waits for the answer: TSan sees whether a wake hands over. */
static void *ping_thread(void *arg)
{
	struct ping *ping = arg;
	for (unsigned i = 1; i <= PINGS; i++) {
		ping->sent = i;
		ops->poller_wake(ping->poller);
		while (ping->seen < i)
			;
	}
	return NULL;
}

static void no_wake_is_ever_lost(void **state)
{
	struct ping ping = { .poller = *state };
	struct readiness ready[4];
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, ping_thread, &ping), 0);
	while (ping.seen < PINGS) {
		uint64_t start_ms = ops->now_ms(world);
		assert_int_equal(ops->poller_wait(ping.poller, ready, 4, 10000), 0);
		assert_true(ops->now_ms(world) - start_ms < 8000);
		ping.seen = ping.sent;
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void more_descriptors_than_room_come_in_turns(void **state)
{
	struct poller *poller = *state;
	struct readiness ready[1];
	int tokens[2];
	assert_int_equal(send(pair[0], "x", 1, 0), 1);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	assert_int_equal(ops->poller_add(poller, pair[0], WORLD_READABLE, &tokens[0]), OK);
	assert_int_equal(ops->poller_add(poller, pair[1], WORLD_READABLE, &tokens[1]), OK);
	assert_int_equal(ops->poller_wait(poller, ready, 1, 1000), 1);
	void *first = ready[0].token;
	assert_int_equal(ops->poller_wait(poller, ready, 1, 1000), 1);
	assert_ptr_not_equal(ready[0].token, first);
}

static void a_tuned_socket_sends_at_once(void **state)
{
	(void)state;
	struct address address;
	int listener = -1;
	assert_int_equal(address_parse(SLICE("127.0.0.1:0"), &address), OK);
	assert_int_equal(listen_on(&address, &listener), OK);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address.sa, address.bytes), 0);
	ops->tune(world, client, 20000);
	ops->tune(world, pair[0], 20000); /* not TCP: harmless */

	int no_delay = 0;
	unsigned timeout_ms = 0;
	socklen_t bytes = sizeof no_delay;
	assert_int_equal(getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &no_delay, &bytes), 0);
	assert_true(no_delay);
	bytes = sizeof timeout_ms;
	assert_int_equal(getsockopt(client, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &bytes),
			 0);
	assert_int_equal(timeout_ms, 20000);
	(void)close(client);
	(void)close(listener);
}

static int setup(void **state)
{
	world = world_linux();
	ops = world->ops;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return -1;
	return ops->poller_new(world, (struct poller **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	mem_fail_after(-1);
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0)
			ops->close(world, pair[i]);
	}
	ops->poller_free((struct poller **)state);
	ops->poller_free((struct poller **)state);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(clocks_move_forward_and_agree),
		TEST(chance_does_not_repeat),
		TEST(what_is_sent_is_received),
		TEST(nothing_to_read_is_again_and_the_end_is_closed),
		TEST(a_full_socket_is_again_though_the_descriptor_would_block),
		TEST(a_peer_that_left_is_closed_and_raises_no_signal),
		TEST(readiness_brings_the_token_back),
		TEST(a_level_is_told_as_long_as_it_lasts),
		TEST(writable_and_hangup_are_told_apart),
		TEST(a_descriptor_that_cannot_be_watched_is_refused_with_a_note),
		TEST(a_wake_before_the_wait_ends_that_wait_and_no_other),
		TEST(no_wake_is_ever_lost),
		TEST(more_descriptors_than_room_come_in_turns),
		TEST(a_tuned_socket_sends_at_once),
	};
	return cmocka_run_group_tests_name("linux", tests, NULL, NULL);
}

/* The simulated system must be as unkind as the real one, and no unkinder. */
#include "sim_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"

static struct sim_world sim;
static struct world *const world = &sim.world;

static struct poller *poller_with(int fd, unsigned interest)
{
	struct poller *poller = NULL;

	assert_int_equal(world->ops->poller_new(world, &poller), OK);
	assert_int_equal(world->ops->poller_add(poller, fd, interest, &sim), OK);
	return poller;
}

static unsigned flags_now(struct poller *poller)
{
	struct readiness ready = { 0 };
	size_t count = world->ops->poller_wait(poller, &ready, 1, 0);
	return count ? ready.flags : 0;
}

static size_t send_bytes(int fd, size_t count)
{
	static char bytes[SIM_QUEUE_BYTES];
	size_t sent = 0;
	enum err err = world->ops->send(world, fd, slice_from(bytes, count), &sent);
	return err ? 0 : sent;
}

static void an_added_socket_tells_its_state_once(void **state)
{
	(void)state;
	int fd = sim_connect(&sim, 100);
	struct poller *poller = poller_with(fd, WORLD_READABLE | WORLD_WRITABLE);

	assert_int_equal(flags_now(poller), WORLD_WRITABLE);
	assert_int_equal(flags_now(poller), 0);
}

static void a_level_is_told_again_and_again(void **state)
{
	(void)state;
	int fd = sim_doorbell_new(&sim);
	struct poller *poller = poller_with(fd, WORLD_READABLE | WORLD_LEVEL);

	assert_int_equal(flags_now(poller), 0);
	sim_doorbell_set(&sim, fd, true);
	assert_int_equal(flags_now(poller), WORLD_READABLE);
	assert_int_equal(flags_now(poller), WORLD_READABLE);
	sim_doorbell_set(&sim, fd, false);
	assert_int_equal(flags_now(poller), 0);
}

static void room_is_news_only_after_a_send_found_none(void **state)
{
	(void)state;
	char bytes[100];
	size_t got;
	int fd = sim_connect(&sim, 90);
	struct poller *poller = poller_with(fd, WORLD_READABLE | WORLD_WRITABLE);

	(void)flags_now(poller);
	assert_int_equal(send_bytes(fd, 60), 60);
	(void)sim_client_read(&sim, fd, bytes, 60, &got);
	assert_int_equal(flags_now(poller), 0);

	assert_int_equal(send_bytes(fd, 100), 90);
	size_t sent = 0;
	assert_int_equal(world->ops->send(world, fd, SLICE("x"), &sent), ERR_AGAIN);
	(void)sim_client_read(&sim, fd, bytes, 29, &got);
	assert_int_equal(flags_now(poller), 0); /* less than a third */
	(void)sim_client_read(&sim, fd, bytes, 1, &got);
	assert_int_equal(flags_now(poller), WORLD_WRITABLE);
	assert_int_equal(flags_now(poller), 0);
}

static void a_peer_that_leaves_is_readable_and_then_resets(void **state)
{
	(void)state;
	char byte;
	size_t got;
	int fd = sim_connect(&sim, 90);
	struct poller *poller = poller_with(fd, WORLD_READABLE);

	sim_client_close(&sim, fd);
	assert_int_equal(flags_now(poller), WORLD_READABLE);
	assert_int_equal(world->ops->recv(world, fd, &byte, 1, &got), ERR_CLOSED);
	assert_int_equal(send_bytes(fd, 10), 10);
	assert_int_equal(flags_now(poller), WORLD_READABLE | WORLD_HANGUP);
	assert_int_equal(send_bytes(fd, 10), 0);
}

static void what_was_sent_before_a_close_is_still_read(void **state)
{
	(void)state;
	char bytes[8];
	size_t got;
	int fd = sim_connect(&sim, 90);

	assert_int_equal(send_bytes(fd, 8), 8);
	world->ops->close(world, fd);
	assert_int_equal(sim_client_read(&sim, fd, bytes, 8, &got), SIM_READ_SOME);
	assert_int_equal(sim_client_read(&sim, fd, bytes, 8, &got), SIM_READ_END);
	sim_client_close(&sim, fd);
	assert_int_equal(sim_sockets_open(&sim), 0);
}

static void bytes_arrive_in_order_around_the_ring(void **state)
{
	(void)state;
	unsigned char next_in = 0, next_out = 0;
	int fd = sim_connect(&sim, SIM_QUEUE_BYTES);

	for (int round = 0; round < 30; round++) {
		char bytes[3000];
		size_t done;
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (char)next_in++;
		struct slice whole = { bytes, sizeof bytes };
		assert_int_equal(world->ops->send(world, fd, whole, &done), OK);
		assert_int_equal(done, sizeof bytes);
		(void)sim_client_read(&sim, fd, bytes, sizeof bytes, &done);
		for (size_t i = 0; i < done; i++)
			assert_int_equal((unsigned char)bytes[i], next_out++);
	}
}

static void a_freed_descriptor_is_given_out_again(void **state)
{
	(void)state;
	int first = sim_connect(&sim, 90), second = sim_connect(&sim, 90);

	world->ops->close(world, first);
	sim_client_close(&sim, first);
	assert_int_equal(sim_connect(&sim, 90), first);
	assert_int_not_equal(first, second);
}

static void misuse_is_kept(void **state)
{
	(void)state;
	int fd = sim_connect(&sim, 90);
	struct poller *poller = poller_with(fd, WORLD_READABLE);

	assert_null(sim.misuse);
	world->ops->close(world, fd);
	assert_string_equal(sim.misuse, "close before poller_drop");
	(void)poller;
}

static void short_sends_and_spurious_refusals_always_end_in_an_edge(void **state)
{
	(void)state;
	char bytes[500];
	size_t got;
	int fd = sim_connect(&sim, 500);
	struct poller *poller = poller_with(fd, WORLD_READABLE | WORLD_WRITABLE);

	sim.faults.short_one_in = 1;
	sim.faults.again_one_in = 2;
	(void)flags_now(poller);
	for (int i = 0; i < 200; i++) {
		while (send_bytes(fd, 40) == 40)
			;
		while (sim_client_read(&sim, fd, bytes, 33, &got) == SIM_READ_SOME)
			;
		assert_int_equal(flags_now(poller), WORLD_WRITABLE);
	}
}

static void the_same_seed_gives_the_same_chance(void **state)
{
	(void)state;
	unsigned char first[32], second[32];

	world->ops->random(world, first, sizeof first);
	sim_world_init(&sim, 7);
	world->ops->random(world, second, sizeof second);
	assert_memory_equal(first, second, sizeof first);
}

static int setup(void **state)
{
	(void)state;
	sim_world_init(&sim, 7);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_added_socket_tells_its_state_once),
		TEST(a_level_is_told_again_and_again),
		TEST(room_is_news_only_after_a_send_found_none),
		TEST(a_peer_that_leaves_is_readable_and_then_resets),
		TEST(what_was_sent_before_a_close_is_still_read),
		TEST(bytes_arrive_in_order_around_the_ring),
		TEST(a_freed_descriptor_is_given_out_again),
		TEST(misuse_is_kept),
		TEST(short_sends_and_spurious_refusals_always_end_in_an_edge),
		TEST(the_same_seed_gives_the_same_chance),
	};
	return cmocka_run_group_tests_name("sim_world", tests, NULL, NULL);
}

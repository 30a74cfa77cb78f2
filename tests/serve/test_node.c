#include "serve/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"

static void descriptors_are_shared_out_and_never_promised_twice(void **state)
{
	(void)state;
	for (size_t daemons = 1; daemons <= 128; daemons *= 2) {
		for (size_t descriptors = 1024; descriptors <= 2000000; descriptors *= 3) {
			struct share share = node_share(descriptors, 100000, 1024, daemons);
			assert_in_range(share.sessions, 1, 100000);
			assert_in_range(share.requests, 4, 1024);
			if (descriptors < NODE_RESERVE_FDS + daemons * 32)
				continue; /* too few for anything: the least is given */
			assert_true(share.sessions + share.requests * daemons + daemons * 8 +
					    NODE_RESERVE_FDS <= descriptors);
		}
	}
}

static void what_is_asked_for_is_given_where_there_is_enough(void **state)
{
	(void)state;
	struct share share = node_share(1000000, 5000, 100, 2);
	assert_int_equal(share.sessions, 5000);
	assert_int_equal(share.requests, 100);
	share = node_share(200, 5000, 1024, 1);
	assert_in_range(share.sessions, 90, 100); /* most of them are listeners */
	assert_in_range(share.requests, 30, 34);
	share = node_share(10, 5000, 1024, 1);
	assert_int_equal(share.sessions, 1);
	assert_int_equal(share.requests, 4);
}

static struct options options_of(char *argument)
{
	struct options options;
	char name[] = "serve";
	char listen[] = "--listen";
	char loops[] = "--loops=2";
	char no_auth[] = "--no-auth";
	char *argv[] = { name, listen, argument, loops, no_auth };
	assert_int_equal(options_read(5, argv, &options), OK);
	return options;
}

static void it_starts_idle_drains_and_gives_back_all(void **state)
{
	(void)state;
	char address[] = "127.0.0.1:0,[::1]:0";
	struct options options = options_of(address);
	struct node *node = NULL;
	assert_int_equal(node_new(&options, 1024, &node), OK);
	assert_int_equal(node_address_count(node), 2);
	assert_int_equal(node_start(node), OK);
	assert_in_range(node_turn(node), 0, 1000);
	assert_true(node_idle(node));
	node_drain(node, 0);
	node_free(&node);
	assert_null(node);
}

static void what_cannot_be_is_told_and_nothing_stays_behind(void **state)
{
	(void)state;
	struct node *node = NULL;
	char nonsense[] = "nonsense";
	struct options options = options_of(nonsense);
	assert_int_equal(node_new(&options, 1024, &node), ERR_SYNTAX);
	char everywhere[] = ":0";
	options = options_of(everywhere);
	options.dev = true;
	assert_int_equal(node_new(&options, 1024, &node), ERR_DENIED);
	char elsewhere[] = "127.0.0.1:0,192.0.2.1:0";
	options = options_of(elsewhere);
	assert_int_equal(node_new(&options, 1024, &node), ERR_SYSTEM);
	char here[] = "127.0.0.1:0";
	options = options_of(here);
	enum err err = ERR_NOMEM;
	for (long n = 0; n < 300 && err; n++) {
		mem_fail_after(n);
		err = node_new(&options, 1024, &node);
		mem_fail_after(-1);
		assert_true(err == OK || err == ERR_NOMEM);
	}
	assert_int_equal(err, OK);
	node_free(&node); /* never started */
}

static int teardown(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, teardown)
	const struct CMUnitTest tests[] = {
		TEST(descriptors_are_shared_out_and_never_promised_twice),
		TEST(what_is_asked_for_is_given_where_there_is_enough),
		TEST(it_starts_idle_drains_and_gives_back_all),
		TEST(what_cannot_be_is_told_and_nothing_stays_behind),
	};
	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}

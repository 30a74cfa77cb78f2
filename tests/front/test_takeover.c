#include "front/takeover.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support.h"

static int open_count(void)
{
	int count = 0;
	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void the_probe_finds_that_a_duplicate_lives_on(void **state)
{
	(void)state;
	enum takeover_way way = TAKEOVER_SWAP;
	int before = open_count();
	assert_int_equal(takeover_probe(world_linux(), true, &way), OK);
	assert_int_equal(way, TAKEOVER_DUP);
	assert_string_equal(takeover_way_text(way), "dup");
	assert_int_equal(open_count(), before);
}

/* Without MHD_USE_TURBO the library shuts the socket down, and a duplicate hears of it. */
static void the_probe_finds_out_when_it_does_not_and_swaps(void **state)
{
	(void)state;
	enum takeover_way way = TAKEOVER_DUP;
	int before = open_count();
	assert_int_equal(takeover_probe(world_linux(), false, &way), OK);
	assert_int_equal(way, TAKEOVER_SWAP);
	assert_string_equal(takeover_way_text(way), "swap");
	assert_int_equal(open_count(), before);
}

static void without_descriptors_it_says_so(void **state)
{
	(void)state;
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	struct rlimit none = { .rlim_cur = 3, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	enum takeover_way way;
	assert_int_equal(takeover_probe(world_linux(), true, &way), ERR_SYSTEM);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_probe_finds_that_a_duplicate_lives_on),
		TEST(the_probe_finds_out_when_it_does_not_and_swaps),
		TEST(without_descriptors_it_says_so),
	};
	return cmocka_run_group_tests_name("takeover", tests, NULL, NULL);
}

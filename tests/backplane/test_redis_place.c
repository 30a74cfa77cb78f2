#include "backplane/redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void is_read(const char *text, const char *host, uint16_t port, const char *user,
		    uint32_t db)
{
	struct redis_place place;
	assert_int_equal(redis_place_parse(slice_of(text), &place), OK);
	assert_string_equal(place.host, host);
	assert_string_equal(place.user, user);
	assert_int_equal(place.port, port);
	assert_int_equal(place.db, db);
}

static void every_form_of_a_place_is_read(void **state)
{
	(void)state;
	is_read("redis://localhost", "localhost", 6379, "", 0);
	is_read("redis://10.0.0.1:7000", "10.0.0.1", 7000, "", 0);
	is_read("redis://node@example.org:7000/3", "example.org", 7000, "node", 3);
	is_read("redis://[::1]:7000/1", "::1", 7000, "", 1);
	is_read("redis://[::1]", "::1", 6379, "", 0);
	is_read("unix:/run/redis.sock", "/run/redis.sock", 0, "", 0);
}

static void what_is_no_place_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", "redis", "http://x", "redis://", "redis://:1", "redis://x:0", "redis://x:65536",
		"redis://x:a", "redis://@x", "redis://u:p@x", "redis://x/", "redis://x/a",
		"redis://[::1", "redis://[::1]7", "unix:", "redis://x/99999999",
	};
	struct redis_place place;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(redis_place_parse(slice_of(texts[i]), &place), ERR_SYNTAX);
}

static void sentinels_are_read_and_the_name_of_the_primary(void **state)
{
	(void)state;
	struct redis_place place;
	assert_int_equal(redis_place_parse(SLICE("redis-sentinel://a,b:7000,[::1]/main"), &place),
			 OK);
	assert_int_equal(place.sentinel_count, 3);
	assert_string_equal(place.sentinels[0].host, "a");
	assert_int_equal(place.sentinels[0].port, 26379);
	assert_string_equal(place.sentinels[1].host, "b");
	assert_int_equal(place.sentinels[1].port, 7000);
	assert_string_equal(place.sentinels[2].host, "::1");
	assert_string_equal(place.master, "main");
	assert_int_equal(place.db, 0);
	assert_int_equal(redis_place_parse(SLICE("redis-sentinel://u@a/main/2"), &place), OK);
	assert_string_equal(place.user, "u");
	assert_int_equal(place.db, 2);
	static const char *const texts[] = {
		"redis-sentinel://", "redis-sentinel://a", "redis-sentinel://a/",
		"redis-sentinel:///m", "redis-sentinel://a,,b/m", "redis-sentinel://a,/m",
		"redis-sentinel://a:0/m", "redis-sentinel://a/m/x", "redis-sentinel://u:p@a/m",
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(redis_place_parse(slice_of(texts[i]), &place), ERR_SYNTAX);
	assert_int_equal(redis_place_parse(SLICE("redis-sentinel://1,2,3,4,5,6,7,8,9/m"), &place),
			 ERR_TOO_MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_of_a_place_is_read),
		cmocka_unit_test(what_is_no_place_is_refused),
		cmocka_unit_test(sentinels_are_read_and_the_name_of_the_primary),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

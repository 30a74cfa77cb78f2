#include "front/route.h"

#include "support.h"

static const struct route *route;
static struct slice name;
static unsigned allowed;

static enum err find(const char *path, enum method method)
{
	return route_find(slice_of(path), method, false, &route, &name, &allowed);
}

static void a_stream_s_path_gives_its_name(void **state)
{
	(void)state;
	assert_int_equal(find("/v1/streams/a/b%20c", METHOD_GET), OK);
	assert_slice(name, "a/b%20c");
	assert_ptr_equal(route->handler, &read_one_handler);
	assert_int_equal(find("/v1/streams/", METHOD_POST), OK);
	assert_slice(name, ""); /* no name, which is told as one */
	assert_ptr_equal(route->handler, &publish_handler);
	assert_int_equal(route->needs, NEEDS_PUBLISH);
	assert_int_equal(find("/v1/streams/a", METHOD_HEAD), OK);
	assert_ptr_equal(route->handler, &stat_handler);
	assert_int_equal(find("/v1/streams/a", METHOD_DELETE), OK);
	assert_ptr_equal(route->handler, &drop_handler);
}

static void other_paths_are_taken_whole(void **state)
{
	(void)state;
	assert_int_equal(find("/", METHOD_GET), OK);
	assert_ptr_equal(route->handler, &page_handler);
	assert_int_equal(find("/healthz/live", METHOD_HEAD), OK);
	assert_int_equal(find("/v1/events", METHOD_GET), OK);
	assert_int_equal(find("/v1/publish", METHOD_POST), OK);
	const char *const none[] = { "", "//", "/v1/streams", "/healthz/live/", "/healthz",
				     "/v1/Events", "v1/events", "/v1/publishx" };
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(find(none[i], METHOD_GET), ERR_NOT_FOUND);
}

static void administrators_have_a_socket_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(find("/metrics", METHOD_GET), ERR_NOT_FOUND);
	assert_int_equal(find("/v1/streams", METHOD_OPTIONS), ERR_NOT_FOUND);
	const struct {
		const char *path;
		enum err err;
	} there[] = {
		{ "/metrics", OK }, { "/v1/streams", OK }, { "/healthz/ready", OK },
		{ "/v1/streams/a", ERR_NOT_FOUND }, { "/v1/events", ERR_NOT_FOUND },
		{ "/v1/publish", ERR_NOT_FOUND },
	};
	for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
		assert_int_equal(route_find(slice_of(there[i].path), METHOD_GET, true, &route,
					    &name, &allowed), there[i].err);
	assert_noted("/metrics");
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
	(void)state;
	char text[ROUTE_ALLOW_MAX];
	assert_int_equal(find("/v1/streams/a", METHOD_OTHER), ERR_METHOD);
	route_allow_text(allowed, text);
	assert_string_equal(text, "GET, HEAD, POST, DELETE, OPTIONS");
	assert_noted(text);
	assert_int_equal(find("/v1/publish", METHOD_GET), ERR_METHOD);
	route_allow_text(allowed, text);
	assert_string_equal(text, "POST, OPTIONS");
	assert_int_equal(find("/v1/publish", METHOD_OPTIONS), OK);
	assert_int_equal(find("/nothing", METHOD_OPTIONS), ERR_NOT_FOUND);
}

static void methods_have_case(void **state)
{
	(void)state;
	assert_int_equal(method_parse("GET"), METHOD_GET);
	assert_int_equal(method_parse("OPTIONS"), METHOD_OPTIONS);
	assert_int_equal(method_parse("get"), METHOD_OTHER);
	assert_int_equal(method_parse(""), METHOD_OTHER);
	assert_int_equal(method_parse("GETS"), METHOD_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_s_path_gives_its_name),
		TEST(other_paths_are_taken_whole),
		TEST(administrators_have_a_socket_of_their_own),
		TEST(a_wrong_method_is_told_the_right_ones),
		TEST(methods_have_case),
	};
	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}

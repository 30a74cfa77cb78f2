#include "cli/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/mem.h"

static int gives_back_all_memory(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

static void check_parts(const char *url, const char *host, const char *port, const char *authority,
			const char *path)
{
	struct target target;
	assert_int_equal(target_parse(slice_of(url), &target), OK);
	assert_string_equal(target.host, host);
	assert_string_equal(target.port, port);
	assert_string_equal(target.authority, authority);
	assert_string_equal(target.path, path);
}

static void a_url_may_be_short(void **state)
{
	(void)state;
	check_parts("http://example.org", "example.org", "80", "example.org:80", "");
	check_parts("http://example.org:8080/", "example.org", "8080", "example.org:8080", "");
	check_parts("localhost:9000", "localhost", "9000", "localhost:9000", "");
	check_parts(":8080", "127.0.0.1", "8080", "127.0.0.1:8080", "");
	check_parts("http://h/events//", "h", "80", "h:80", "/events");
	check_parts("http://[::1]:8080/a/b", "::1", "8080", "[::1]:8080", "/a/b");
	check_parts("[fe80::1]", "fe80::1", "80", "[fe80::1]:80", "");
}

static void what_is_no_url_is_refused_with_a_reason(void **state)
{
	(void)state;
	static const char *const urls[] = {
		"",
		"http://",
		"https://example.org",
		"http://h:0",
		"http://h:65536",
		"http://h:",
		"http://h:8x",
		"http://[::1",
		"http://[::1]8080",
		"http://u:p@h/",
		"http://u@h/",
		"http://h/a?b=c",
		"http://h/#x",
		"http://h/a b",
		"http://h\r\nX: y",
	};
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct target target;
		err_note_clear();
		assert_int_equal(target_parse(slice_of(urls[i]), &target), ERR_SYNTAX);
		assert_true(err_note_text()[0]);
	}
}

static void the_options_come_before_the_environment(void **state)
{
	(void)state;
	struct target target;
	struct cli_common common = { 0 };

	unsetenv("TAPECAST_URL");
	unsetenv("TAPECAST_TOKEN");
	assert_int_equal(target_init(&target, &common), OK);
	assert_string_equal(target.authority, "127.0.0.1:8080");
	assert_null(target.token);
	target_fini(&target);

	setenv("TAPECAST_URL", "http://env:1", 1);
	setenv("TAPECAST_TOKEN", "from-env", 1);
	assert_int_equal(target_init(&target, &common), OK);
	assert_string_equal(target.authority, "env:1");
	assert_string_equal(target.token, "from-env");
	target_fini(&target);

	common.url = "http://flag:2";
	common.token = "from-flag";
	assert_int_equal(target_init(&target, &common), OK);
	assert_string_equal(target.authority, "flag:2");
	assert_string_equal(target.token, "from-flag");
	target_fini(&target);
	unsetenv("TAPECAST_URL");
	unsetenv("TAPECAST_TOKEN");
}

static void nothing_given_can_break_a_requests_head(void **state)
{
	(void)state;
	struct target target;
	struct cli_common common = { .token = "a\r\nX-Admin: 1" };
	assert_int_equal(target_init(&target, &common), ERR_SYNTAX);
	target_fini(&target);

	struct buf buf;
	buf_init(&buf, 1000);
	assert_int_equal(request_header(&buf, "If-Match", SLICE("a\nb")), ERR_HEADER);
	assert_int_equal(buf.bytes, 0);
	buf_fini(&buf);
}

static void a_request_begins_with_what_every_request_has(void **state)
{
	(void)state;
	struct target target;
	struct cli_common common = { .url = "http://h:1/base", .token = "t" };
	struct buf buf;

	buf_init(&buf, 1000);
	assert_int_equal(target_init(&target, &common), OK);
	request_begin(&target, "GET", SLICE("/v1/x"), &buf);
	assert_int_equal(request_header(&buf, "A", SLICE("b")), OK);
	request_end(&buf);
	assert_true(slice_equal(
		buf_slice(&buf),
		SLICE("GET /base/v1/x HTTP/1.1\r\nHost: h:1\r\nUser-Agent: "
		      "tapecast/" PACKAGE_VERSION "\r\nAuthorization: Bearer t\r\nA: b\r\n\r\n")));
	buf_fini(&buf);
	target_fini(&target);
}

static void parameters_are_encoded_and_joined(void **state)
{
	(void)state;
	struct buf path;
	buf_init(&path, 1000);
	(void)buf_put_text(&path, "/p");
	request_parameter(&path, "stream", SLICE("a+b/c"));
	request_parameter(&path, "key", SLICE("x&y=\xc3\xbc %"));
	assert_true(
		slice_equal(buf_slice(&path), SLICE("/p?stream=a%2Bb/c&key=x%26y=%C3%BC%20%25")));
	buf_fini(&path);
}

static void seconds_and_numbers_are_strict(void **state)
{
	(void)state;
	uint64_t value = 0;
	assert_int_equal(cli_seconds("1.5", &value), OK);
	assert_int_equal(value, 1500);
	assert_int_equal(cli_seconds("0.025", &value), OK);
	assert_int_equal(value, 25);
	assert_int_equal(cli_seconds("10", &value), OK);
	assert_int_equal(value, 10000);
	static const char *const bad[] = { "", ".5", "-1", "1.2345", "1e3", "1.x", "9999999999" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(cli_seconds(bad[i], &value), ERR_SYNTAX);
	assert_int_equal(cli_number("5", 5, 5, &value), OK);
	assert_int_equal(value, 5);
	assert_int_equal(cli_number("4", 5, 9, &value), ERR_RANGE);
	assert_int_equal(cli_number("10", 5, 9, &value), ERR_RANGE);
	assert_int_equal(cli_number("+5", 5, 9, &value), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_may_be_short),
		cmocka_unit_test(what_is_no_url_is_refused_with_a_reason),
		cmocka_unit_test(the_options_come_before_the_environment),
		cmocka_unit_test(nothing_given_can_break_a_requests_head),
		cmocka_unit_test(a_request_begins_with_what_every_request_has),
		cmocka_unit_test(parameters_are_encoded_and_joined),
		cmocka_unit_test(seconds_and_numbers_are_strict),
	};
	return cmocka_run_group_tests_name("target", tests, NULL, gives_back_all_memory);
}

#include "front/headers.h"

#include "support.h"

static struct headers headers;

static void take(const char *name, const char *value)
{
	headers_take(&headers, slice_of(name), slice_of(value));
}

static void refused(bool is_http_1_1, const char *note)
{
	assert_int_equal(headers_check(&headers, is_http_1_1), ERR_HEADER);
	assert_noted(note);
}

static int begin(void **state)
{
	(void)state;
	headers = (struct headers){ 0 };
	return 0;
}

static void what_is_asked_for_is_kept(void **state)
{
	(void)state;
	take("accept", "a");
	take("Accept", "b");
	take("CONTENT-TYPE", "text/plain");
	take("Last-Event-ID", "");
	take("Content-Length", "12");
	take("X-Other", "whatever");
	take("X-Other", "again");
	assert_int_equal(headers_check(&headers, true), OK);
	assert_int_equal(headers.accept_count, 2);
	assert_slice(headers.accept[1], "b");
	assert_slice(headers.content_type, "text/plain");
	assert_non_null(headers.last_event_id.at);
	assert_true(headers.has_length && headers.length == 12 && !headers.is_chunked);
	assert_null(headers.origin.at);
}

static void more_accepts_than_we_keep_do_no_harm(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		take("Accept", "a");
	assert_int_equal(headers_check(&headers, true), OK);
	assert_int_equal(headers.accept_count, HEADERS_ACCEPT_MAX);
}

static void lengths_and_codings_that_could_be_read_two_ways(void **state)
{
	static const struct {
		const char *names[2];
		const char *values[2];
	} bad[] = {
		{ { "Content-Length", "content-length" }, { "1", "1" } },
		{ { "Content-Length", "Transfer-Encoding" }, { "1", "chunked" } },
		{ { "Transfer-Encoding", "Content-Length" }, { "chunked", "1" } },
		{ { "Transfer-Encoding", "Transfer-Encoding" }, { "chunked", "chunked" } },
		{ { "Transfer-Encoding", "X" }, { "gzip", "" } },
		{ { "Transfer-Encoding", "X" }, { "chunked, chunked", "" } },
		{ { "Transfer-Encoding", "X" }, { "chunked ", "" } },
		{ { "Transfer-Encoding", "X" }, { "", "" } },
		{ { "Content-Length", "X" }, { "", "" } },
		{ { "Content-Length", "X" }, { "+1", "" } },
		{ { "Content-Length", "X" }, { "1 ", "" } },
		{ { "Content-Length", "X" }, { "99999999999999999999", "" } },
		{ { "Host", "host" }, { "a", "a" } },
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		(void)begin(state);
		take(bad[i].names[0], bad[i].values[0]);
		take(bad[i].names[1], bad[i].values[1]);
		refused(true, "");
	}
	(void)begin(state);
	take("Transfer-Encoding", "Chunked");
	assert_int_equal(headers_check(&headers, true), OK);
	assert_true(headers.is_chunked);
	refused(false, "HTTP/1.0");
}

static void single_fields_come_once(void **state)
{
	const char *const names[] = { "Content-Type", "Last-Event-ID", "Idempotency-Key",
				      "If-Match", "If-None-Match", "Origin",
				      "Access-Control-Request-Method" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)begin(state);
		take(names[i], "");
		assert_int_equal(headers_check(&headers, true), OK);
		take(names[i], "");
		refused(true, names[i]);
	}
}

static void names_are_tokens_and_values_are_text(void **state)
{
	const char *const names[] = { "", " X", "X ", "X Y", "X:", "X\x01", "X\x7f", "X\xe4",
				      "(X)" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		(void)begin(state);
		take(names[i], "v");
		refused(true, "name");
	}
	const char *const values[] = { "\x01", "a\rb", "a\nb", "\x7f", "\x0b" "chunked" };
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		(void)begin(state);
		take("X", values[i]);
		refused(true, "control character");
	}
	(void)begin(state);
	headers_take(&headers, SLICE("X\0Y"), SLICE("v"));
	refused(true, "name");
	(void)begin(state);
	headers_take(&headers, SLICE("X"), SLICE("a\0b"));
	refused(true, "control character");
	(void)begin(state);
	take("!#$%&'*+-.^_`|~09azAZ", "\t \xe4\xff");
	assert_int_equal(headers_check(&headers, true), OK);
}

static void the_first_mistake_is_the_one_told(void **state)
{
	(void)state;
	take("X Y", "");
	take("Content-Length", "x");
	refused(true, "name");
}

static void a_media_type_falls_into_its_parts(void **state)
{
	(void)state;
	static const struct {
		const char *text, *type, *charset;
	} rows[] = {
		{ "text/plain", "text/plain", "" },
		{ " text/plain ; charset=utf-8", "text/plain", "utf-8" },
		{ "text/plain;Charset=\"UTF-8\"", "text/plain", "UTF-8" },
		{ "a/b; x=y; charset=z; q", "a/b", "z" },
		{ "a/b;charset=", "a/b", "" },
		{ "a/b;charset=\"", "a/b", "\"" },
		{ "", "", "" },
		{ ";", "", "" },
		{ ";charset=u", "", "u" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct slice type;
		struct slice charset;
		media_type_split(slice_of(rows[i].text), &type, &charset);
		assert_slice(type, rows[i].type);
		assert_slice(charset, rows[i].charset);
	}
	struct slice none = { 0 };
	media_type_split(none, &none, &(struct slice){ 0 });
	assert_int_equal(none.bytes, 0);
}

int main(void)
{
#undef TEST
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, gives_back_all)
	const struct CMUnitTest tests[] = {
		TEST(what_is_asked_for_is_kept),
		TEST(more_accepts_than_we_keep_do_no_harm),
		TEST(lengths_and_codings_that_could_be_read_two_ways),
		TEST(single_fields_come_once),
		TEST(names_are_tokens_and_values_are_text),
		TEST(the_first_mistake_is_the_one_told),
		TEST(a_media_type_falls_into_its_parts),
	};
	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}

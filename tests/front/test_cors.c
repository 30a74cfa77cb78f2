#include "front/cors.h"

#include "support.h"

static struct front_settings settings(bool dev)
{
	return (struct front_settings){
		.dev = dev,
		.origins = { SLICE("https://good.example"), SLICE("http://localhost:3000") },
		.origin_count = 2,
	};
}

static void an_origin_is_matched_to_the_letter(void **state)
{
	(void)state;
	struct front_settings shut = settings(false);
	assert_true(cors_allows(&shut, SLICE("https://good.example")));
	assert_true(cors_allows(&shut, SLICE("http://localhost:3000")));
	const char *const others[] = {
		"", "null", "https://good.example.evil.example", "https://good.exampl",
		"https://good.example/", "https://Good.example", "http://good.example",
		"https://good.example:443", "http://localhost:30000", "*",
	};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(cors_allows(&shut, slice_of(others[i])));
}

static void development_allows_any_that_is_an_origin(void **state)
{
	(void)state;
	struct front_settings open = settings(true);
	assert_true(cors_allows(&open, SLICE("https://any.example")));
	assert_false(cors_allows(&open, SLICE("null")));
	assert_false(cors_allows(&open, SLICE("")));
	assert_false(cors_allows(&open, SLICE("https://a.example\r\nX: y")));
	assert_false(cors_allows(&open, SLICE("https://a b")));
	assert_false(cors_allows(&open, SLICE("https://\xc3\xa4")));
	char longest[257];
	memset(longest, 'a', sizeof longest);
	assert_true(cors_allows(&open, slice_from(longest, 255)));
	assert_false(cors_allows(&open, slice_from(longest, 256)));
}

static const char *field(const struct reply *reply, const char *wanted)
{
	size_t at = 0;
	const char *name;
	const char *value;
	while (reply_field_next(reply, &at, &name, &value)) {
		if (strcmp(name, wanted) == 0)
			return value;
	}
	return NULL;
}

static void the_fields_of_an_answer(void **state)
{
	(void)state;
	struct front_settings shut = settings(false);
	struct reply reply;
	reply_init(&reply);
	cors_fields(&shut, SLICE("https://good.example"), &reply);
	assert_string_equal(field(&reply, "Access-Control-Allow-Origin"), "https://good.example");
	assert_string_equal(field(&reply, "Vary"), "Origin");
	assert_string_equal(field(&reply, "Access-Control-Allow-Credentials"), "true");

	reply_reset(&reply);
	cors_fields(&shut, SLICE("https://bad.example"), &reply);
	cors_preflight(&shut, SLICE("https://bad.example"), "GET", &reply);
	assert_null(field(&reply, "Access-Control-Allow-Origin"));
	assert_null(field(&reply, "Access-Control-Allow-Methods"));
	assert_string_equal(field(&reply, "Vary"), "Origin"); /* a cache must not mix them up */

	reply_reset(&reply);
	cors_preflight(&shut, SLICE("https://good.example"), "GET, POST", &reply);
	assert_string_equal(field(&reply, "Access-Control-Allow-Methods"), "GET, POST");
	assert_non_null(strstr(field(&reply, "Access-Control-Allow-Headers"), "last-event-id"));
	reply_fini(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_origin_is_matched_to_the_letter),
		TEST(development_allows_any_that_is_an_origin),
		TEST(the_fields_of_an_answer),
	};
	return cmocka_run_group_tests_name("cors", tests, NULL, NULL);
}

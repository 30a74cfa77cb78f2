/*
 * caller: what is found in cookies, and that nobody hears what nobody granted.
 */
#include "front/caller.h"

#include "support.h"

static void a_cookie_is_found_by_its_whole_name_and_once(void **state)
{
	(void)state;
	struct slice value;
	assert_true(cookie_find(SLICE("t=1"), SLICE("t"), &value));
	assert_slice(value, "1");
	assert_true(cookie_find(SLICE("xt=0; tt=1;\tt=a.b=c; u"), SLICE("t"), &value));
	assert_slice(value, "a.b=c");
	assert_true(cookie_find(SLICE("t="), SLICE("t"), &value));
	assert_slice(value, "");
	assert_false(cookie_find(SLICE("t=1; t=2"), SLICE("t"), &value));
	assert_false(cookie_find(SLICE("t; tt=1; T=1"), SLICE("t"), &value));
	assert_false(cookie_find(SLICE(""), SLICE("t"), &value));
	assert_false(cookie_find(SLICE(";;=;"), SLICE("t"), &value));
}

static void where_tokens_are_asked_for_no_bearer_hears_nothing(void **state)
{
	(void)state;
	struct slice pattern = SLICE("a/*");
	struct claims claims = { .has_exp = true, .exp_s = 1 };
	struct grant *grant = NULL;
	struct bearer *bearer = NULL;
	int auth = 0; /* only asked whether it is there */
	claims.patterns[VERB_SUBSCRIBE][0] = pattern;
	claims.pattern_count[VERB_SUBSCRIBE] = 1;
	assert_int_equal(grant_new(&claims, 0, &grant), OK);
	struct bearer_terms terms = { .expires_ms = 1000, .grants = grant };
	assert_int_equal(bearer_new(&terms, &bearer), OK);

	assert_true(caller_may_read(NULL, NULL, SLICE("b")));
	assert_false(caller_may_read(&auth, NULL, SLICE("a/1")));
	assert_true(caller_may_read(&auth, bearer, SLICE("a/1")));
	assert_false(caller_may_read(&auth, bearer, SLICE("b")));
	bearer_unref(&bearer);
	terms.grants = NULL;
	assert_int_equal(bearer_new(&terms, &bearer), OK);
	assert_false(caller_may_read(&auth, bearer, SLICE("a/1")));
	bearer_unref(&bearer);
	grant_unref(&grant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cookie_is_found_by_its_whole_name_and_once),
		TEST(where_tokens_are_asked_for_no_bearer_hears_nothing),
	};
	return cmocka_run_group_tests_name("caller", tests, NULL, NULL);
}

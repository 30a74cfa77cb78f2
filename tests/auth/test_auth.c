/*
 * auth: who is let in, and until when; the cache must not change an answer.
 */
#include "auth/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/cache.h"
#include "auth/jws.h"
#include "base/hash.h"
#include "base/mem.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define API_KEY "key-0123456789abcdef0123456789abcdef"

static const uint64_t now_ms = UINT64_C(1800000000000);

struct desk {
	char folder[64], key_path[96], api_path[96];
	struct slice key_file, api_file;
	struct auth_config config;
	struct auth *auth;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	static struct desk desk;
	desk = (struct desk){ .folder = "/tmp/test_auth.XXXXXX" };
	hash_seed(&(struct hash_key){ { 1 } });
	if (!mkdtemp(desk.folder))
		return -1;
	(void)snprintf(desk.key_path, sizeof desk.key_path, "%s/key", desk.folder);
	(void)snprintf(desk.api_path, sizeof desk.api_path, "%s/api", desk.folder);
	write_file(desk.key_path, SECRET "\n");
	write_file(desk.api_path, "# back ends\n\n{\"key\":\"" API_KEY "\",\"sub\":\"billing\","
				  "\"publish\":[\"orders/*\"]}\n");
	desk.key_file = slice_of(desk.key_path);
	desk.api_file = slice_of(desk.api_path);
	desk.config = (struct auth_config){
		.key_files = &desk.key_file, .key_file_count = 1,
		.api_key_files = &desk.api_file, .api_key_file_count = 1,
		.cached_max = 64,
	};
	if (auth_new(&desk.config, &desk.auth) != OK)
		return -1;
	*state = &desk;
	return 0;
}

static int teardown(void **state)
{
	struct desk *desk = *state;
	auth_free(&desk->auth);
	(void)unlink(desk->key_path);
	(void)unlink(desk->api_path);
	(void)rmdir(desk->folder);
	return mem_live() == 0 ? 0 : -1;
}

/* claims: what stands between the braces. */
static void seal(struct buf *token, const char *secret, const char *claims)
{
	struct key_ring ring = { 0 };
	char payload[512];
	buf_init(token, JWS_BYTES_MAX);
	(void)snprintf(payload, sizeof payload, "{%s}", claims);
	assert_int_equal(key_ring_add(&ring, slice_of(secret)), OK);
	assert_int_equal(jws_seal(slice_of(payload), ring.keys[0], token), OK);
	key_ring_fini(&ring);
}

static enum err admit(struct desk *desk, const struct buf *token, uint64_t at_ms)
{
	struct grant *grant = NULL;
	enum err err = auth_admit(desk->auth, buf_slice(token), false, at_ms, &grant);
	assert_true((err == OK) == (grant != NULL));
	grant_unref(&grant);
	return err;
}

static void a_token_is_good_until_its_exp_cached_or_not(void **state)
{
	struct desk *desk = *state;
	struct buf token;
	seal(&token, SECRET, "\"exp\":1800000010,\"sub\":\"ada\"");
	for (int i = 0; i < 3; i++)
		assert_int_equal(admit(desk, &token, now_ms), OK);
	assert_int_equal(admit(desk, &token, now_ms + 9999), OK);
	assert_int_equal(admit(desk, &token, now_ms + 10000), ERR_EXPIRED);
	assert_non_null(strstr(err_note_text(), "expired 0 s ago"));
	assert_int_equal(admit(desk, &token, now_ms + 15000), ERR_EXPIRED);
	assert_non_null(strstr(err_note_text(), "expired 5 s ago"));
	buf_fini(&token);
}

static void what_a_token_says_is_what_its_grant_allows(void **state)
{
	struct desk *desk = *state;
	struct grant *grant = NULL;
	struct buf token;
	seal(&token, SECRET, "\"exp\":1800000010,\"sub\":\"ada\",\"jti\":\"j1\",\"tapecast\":{"
			     "\"subscribe\":[\"u/{sub}/*\",\"news\"],\"info\":{\"n\":1}}");
	assert_int_equal(auth_admit(desk->auth, buf_slice(&token), false, now_ms, &grant), OK);
	assert_true(slice_equal(grant->sub, SLICE("ada")));
	assert_true(slice_equal(grant->jti, SLICE("j1")));
	assert_true(slice_equal(grant->info, SLICE("{\"n\":1}")));
	assert_int_equal(grant->expires_ms, now_ms + 10000);
	assert_false(grant->admin);
	assert_int_equal(grant_allow(grant, VERB_SUBSCRIBE, SLICE("u/ada/x")), OK);
	assert_int_equal(grant_allow(grant, VERB_SUBSCRIBE, SLICE("news")), OK);
	assert_int_equal(grant_allow(grant, VERB_SUBSCRIBE, SLICE("news2")), ERR_DENIED);
	assert_int_equal(grant_allow(grant, VERB_SUBSCRIBE, SLICE("u/bob/x")), ERR_DENIED);
	assert_non_null(strstr(err_note_text(), "u/bob/x"));
	assert_int_equal(grant_allow(grant, VERB_PUBLISH, SLICE("news")), ERR_DENIED);
	assert_int_equal(grant_allow_any(grant, VERB_SUBSCRIBE), OK);
	assert_int_equal(grant_allow_any(grant, VERB_PUBLISH), ERR_DENIED);
	grant_unref(&grant);
	buf_fini(&token);
}

static void a_refusal_does_not_tell_key_from_signature(void **state)
{
	struct desk *desk = *state;
	char first[ERR_NOTE_BYTES_MAX];
	struct buf token;
	seal(&token, OTHER, "\"exp\":1800000010");
	assert_int_equal(admit(desk, &token, now_ms), ERR_TOKEN);
	(void)snprintf(first, sizeof first, "%s", err_note_text());
	buf_fini(&token);
	seal(&token, SECRET, "\"exp\":1800000010");
	token.at[token.bytes - 5] = token.at[token.bytes - 5] == 'A' ? 'B' : 'A';
	assert_int_equal(admit(desk, &token, now_ms), ERR_TOKEN);
	assert_string_equal(err_note_text(), first);
	buf_fini(&token);
	seal(&token, "{\"kty\":\"oct\",\"kid\":\"k9\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
		     "ODlhYmNkZWY\"}", "\"exp\":1800000010");
	assert_int_equal(admit(desk, &token, now_ms), OK); /* a key that cannot say its name */
	buf_fini(&token);
}

static void an_api_key_is_one_only_where_nobody_sees_it(void **state)
{
	struct desk *desk = *state;
	struct grant *grant = NULL;
	struct slice key = SLICE(API_KEY);
	assert_int_equal(auth_admit(desk->auth, key, false, now_ms, &grant), ERR_TOKEN);
	assert_int_equal(auth_admit(desk->auth, SLICE(API_KEY "x"), true, now_ms, &grant),
			 ERR_TOKEN);
	assert_int_equal(auth_admit(desk->auth, SLICE(""), true, now_ms, &grant), ERR_TOKEN);
	assert_null(grant);
	assert_int_equal(auth_admit(desk->auth, key, true, now_ms, &grant), OK);
	assert_true(slice_equal(grant->sub, SLICE("billing")));
	assert_int_equal(grant->expires_ms, GRANT_FOR_EVER);
	assert_int_equal(grant_allow(grant, VERB_PUBLISH, SLICE("orders/1")), OK);
	assert_int_equal(grant_allow(grant, VERB_SUBSCRIBE, SLICE("orders/1")), ERR_DENIED);
	grant_unref(&grant);
}

static void a_reload_forgets_what_the_old_keys_verified(void **state)
{
	struct desk *desk = *state;
	struct grant *grant = NULL;
	struct buf old, fresh;
	seal(&old, SECRET, "\"exp\":1800000010");
	seal(&fresh, OTHER, "\"exp\":1800000010");
	assert_int_equal(admit(desk, &old, now_ms), OK);
	write_file(desk->key_path, "short");
	assert_int_equal(auth_reload(desk->auth), ERR_RANGE); /* then all stays as it was */
	assert_non_null(strstr(err_note_text(), desk->key_path));
	assert_int_equal(admit(desk, &old, now_ms), OK);
	write_file(desk->key_path, OTHER);
	write_file(desk->api_path, "{\"key\":\"" API_KEY "2\"}");
	assert_int_equal(auth_reload(desk->auth), OK);
	assert_int_equal(admit(desk, &old, now_ms), ERR_TOKEN);
	assert_int_equal(admit(desk, &fresh, now_ms), OK);
	assert_int_equal(auth_admit(desk->auth, SLICE(API_KEY), true, now_ms, &grant), ERR_TOKEN);
	buf_fini(&old);
	buf_fini(&fresh);
}

static void what_is_revoked_is_refused_though_it_is_cached(void **state)
{
	struct desk *desk = *state;
	struct buf ada, bob;
	seal(&ada, SECRET, "\"exp\":1800000010,\"sub\":\"ada\",\"jti\":\"1\"");
	seal(&bob, SECRET, "\"exp\":1800000010,\"sub\":\"bob\",\"jti\":\"ada\"");
	assert_int_equal(admit(desk, &ada, now_ms), OK);
	assert_int_equal(auth_revoke(desk->auth, REVOKED_SUB, SLICE("ada"), now_ms + 5000, now_ms),
			 OK);
	assert_int_equal(admit(desk, &ada, now_ms), ERR_REVOKED);
	assert_int_equal(admit(desk, &bob, now_ms), OK); /* a jti is no sub */
	assert_int_equal(admit(desk, &ada, now_ms + 5000), OK);
	assert_int_equal(auth_revoke(desk->auth, REVOKED_JTI, SLICE("ada"), now_ms + 5000, now_ms),
			 OK);
	assert_int_equal(admit(desk, &bob, now_ms), ERR_REVOKED);
	buf_fini(&ada);
	buf_fini(&bob);
}

static void files_that_are_wrong_are_told_with_their_line(void **state)
{
	struct desk *desk = *state;
	static const char *const wrong[] = {
		"{\"key\":\"short\"}", "{\"sub\":\"x\"}", "{\"key\":1}", "[]", "{", "", "# none",
		"{\"key\":\"" API_KEY "\",\"subscribe\":\"*\"}",
		"{\"key\":\"" API_KEY "\",\"publsh\":[\"*\"]}",
		"{\"key\":\"" API_KEY "\",\"admin\":1}",
		"{\"key\":\"" API_KEY "\",\"key\":\"" API_KEY "\"}",
		"{\"key\":\"" API_KEY "\"}\n{\"key\":\"" API_KEY "\"}",
		"{\"key\":\"dotted.0123456789abcdef0123456789abcdef\"}",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		write_file(desk->api_path, wrong[i]);
		assert_int_not_equal(auth_reload(desk->auth), OK);
		assert_non_null(strstr(err_note_text(), desk->api_path));
	}
	write_file(desk->api_path, "{\"key\":\"" API_KEY "\"}\n\n{\"key\":1}");
	assert_int_not_equal(auth_reload(desk->auth), OK);
	assert_non_null(strstr(err_note_text(), "line 3"));
	assert_int_equal(unlink(desk->api_path), 0);
	assert_int_equal(auth_reload(desk->auth), ERR_SYSTEM);
}

static void any_allocation_may_fail(void **state)
{
	struct desk *desk = *state;
	struct buf token;
	seal(&token, SECRET, "\"exp\":1800000010,\"sub\":\"ada\"");
	bool done = false;
	for (long n = 0; !done; n++) {
		struct auth *auth = NULL;
		struct grant *grant = NULL;
		mem_fail_after(n);
		enum err err = auth_new(&desk->config, &auth);
		if (!err)
			err = auth_admit(auth, buf_slice(&token), false, now_ms, &grant);
		mem_fail_after(-1);
		if (err && err != ERR_NOMEM)
			fail_msg("%ld: %s: %s", n, err_name(err), err_note_text());
		done = err == OK;
		grant_unref(&grant);
		auth_free(&auth);
		assert_true(n < 1000);
	}
	buf_fini(&token);
}

static void the_cache_is_bounded_and_keeps_what_is_used(void **state)
{
	(void)state;
	struct cache *cache = NULL;
	struct claims claims = { .exp_s = 10, .has_exp = true };
	struct grant *grant = NULL, *found;
	uint8_t digest[CACHE_DIGEST_BYTES] = { 0 };
	assert_int_equal(cache_new(4, &cache), OK);
	assert_int_equal(grant_new(&claims, 0, &grant), OK);
	for (uint8_t i = 0; i < 100; i++) {
		digest[31] = i;
		cache_put(cache, digest, grant, cache_age(cache));
		digest[31] = 0; /* used again and again, so never the one that goes */
		found = cache_get(cache, digest, 1);
		assert_ptr_equal(found, grant);
		grant_unref(&found);
		assert_true(atomic_load(&grant->refs) <= 5);
	}
	uint64_t age = cache_age(cache);
	cache_empty(cache);
	assert_int_equal(atomic_load(&grant->refs), 1);
	cache_put(cache, digest, grant, age); /* verified by keys that are gone */
	assert_null(cache_get(cache, digest, 1));
	cache_put(cache, digest, grant, cache_age(cache));
	assert_null(cache_get(cache, digest, 10000));
	assert_int_equal(atomic_load(&grant->refs), 1);
	cache_free(&cache);
	grant_unref(&grant);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_good_until_its_exp_cached_or_not),
		TEST(what_a_token_says_is_what_its_grant_allows),
		TEST(a_refusal_does_not_tell_key_from_signature),
		TEST(an_api_key_is_one_only_where_nobody_sees_it),
		TEST(a_reload_forgets_what_the_old_keys_verified),
		TEST(what_is_revoked_is_refused_though_it_is_cached),
		TEST(files_that_are_wrong_are_told_with_their_line),
		TEST(any_allocation_may_fail),
		TEST(the_cache_is_bounded_and_keeps_what_is_used),
	};
	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}

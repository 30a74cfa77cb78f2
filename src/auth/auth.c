#include "auth/auth.h"

#include <pthread.h>
#include <sodium.h>
#include <stdio.h>

#include "auth/api_key.h"
#include "auth/cache.h"
#include "auth/jws.h"
#include "base/mem.h"
#include "base/must.h"

#define AUTH_TAG 0xa07bea1eu

enum { PATH_BYTES_MAX = 4096 };

_Static_assert((int)DIGEST_BYTES == (int)CACHE_DIGEST_BYTES, "one digest for both");

/* What the files held when they were read. Nothing changes but refs. */
struct keyset {
	_Atomic uint32_t refs;
	struct key_ring ring;
	struct api_keys *api_keys;
};

struct auth {
	uint32_t tag;
	struct auth_config config;
	struct slice key_files[AUTH_FILES_MAX], api_key_files[AUTH_FILES_MAX];
	uint8_t digest_key[DIGEST_KEY_BYTES];
	pthread_mutex_t lock; /* keyset */
	struct keyset *keyset;
	struct cache *cache;
	struct revoked *revoked;
};

static void keyset_unref(struct keyset **keyset)
{
	if (!*keyset)
		return;
	if (atomic_fetch_sub_explicit(&(*keyset)->refs, 1, memory_order_acq_rel) == 1) {
		key_ring_fini(&(*keyset)->ring);
		api_keys_unref(&(*keyset)->api_keys);
		mem_free(*keyset);
	}
	*keyset = NULL;
}

static struct keyset *keyset_take(struct auth *auth)
{
	(void)pthread_mutex_lock(&auth->lock);
	struct keyset *keyset = auth->keyset;
	atomic_fetch_add_explicit(&keyset->refs, 1, memory_order_relaxed);
	(void)pthread_mutex_unlock(&auth->lock);
	return keyset;
}

static enum err path_of(struct slice file, char ret_path[PATH_BYTES_MAX])
{
	if (file.bytes >= PATH_BYTES_MAX)
		return err_note(ERR_TOO_BIG, "a path of %zu bytes", file.bytes);
	(void)snprintf(ret_path, PATH_BYTES_MAX, "%.*s", (int)file.bytes, file.at);
	return OK;
}

static enum err keyset_read(const struct auth *auth, struct keyset **ret_keyset)
{
	char path[PATH_BYTES_MAX];
	struct keyset *keyset = mem_zalloc(sizeof *keyset);
	if (!keyset)
		return ERR_NOMEM;
	atomic_store(&keyset->refs, 1);
	enum err err = api_keys_new(&keyset->api_keys);
	for (size_t i = 0; i < auth->config.key_file_count && !err; i++) {
		err = path_of(auth->key_files[i], path);
		if (!err)
			err = key_ring_load(&keyset->ring, path);
	}
	for (size_t i = 0; i < auth->config.api_key_file_count && !err; i++) {
		err = path_of(auth->api_key_files[i], path);
		if (!err)
			err = api_keys_load(keyset->api_keys, path, auth->digest_key);
	}
	if (err)
		keyset_unref(&keyset);
	else
		*ret_keyset = keyset;
	return err;
}

enum err auth_new(const struct auth_config *config, struct auth **ret_auth)
{
	MUST(config->key_file_count <= AUTH_FILES_MAX);
	MUST(config->api_key_file_count <= AUTH_FILES_MAX);
	if (sodium_init() < 0)
		return err_note(ERR_SYSTEM, "libsodium does not start");
	struct auth *auth = mem_zalloc(sizeof *auth);
	if (!auth)
		return ERR_NOMEM;
	auth->tag = AUTH_TAG;
	auth->config = *config;
	for (size_t i = 0; i < config->key_file_count; i++)
		auth->key_files[i] = config->key_files[i];
	for (size_t i = 0; i < config->api_key_file_count; i++)
		auth->api_key_files[i] = config->api_key_files[i];
	randombytes_buf(auth->digest_key, sizeof auth->digest_key);
	MUST(pthread_mutex_init(&auth->lock, NULL) == 0);
	enum err err = cache_new(config->cached_max, &auth->cache);
	if (!err)
		err = revoked_new(&auth->revoked);
	if (!err)
		err = keyset_read(auth, &auth->keyset);
	if (err)
		auth_free(&auth);
	else
		*ret_auth = auth;
	return err;
}

void auth_free(struct auth **auth)
{
	if (!*auth)
		return;
	MUST_BE(*auth, AUTH_TAG);
	keyset_unref(&(*auth)->keyset);
	cache_free(&(*auth)->cache);
	revoked_free(&(*auth)->revoked);
	(void)pthread_mutex_destroy(&(*auth)->lock);
	sodium_memzero((*auth)->digest_key, sizeof (*auth)->digest_key);
	(*auth)->tag = 0;
	mem_free(*auth);
	*auth = NULL;
}

enum err auth_reload(struct auth *auth)
{
	struct keyset *fresh = NULL;
	MUST_BE(auth, AUTH_TAG);
	enum err err = keyset_read(auth, &fresh);
	if (err)
		return err;
	(void)pthread_mutex_lock(&auth->lock);
	struct keyset *old = auth->keyset;
	auth->keyset = fresh;
	(void)pthread_mutex_unlock(&auth->lock);
	keyset_unref(&old);
	cache_empty(auth->cache);
	return OK;
}

/* What is wrong with the form of a token is wrong with the token, whatever it is called below. */
static enum err as_refusal(enum err err)
{
	switch (err) {
	case OK:
	case ERR_NOMEM:
	case ERR_TOKEN:
	case ERR_EXPIRED:
		return err;
	default:
		return ERR_TOKEN;
	}
}

static enum err verify(const struct auth *auth, const struct keyset *keyset, struct slice token,
		       uint64_t now_ms, struct grant **ret_grant)
{
	struct jws jws;
	struct claims claims;
	struct claims_rules rules = {
		.issuer = auth->config.issuer,
		.audience = auth->config.audience,
		.now_ms = now_ms,
		.leeway_ms = auth->config.leeway_ms,
		.exp_optional = auth->config.exp_optional,
	};
	enum err err = jws_read(token, &jws);
	if (!err)
		err = jws_verify(&jws, &keyset->ring);
	if (!err) {
		err = claims_read(buf_slice(&jws.payload), &claims);
		if (!err)
			err = claims_check(&claims, &rules);
		if (!err)
			err = grant_new(&claims, auth->config.leeway_ms, ret_grant);
		claims_fini(&claims);
	}
	jws_fini(&jws);
	return as_refusal(err);
}

static enum err admit_token(struct auth *auth, struct slice token, const uint8_t *digest,
			    uint64_t now_ms, struct grant **ret_grant)
{
	*ret_grant = cache_get(auth->cache, digest, now_ms);
	if (*ret_grant)
		return OK;
	/* The age before the keys: what they verify is kept only if they are still the ones. */
	uint64_t age = cache_age(auth->cache);
	struct keyset *keyset = keyset_take(auth);
	enum err err = verify(auth, keyset, token, now_ms, ret_grant);
	keyset_unref(&keyset);
	if (!err)
		cache_put(auth->cache, digest, *ret_grant, age);
	return err;
}

static enum err admit_key(struct auth *auth, const uint8_t *digest, bool is_private,
			  struct grant **ret_grant)
{
	if (!is_private)
		return err_note(ERR_TOKEN, "not a token: it has not three parts. An API key goes "
					   "into the header: Authorization: Bearer KEY");
	struct keyset *keyset = keyset_take(auth);
	struct grant *grant = api_keys_find(keyset->api_keys, digest);
	if (grant)
		*ret_grant = grant_ref(grant);
	keyset_unref(&keyset);
	return grant ? OK : err_note(ERR_TOKEN, "neither a token (it has not three parts) nor an "
						"API key that this server knows");
}

enum err auth_check_revoked(struct auth *auth, const struct grant *grant, uint64_t now_ms)
{
	MUST_BE(auth, AUTH_TAG);
	if (revoked_has(auth->revoked, REVOKED_SUB, grant->sub, now_ms))
		return err_note(ERR_REVOKED, "the tokens of this subject have been revoked");
	if (revoked_has(auth->revoked, REVOKED_JTI, grant->jti, now_ms))
		return err_note(ERR_REVOKED, "this token has been revoked: ask for a new one");
	return OK;
}

enum err auth_admit(struct auth *auth, struct slice token, bool is_private, uint64_t now_ms,
		    struct grant **ret_grant)
{
	uint8_t digest[DIGEST_BYTES];
	struct grant *grant = NULL;
	MUST_BE(auth, AUTH_TAG);
	if (token.bytes > JWS_BYTES_MAX)
		return err_note(ERR_TOKEN, "the token is longer than %d bytes", JWS_BYTES_MAX);
	if (!token.bytes)
		return err_note(ERR_TOKEN, "the token is empty");
	token_digest(auth->digest_key, token, digest);
	enum err err = memchr(token.at, '.', token.bytes) ?
			       admit_token(auth, token, digest, now_ms, &grant) :
			       admit_key(auth, digest, is_private, &grant);
	if (!err)
		err = auth_check_revoked(auth, grant, now_ms);
	if (err)
		grant_unref(&grant);
	else
		*ret_grant = grant;
	return err;
}

enum err auth_revoke(struct auth *auth, enum revoked_kind kind, struct slice text,
		     uint64_t until_ms, uint64_t now_ms)
{
	MUST_BE(auth, AUTH_TAG);
	return revoked_put(auth->revoked, kind, text, until_ms, now_ms);
}

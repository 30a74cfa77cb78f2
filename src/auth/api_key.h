/*
 * api_key: static keys for back ends that want no JWT.
 *
 * Owns    keyed hashes of the keys, and their grants; the keys themselves are forgotten.
 * Thread  loading: one; then any, for nothing changes.
 * Promise looking one up takes as long whichever it is, and whether it is one.
 * Bound   API_KEYS_MAX keys, files of KEY_FILE_BYTES_MAX.
 *
 * A file has one JSON object a line: {"key":"…","sub":"billing","publish":["orders"]}, with
 * subscribe, publish, presence, admin and info as in a token's "tapecast". Empty lines and those
 * that begin with # are passed over.
 */
#ifndef TAPECAST_AUTH_API_KEY_H
#define TAPECAST_AUTH_API_KEY_H

#include "auth/grant.h"

enum {
	API_KEYS_MAX = 256,
	API_KEY_BYTES_MIN = 32,
	API_KEY_BYTES_MAX = 200,
	DIGEST_BYTES = 32,
	DIGEST_KEY_BYTES = 32,
};

struct api_key {
	uint8_t digest[DIGEST_BYTES];
	struct grant *grant;
};

struct api_keys {
	_Atomic uint32_t refs;
	size_t count;
	struct api_key keys[API_KEYS_MAX];
};

/* What a token or an API key is known by in this process. */
void token_digest(const uint8_t key[DIGEST_KEY_BYTES], struct slice token,
		  uint8_t ret_digest[DIGEST_BYTES]);

/* Empty. ERR_NOMEM. */
enum err api_keys_new(struct api_keys **ret_keys) ERR_CHECKED;
struct api_keys *api_keys_ref(struct api_keys *keys);
void api_keys_unref(struct api_keys **keys);
/* ERR_SYSTEM, ERR_SYNTAX, ERR_RANGE, ERR_TOO_MANY, ERR_NOMEM with a note that names the line. */
enum err api_keys_load(struct api_keys *keys, const char *path,
		       const uint8_t digest_key[DIGEST_KEY_BYTES]) ERR_CHECKED;
enum err api_keys_add(struct api_keys *keys, struct slice text,
		      const uint8_t digest_key[DIGEST_KEY_BYTES]) ERR_CHECKED;

/* Not a reference; NULL: none of ours. */
struct grant *api_keys_find(const struct api_keys *keys, const uint8_t digest[DIGEST_BYTES]);

#endif

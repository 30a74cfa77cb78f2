/*
 * cache: tokens that have been verified, so that a storm of reconnects costs a hash a token.
 *
 * Owns    references to grants.
 * Thread  any; a lock for each sixteenth of it.
 * Time    Unix milliseconds, passed in.
 * Promise what is found was verified by the keys of the cache's present age; a token is known by a
 *         keyed hash of 256 bits and is itself kept nowhere.
 * Bound   the number of tokens given at birth: the longest unused of a set of four goes.
 */
#ifndef TAPECAST_AUTH_CACHE_H
#define TAPECAST_AUTH_CACHE_H

#include "auth/grant.h"

enum { CACHE_DIGEST_BYTES = 32 };

struct cache;

/* 0 tokens: it never holds any. ERR_NOMEM. */
enum err cache_new(size_t tokens_max, struct cache **ret_cache) ERR_CHECKED;
void cache_free(struct cache **cache);

/* A reference, or NULL. What has expired is dropped. */
struct grant *cache_get(struct cache *cache, const uint8_t digest[CACHE_DIGEST_BYTES],
			uint64_t now_ms);
/* Keeps a reference, unless the cache has been emptied since `age` was asked for. */
void cache_put(struct cache *cache, const uint8_t digest[CACHE_DIGEST_BYTES], struct grant *grant,
	       uint64_t age);
uint64_t cache_age(const struct cache *cache);
/* Forgets all: the keys have changed. */
void cache_empty(struct cache *cache);

#endif

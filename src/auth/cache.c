#include "auth/cache.h"

#include <pthread.h>

#include "base/mem.h"
#include "base/must.h"

#define CACHE_TAG 0x6ac4e70bu

enum { WAYS = 4, LOCKS = 16 };

struct slot {
	uint8_t digest[CACHE_DIGEST_BYTES];
	struct grant *grant; /* NULL: empty */
	uint64_t used;
};

struct shard {
	pthread_mutex_t lock;
	uint64_t clock; /* of uses */
};

struct cache {
	uint32_t tag;
	size_t set_count; /* a power of two, or 0 */
	_Atomic uint64_t age;
	struct shard shards[LOCKS];
	struct slot *slots; /* WAYS of each set together */
};

enum err cache_new(size_t tokens_max, struct cache **ret_cache)
{
	struct cache *cache = mem_zalloc(sizeof *cache);
	if (!cache)
		return ERR_NOMEM;
	cache->tag = CACHE_TAG;
	for (size_t i = 0; i < LOCKS; i++)
		MUST(pthread_mutex_init(&cache->shards[i].lock, NULL) == 0);
	if (tokens_max) {
		cache->set_count = 1;
		while (cache->set_count * 2 * WAYS <= tokens_max)
			cache->set_count *= 2;
		cache->slots = mem_zalloc_array(cache->set_count * WAYS, sizeof *cache->slots);
	}
	if (tokens_max && !cache->slots) {
		cache->set_count = 0;
		cache_free(&cache);
		return ERR_NOMEM;
	}
	*ret_cache = cache;
	return OK;
}

void cache_free(struct cache **cache)
{
	if (!*cache)
		return;
	MUST_BE(*cache, CACHE_TAG);
	cache_empty(*cache);
	for (size_t i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&(*cache)->shards[i].lock);
	mem_free((*cache)->slots);
	(*cache)->tag = 0;
	mem_free(*cache);
	*cache = NULL;
}

/* The digest is uniform and secret, so any of its bits choose a set. */
static size_t set_of(const struct cache *cache, const uint8_t *digest)
{
	uint64_t number;
	memcpy(&number, digest, sizeof number);
	return (size_t)number & (cache->set_count - 1);
}

static struct shard *shard_of(struct cache *cache, size_t set)
{
	return &cache->shards[set % LOCKS];
}

uint64_t cache_age(const struct cache *cache)
{
	return atomic_load(&cache->age);
}

struct grant *cache_get(struct cache *cache, const uint8_t digest[CACHE_DIGEST_BYTES],
			uint64_t now_ms)
{
	if (!cache->set_count)
		return NULL;
	size_t set = set_of(cache, digest);
	struct shard *shard = shard_of(cache, set);
	struct slot *slots = &cache->slots[set * WAYS];
	struct grant *found = NULL;
	(void)pthread_mutex_lock(&shard->lock);
	for (size_t i = 0; i < WAYS && !found; i++) {
		struct slot *slot = &slots[i];
		if (!slot->grant || memcmp(slot->digest, digest, CACHE_DIGEST_BYTES) != 0)
			continue;
		if (now_ms >= slot->grant->expires_ms) {
			grant_unref(&slot->grant);
			break;
		}
		slot->used = ++shard->clock;
		found = grant_ref(slot->grant);
	}
	(void)pthread_mutex_unlock(&shard->lock);
	return found;
}

/* Its own slot if two threads have verified the same token; an empty one; the longest unused. */
static struct slot *choose(struct slot *slots, const uint8_t *digest)
{
	struct slot *chosen = &slots[0];
	for (size_t i = 0; i < WAYS; i++) {
		struct slot *slot = &slots[i];
		if (slot->grant && memcmp(slot->digest, digest, CACHE_DIGEST_BYTES) == 0)
			return slot;
		if (chosen->grant && (!slot->grant || slot->used < chosen->used))
			chosen = slot;
	}
	return chosen;
}

void cache_put(struct cache *cache, const uint8_t digest[CACHE_DIGEST_BYTES], struct grant *grant,
	       uint64_t age)
{
	if (!cache->set_count)
		return;
	size_t set = set_of(cache, digest);
	struct shard *shard = shard_of(cache, set);
	(void)pthread_mutex_lock(&shard->lock);
	if (age == cache_age(cache)) {
		struct slot *slot = choose(&cache->slots[set * WAYS], digest);
		grant_unref(&slot->grant);
		memcpy(slot->digest, digest, CACHE_DIGEST_BYTES);
		slot->used = ++shard->clock;
		slot->grant = grant_ref(grant);
	}
	(void)pthread_mutex_unlock(&shard->lock);
}

/* The age first: who puts what the old keys verified is refused, or has put it before its set's
 * turn comes. */
void cache_empty(struct cache *cache)
{
	atomic_fetch_add(&cache->age, 1);
	for (size_t set = 0; set < cache->set_count; set++) {
		struct shard *shard = shard_of(cache, set);
		(void)pthread_mutex_lock(&shard->lock);
		for (size_t i = 0; i < WAYS; i++)
			grant_unref(&cache->slots[set * WAYS + i].grant);
		(void)pthread_mutex_unlock(&shard->lock);
	}
}

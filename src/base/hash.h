/*
 * hash: SipHash-2-4 for tables and chains, BLAKE2b for digests; libsodium does the work.
 *
 * Thread  any.
 * Promise a table keyed by hash_seed() cannot be flooded by names chosen outside.
 */
#ifndef TAPECAST_BASE_HASH_H
#define TAPECAST_BASE_HASH_H

#include <stdint.h>

#include "base/slice.h"

enum { HASH_DIGEST_BYTES = 16 };

struct hash_key {
	uint8_t bytes[16];
};

/* Sets the key that hash_name() uses. Once, before any table exists; fixed in tests. */
void hash_seed(const struct hash_key *key);
/* For tables in this process: secret key. */
uint64_t hash_name(struct slice bytes);
/* With a key of the caller's: the same everywhere and for ever. */
uint64_t hash_keyed(const struct hash_key *key, struct slice bytes);
/* Collision-resistant, 16 bytes, the same everywhere. */
void hash_digest(struct slice bytes, uint8_t ret_digest[HASH_DIGEST_BYTES]);

#endif

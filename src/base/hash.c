#include "base/hash.h"

#include <sodium.h>

_Static_assert(sizeof(struct hash_key) == crypto_shorthash_KEYBYTES, "a SipHash key");

static struct hash_key table_key;

void hash_seed(const struct hash_key *key)
{
	table_key = *key;
}

uint64_t hash_name(struct slice bytes)
{
	return hash_keyed(&table_key, bytes);
}

uint64_t hash_keyed(const struct hash_key *key, struct slice bytes)
{
	uint8_t out[crypto_shorthash_BYTES];
	(void)crypto_shorthash(out, (const unsigned char *)bytes.at, bytes.bytes, key->bytes);

	/* Little-endian by hand: the number is the same on every machine. */
	uint64_t number = 0;
	for (size_t i = sizeof out; i-- > 0;)
		number = number << 8 | out[i];
	return number;
}

void hash_digest(struct slice bytes, uint8_t ret_digest[HASH_DIGEST_BYTES])
{
	(void)crypto_generichash(ret_digest, HASH_DIGEST_BYTES, (const unsigned char *)bytes.at,
				 bytes.bytes, NULL, 0);
}

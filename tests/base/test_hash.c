#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct hash_key counting_key = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
						15 } };

/* The first rows of the table in the SipHash-2-4 reference code: input 00 01 02 … */
static void is_siphash_2_4(void **state)
{
	(void)state;
	static const uint64_t wanted[] = { 0x726fdb47dd0e0e31u, 0x74f839c593dc67fdu,
					   0x0d6c8009d9a94f5au, 0x85676696d7fb7e2du };
	const char input[] = { 0, 1, 2, 3 };
	for (size_t bytes = 0; bytes < 4; bytes++)
		assert_true(hash_keyed(&counting_key, slice_from(input, bytes)) == wanted[bytes]);
	assert_true(hash_keyed(&counting_key, slice_from(NULL, 0)) == wanted[0]);
}

static void names_hash_by_the_key_that_was_seeded(void **state)
{
	(void)state;
	hash_seed(&counting_key);
	uint64_t before = hash_name(SLICE("name"));
	assert_true(before == hash_keyed(&counting_key, SLICE("name")));
	hash_seed(&(struct hash_key){ { 9 } });
	assert_true(hash_name(SLICE("name")) != before);
}

/* blake2b with a 16-byte digest, as `b2sum -l 128` prints it. */
static void a_digest_is_blake2b_128(void **state)
{
	(void)state;
	static const uint8_t of_abc[HASH_DIGEST_BYTES] = {
		0xcf, 0x4a, 0xb7, 0x91, 0xc6, 0x2b, 0x8d, 0x2b,
		0x21, 0x09, 0xc9, 0x02, 0x75, 0x28, 0x78, 0x16
	};
	uint8_t digest[HASH_DIGEST_BYTES];
	hash_digest(SLICE("abc"), digest);
	assert_memory_equal(digest, of_abc, sizeof digest);
	hash_digest(SLICE(""), digest);
	assert_memory_not_equal(digest, of_abc, sizeof digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_siphash_2_4),
		cmocka_unit_test(names_hash_by_the_key_that_was_seeded),
		cmocka_unit_test(a_digest_is_blake2b_128),
	};
	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}

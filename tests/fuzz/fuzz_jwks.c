/* fuzz_jwks: a file of keys is taken whole or not at all; what is taken can be used. */
#include "auth/key.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char signature[512] = "x";
	struct key_ring ring = { 0 };
	struct slice text = fuzz_slice(data, size);

	if (size > KEY_FILE_BYTES_MAX)
		return 0;
	enum err err = key_ring_add(&ring, text);
	MUST((err == OK) == (ring.count > 0));
	MUST(ring.count <= KEY_RING_MAX);
	for (size_t i = 0; i < ring.count; i++) {
		MUST(ring.keys[i]->alg < ALG_COUNT);
		MUST(strnlen(ring.keys[i]->kid, KEY_KID_BYTES_MAX + 1) <= KEY_KID_BYTES_MAX);
		for (size_t bytes = 0; bytes <= sizeof signature; bytes += 32)
			(void)key_verifies(ring.keys[i], text, slice_from(signature, bytes));
	}
	key_ring_fini(&ring);
	return 0;
}

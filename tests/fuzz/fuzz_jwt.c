/* fuzz_jwt: no text is a token but one that our key has signed; what is read keeps the bounds. */
#include "auth/jws.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char secret[] = "0123456789abcdef0123456789abcdef";
	struct slice text = fuzz_slice(data, size);
	struct key_ring ring = { 0 };
	struct buf payload, token;
	struct jws jws;

	MUST(key_ring_add(&ring, slice_of(secret)) == OK);
	buf_init(&payload, JWS_BYTES_MAX);
	buf_init(&token, JWS_BYTES_MAX);
	enum err err = jws_read(text, &jws);
	MUST(jws.payload.bytes <= JWS_BYTES_MAX && jws.kid.bytes <= KEY_KID_BYTES_MAX);
	if (!err)
		(void)jws_names_unknown_key(&jws, &ring);
	jws_fini(&jws);
	/* What verifies is a token, whoever made it: it was put into the corpus on purpose. */
	if (jws_open(text, &ring, &payload) == OK)
		MUST(err == OK);

	/* Any payload comes back from a token of ours, and not when a bit of the token turns. */
	buf_reset(&payload);
	if (jws_seal(text, ring.keys[0], &token) == OK) {
		MUST(jws_open(buf_slice(&token), &ring, &payload) == OK);
		MUST(slice_equal(buf_slice(&payload), text));
		size_t at = size ? data[0] % token.bytes : 0;
		token.at[at] = (char)(token.at[at] ^ 4);
		MUST(jws_open(buf_slice(&token), &ring, &payload) != OK);
	}
	buf_fini(&token);
	buf_fini(&payload);
	key_ring_fini(&ring);
	return 0;
}

/*
 * key: what verifies tokens: secrets and public keys, each with the one algorithm that it is for.
 *
 * Owns    secrets, in memory that is locked, guarded and read-only; GnuTLS's public keys.
 * Thread  loading: one; then any, for nothing changes.
 * Promise the key decides the algorithm: by its "alg", or HS256, EdDSA, RS256 or what the curve
 *         says. A key for encryption is none.
 * Bound   KEY_RING_MAX keys, files of KEY_FILE_BYTES_MAX.
 */
#ifndef TAPECAST_AUTH_KEY_H
#define TAPECAST_AUTH_KEY_H

#include "base/buf.h"

enum {
	KEY_RING_MAX = 16,
	KEY_FILE_BYTES_MAX = 65536,
	KEY_KID_BYTES_MAX = 200,
	KEY_SECRET_BYTES_MIN = 32,
	KEY_SECRET_BYTES_MAX = 1024,
	KEY_SIGNATURE_BYTES_MAX = 64, /* of those that key_sign makes */
};

#define ALG(name, text, family, hash_bytes, gnutls) ALG_##name,
enum alg {
#include "auth/alg_table.h"
	ALG_COUNT
};
#undef ALG

struct key {
	enum alg alg;
	char kid[KEY_KID_BYTES_MAX + 1]; /* empty: it has none */
	unsigned char *secret; /* HMAC's, or Ed25519's seed and public key; NULL: it cannot sign */
	size_t secret_bytes;
	unsigned char ed25519[32];
	void *public; /* gnutls_pubkey_t of RSA and EC */
};

struct key_ring {
	struct key *keys[KEY_RING_MAX];
	size_t count;
};

void key_ring_fini(struct key_ring *ring);
/* Adds what the file holds: a JWK, a JWKS, a public key in PEM, or a secret as it is (one line end
 * behind it is not part of it). ERR_SYSTEM, ERR_SYNTAX, ERR_RANGE, ERR_TOO_MANY, ERR_NOMEM with a
 * note; the ring is then as it was. */
enum err key_ring_load(struct key_ring *ring, const char *path) ERR_CHECKED;
enum err key_ring_add(struct key_ring *ring, struct slice text) ERR_CHECKED;

/* ERR_SYNTAX: no such algorithm. */
enum err alg_parse(struct slice text, enum alg *ret_alg) ERR_CHECKED;
const char *alg_text(enum alg alg);

/* Takes as long for a wrong signature as for another. */
bool key_verifies(const struct key *key, struct slice text, struct slice signature);
/* HS256, HS384, HS512 and EdDSA with a private part. ERR_DENIED for other keys. */
enum err key_sign(const struct key *key, struct slice text,
		  unsigned char ret_signature[KEY_SIGNATURE_BYTES_MAX],
		  size_t *ret_bytes) ERR_CHECKED;
/* A new key as a JWK with its private part. ERR_DENIED: not for this algorithm. */
enum err key_generate(enum alg alg, struct slice kid, struct buf *jwk) ERR_CHECKED;

#endif

/*
 * key_impl: what the files that deal in secrets share.
 */
#ifndef TAPECAST_AUTH_KEY_IMPL_H
#define TAPECAST_AUTH_KEY_IMPL_H

#include "auth/key.h"

enum family { FAMILY_HMAC, FAMILY_ED25519, FAMILY_RSA, FAMILY_EC };

struct alg_row {
	const char *text;
	enum family family;
	size_t hash_bytes;
	int gnutls;
};

extern const struct alg_row alg_rows[ALG_COUNT];

void key_free(struct key *key);
/* Copies the secret to locked memory. ERR_NOMEM. */
enum err key_keep_secret(struct key *key, const void *secret, size_t bytes) ERR_CHECKED;
/* What the file holds; key_buf_fini in every case. ERR_SYSTEM, ERR_TOO_BIG, ERR_NOMEM. */
enum err key_file_read(const char *path, struct buf *ret_text) ERR_CHECKED;
/* Wipes, then frees. */
void key_buf_fini(struct buf *buf);

#endif

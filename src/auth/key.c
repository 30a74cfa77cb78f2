#include "auth/key_impl.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <sodium.h>

#include "base/mem.h"
#include "wire/base64url.h"
#include "wire/json.h"

const struct alg_row alg_rows[ALG_COUNT] = {
#define ALG(name, text, family, hash_bytes, gnutls) { text, FAMILY_##family, hash_bytes, gnutls },
#include "auth/alg_table.h"
#undef ALG
};

enum err alg_parse(struct slice text, enum alg *ret_alg)
{
	for (int alg = 0; alg < ALG_COUNT; alg++) {
		if (slice_equal(text, slice_of(alg_rows[alg].text))) {
			*ret_alg = (enum alg)alg;
			return OK;
		}
	}
	return err_note(ERR_SYNTAX, "no such algorithm; there are HS256, HS384, HS512, EdDSA, "
				    "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384");
}

const char *alg_text(enum alg alg)
{
	return alg_rows[alg].text;
}

void key_buf_fini(struct buf *buf)
{
	if (buf->at)
		sodium_memzero(buf->at, buf->capacity);
	buf_fini(buf);
}

void key_free(struct key *key)
{
	if (!key)
		return;
	sodium_free(key->secret);
	if (key->public)
		gnutls_pubkey_deinit(key->public);
	mem_free(key);
}

enum err key_keep_secret(struct key *key, const void *secret, size_t bytes)
{
	key->secret = sodium_malloc(bytes);
	if (!key->secret)
		return err_note(ERR_NOMEM, "no locked memory for a key");
	memcpy(key->secret, secret, bytes);
	key->secret_bytes = bytes;
	(void)sodium_mprotect_readonly(key->secret);
	return OK;
}

static bool hmac(const struct key *key, struct slice text, unsigned char *ret_mac)
{
	return gnutls_hmac_fast((gnutls_mac_algorithm_t)alg_rows[key->alg].gnutls, key->secret,
				key->secret_bytes, text.at, text.bytes, ret_mac) == 0;
}

/* A signature of ECDSA is two numbers of a fixed length here and DER in GnuTLS. */
static bool public_verifies(const struct key *key, struct slice text, struct slice signature)
{
	const struct alg_row *row = &alg_rows[key->alg];
	gnutls_datum_t data = { (unsigned char *)(uintptr_t)text.at, (unsigned)text.bytes };
	gnutls_datum_t sig = { (unsigned char *)(uintptr_t)signature.at,
			       (unsigned)signature.bytes };
	gnutls_datum_t der = { 0 };

	if (row->family == FAMILY_EC) {
		unsigned half = (unsigned)row->hash_bytes;
		gnutls_datum_t r = { sig.data, half };
		gnutls_datum_t s = { sig.data + half, half };
		if (signature.bytes != 2 * row->hash_bytes ||
		    gnutls_encode_rs_value(&der, &r, &s) < 0)
			return false;
		sig = der;
	}
	int status = gnutls_pubkey_verify_data2(key->public, (gnutls_sign_algorithm_t)row->gnutls,
						0, &data, &sig);
	gnutls_free(der.data);
	return status >= 0;
}

bool key_verifies(const struct key *key, struct slice text, struct slice signature)
{
	const struct alg_row *row = &alg_rows[key->alg];
	const unsigned char *sig = (const unsigned char *)signature.at;
	unsigned char mac[64];

	switch (row->family) {
	case FAMILY_HMAC:
		return signature.bytes == row->hash_bytes && hmac(key, text, mac) &&
		       sodium_memcmp(mac, sig, row->hash_bytes) == 0;
	case FAMILY_ED25519:
		return signature.bytes == crypto_sign_BYTES &&
		       crypto_sign_verify_detached(sig, (const unsigned char *)text.at, text.bytes,
						   key->ed25519) == 0;
	case FAMILY_RSA:
	case FAMILY_EC:
		return public_verifies(key, text, signature);
	}
	return false;
}

enum err key_sign(const struct key *key, struct slice text,
		  unsigned char ret_signature[KEY_SIGNATURE_BYTES_MAX], size_t *ret_bytes)
{
	const struct alg_row *row = &alg_rows[key->alg];

	*ret_bytes = row->hash_bytes;
	if (key->secret && row->family == FAMILY_HMAC && hmac(key, text, ret_signature))
		return OK;
	if (key->secret && row->family == FAMILY_ED25519 &&
	    crypto_sign_detached(ret_signature, NULL, (const unsigned char *)text.at, text.bytes,
				 key->secret) == 0)
		return OK;
	return err_note(ERR_DENIED, "this key cannot sign: it takes a secret (HS256, HS384, HS512) "
				    "or an EdDSA key with its private part");
}

static enum err put_member(struct buf *jwk, const char *name, const unsigned char *at, size_t bytes)
{
	(void)buf_putf(jwk, ",\"%s\":\"", name);
	enum err err = base64url_encode(slice_from((const char *)at, bytes), jwk);
	return err ? err : buf_put_text(jwk, "\"");
}

static enum err put_parts(enum alg alg, struct buf *jwk)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES], public[crypto_sign_PUBLICKEYBYTES];
	enum err err = OK;

	if (alg_rows[alg].family == FAMILY_HMAC) {
		randombytes_buf(secret, sizeof secret);
		err = put_member(jwk, "k", secret, alg_rows[alg].hash_bytes);
	} else {
		(void)crypto_sign_keypair(public, secret);
		(void)buf_put_text(jwk, ",\"crv\":\"Ed25519\"");
		err = put_member(jwk, "x", public, sizeof public);
		if (!err)
			err = put_member(jwk, "d", secret, crypto_sign_SEEDBYTES);
	}
	sodium_memzero(secret, sizeof secret);
	return err;
}

enum err key_generate(enum alg alg, struct slice kid, struct buf *jwk)
{
	if (alg_rows[alg].family != FAMILY_HMAC && alg_rows[alg].family != FAMILY_ED25519)
		return err_note(ERR_DENIED, "keys are made for HS256, HS384, HS512 and EdDSA; "
					    "for %s use openssl", alg_text(alg));
	if (sodium_init() < 0)
		return err_note(ERR_SYSTEM, "libsodium does not start");
	(void)buf_putf(jwk, "{\"kty\":\"%s\",\"alg\":\"%s\",\"use\":\"sig\"",
		       alg_rows[alg].family == FAMILY_HMAC ? "oct" : "OKP", alg_text(alg));
	if (kid.bytes) {
		(void)buf_put_text(jwk, ",\"kid\":");
		(void)json_quote(kid, jwk);
	}
	enum err err = put_parts(alg, jwk);
	(void)buf_put_text(jwk, "}\n");
	return err ? err : jwk->err;
}

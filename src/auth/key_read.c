/*
 * key_read: keys from files.
 */
#include <errno.h>
#include <gnutls/abstract.h>
#include <sodium.h>
#include <stdio.h>

#include "auth/key_impl.h"
#include "auth/members.h"
#include "base/mem.h"
#include "wire/base64url.h"

enum { MEMBER_BYTES_MAX = 2048, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192 };

void key_ring_fini(struct key_ring *ring)
{
	while (ring->count > 0)
		key_free(ring->keys[--ring->count]);
}

static enum err text_member(struct json_value jwk, const char *name, struct buf *text)
{
	struct json_value value;

	buf_reset(text);
	if (!members_find(jwk, name, &value))
		return OK;
	enum err err = json_string(value, text);
	return err ? err_prefix(err, "the key's %s", name) : OK;
}

static enum err bytes_member(struct json_value jwk, const char *name, struct buf *bytes)
{
	struct buf text;

	buf_init(&text, MEMBER_BYTES_MAX);
	enum err err = text_member(jwk, name, &text);
	buf_reset(bytes);
	if (!err)
		err = base64url_decode(buf_slice(&text), bytes);
	if (!err && !bytes->bytes)
		err = err_note(ERR_SYNTAX, "there is none");
	key_buf_fini(&text);
	return err ? err_prefix(err, "the key's %s", name) : OK;
}

static enum err read_secret(struct key *key, struct slice secret)
{
	if (secret.bytes < KEY_SECRET_BYTES_MIN || secret.bytes > KEY_SECRET_BYTES_MAX)
		return err_note(ERR_RANGE, "a secret has %d to %d bytes, this one has %zu",
				KEY_SECRET_BYTES_MIN, KEY_SECRET_BYTES_MAX, secret.bytes);
	return key_keep_secret(key, secret.at, secret.bytes);
}

static enum err read_ed25519(struct json_value jwk, struct key *key, struct buf *part)
{
	unsigned char secret[crypto_sign_SECRETKEYBYTES], public[crypto_sign_PUBLICKEYBYTES];
	struct json_value value;

	enum err err = bytes_member(jwk, "x", part);
	if (err)
		return err;
	if (part->bytes != sizeof key->ed25519)
		return err_note(ERR_RANGE, "the key's x has not 32 bytes");
	memcpy(key->ed25519, part->at, sizeof key->ed25519);
	if (!members_find(jwk, "d", &value))
		return OK;
	err = bytes_member(jwk, "d", part);
	if (err)
		return err;
	if (part->bytes != crypto_sign_SEEDBYTES)
		return err_note(ERR_RANGE, "the key's d has not 32 bytes");
	(void)crypto_sign_seed_keypair(public, secret, (const unsigned char *)part->at);
	err = memcmp(public, key->ed25519, sizeof public) == 0 ?
		      key_keep_secret(key, secret, sizeof secret) :
		      err_note(ERR_SYNTAX, "the key's x and d do not belong together");
	sodium_memzero(secret, sizeof secret);
	return err;
}

/* Two numbers: n and e of RSA, x and y of a curve. */
static enum err read_public(struct json_value jwk, struct key *key, const char *names[2])
{
	struct buf parts[2];
	gnutls_datum_t datums[2];
	gnutls_pubkey_t public = NULL;
	enum err err = OK;

	buf_init(&parts[0], MEMBER_BYTES_MAX);
	buf_init(&parts[1], MEMBER_BYTES_MAX);
	for (int i = 0; i < 2 && !err; i++) {
		err = bytes_member(jwk, names[i], &parts[i]);
		datums[i].data = (unsigned char *)parts[i].at;
		datums[i].size = (unsigned)parts[i].bytes;
	}
	if (!err && gnutls_pubkey_init(&public) < 0)
		err = ERR_NOMEM;
	if (!err) {
		gnutls_ecc_curve_t curve = key->alg == ALG_ES256 ? GNUTLS_ECC_CURVE_SECP256R1 :
								   GNUTLS_ECC_CURVE_SECP384R1;
		int status = alg_rows[key->alg].family == FAMILY_RSA ?
				     gnutls_pubkey_import_rsa_raw(public, &datums[0], &datums[1]) :
				     gnutls_pubkey_import_ecc_raw(public, curve, &datums[0],
								  &datums[1]);
		key->public = public;
		if (status < 0)
			err = err_note(ERR_SYNTAX, "the key: %s", gnutls_strerror(status));
	}
	buf_fini(&parts[0]);
	buf_fini(&parts[1]);
	return err;
}

static enum err check_public(const struct key *key)
{
	unsigned bits = 0;
	int kind = gnutls_pubkey_get_pk_algorithm(key->public, &bits);

	if (kind == GNUTLS_PK_RSA && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
		return err_note(ERR_RANGE, "an RSA key has %d to %d bits, this one has %u",
				RSA_BITS_MIN, RSA_BITS_MAX, bits);
	return gnutls_pubkey_verify_params(key->public) < 0 ?
		       err_note(ERR_SYNTAX, "the key's numbers are no public key") :
		       OK;
}

/* What the key is for, if it says so: only a key that may verify is one. */
static enum err check_purpose(struct json_value jwk, struct buf *text)
{
	struct json_value ops, op;
	struct slice no_name;
	size_t at = 0;
	bool may = false;

	enum err err = text_member(jwk, "use", text);
	if (err)
		return err;
	if (text->bytes && !slice_equal(buf_slice(text), SLICE("sig")))
		return err_note(ERR_NOT_FOUND, "the key is not for signatures");
	if (!members_find(jwk, "key_ops", &ops))
		return OK;
	if (ops.kind != JSON_ARRAY)
		return err_note(ERR_SYNTAX, "the key's key_ops is no array");
	while (json_next(ops, &at, &no_name, &op))
		may = may || slice_equal(op.text, SLICE("\"verify\"")) ||
		      slice_equal(op.text, SLICE("\"sign\""));
	return may ? OK : err_note(ERR_NOT_FOUND, "the key is not for signatures");
}

static enum err choose_alg(struct json_value jwk, struct buf *text, struct key *key)
{
	static const struct {
		const char *kind; /* kty, or the curve where there is one */
		enum family family;
		enum alg otherwise;
	} kinds[] = {
		{ "oct", FAMILY_HMAC, ALG_HS256 },
		{ "RSA", FAMILY_RSA, ALG_RS256 },
		{ "Ed25519", FAMILY_ED25519, ALG_EDDSA },
		{ "P-256", FAMILY_EC, ALG_ES256 },
		{ "P-384", FAMILY_EC, ALG_ES384 },
	};
	size_t i = 0, count = sizeof kinds / sizeof kinds[0];

	enum err err = text_member(jwk, "kty", text);
	if (!err && (slice_equal(buf_slice(text), SLICE("EC")) ||
		     slice_equal(buf_slice(text), SLICE("OKP"))))
		err = text_member(jwk, "crv", text);
	if (err)
		return err;
	while (i < count && !slice_equal(buf_slice(text), slice_of(kinds[i].kind)))
		i++;
	if (i == count)
		return err_note(ERR_NOT_FOUND, "a key of a kind that is not known here");
	key->alg = kinds[i].otherwise;
	err = text_member(jwk, "alg", text);
	if (err || !text->bytes)
		return err;
	if (alg_parse(buf_slice(text), &key->alg))
		return err_note(ERR_NOT_FOUND, "the key is for an algorithm not known here");
	bool fits = alg_rows[key->alg].family == kinds[i].family &&
		    (kinds[i].family != FAMILY_EC || key->alg == kinds[i].otherwise);
	return fits ? OK : err_note(ERR_SYNTAX, "the key's alg is not for its kty");
}

static enum err read_parts(struct json_value jwk, struct key *key, struct buf *text)
{
	const char *rsa[2] = { "n", "e" }, *ec[2] = { "x", "y" };

	enum err err = check_purpose(jwk, text);
	if (!err)
		err = choose_alg(jwk, text, key);
	if (!err)
		err = text_member(jwk, "kid", text);
	if (err)
		return err;
	if (text->bytes > KEY_KID_BYTES_MAX)
		return err_note(ERR_TOO_BIG, "the key's kid is too long");
	if (text->bytes)
		memcpy(key->kid, text->at, text->bytes);
	switch (alg_rows[key->alg].family) {
	case FAMILY_HMAC:
		err = bytes_member(jwk, "k", text);
		return err ? err : read_secret(key, buf_slice(text));
	case FAMILY_ED25519:
		return read_ed25519(jwk, key, text);
	case FAMILY_RSA:
	case FAMILY_EC:
		break;
	}
	err = read_public(jwk, key, alg_rows[key->alg].family == FAMILY_RSA ? rsa : ec);
	return err ? err : check_public(key);
}

static enum err ring_take(struct key_ring *ring, struct key *key, enum err err)
{
	if (!err && ring->count == KEY_RING_MAX)
		err = err_note(ERR_TOO_MANY, "more than %d keys", KEY_RING_MAX);
	if (err)
		key_free(key);
	else
		ring->keys[ring->count++] = key;
	return err;
}

static enum err add_jwk(struct key_ring *ring, struct json_value jwk)
{
	struct key *key = mem_zalloc(sizeof *key);
	struct buf text;

	if (!key)
		return ERR_NOMEM;
	buf_init(&text, MEMBER_BYTES_MAX);
	enum err err = members_check(jwk);
	if (!err)
		err = read_parts(jwk, key, &text);
	key_buf_fini(&text);
	return ring_take(ring, key, err);
}

/* Keys of a set that are for something else are passed over, as RFC 7517 asks for. */
static enum err add_set(struct key_ring *ring, struct json_value keys)
{
	struct slice no_name;
	struct json_value jwk;
	size_t at = 0, before = ring->count;
	enum err err = keys.kind == JSON_ARRAY ? OK : err_note(ERR_SYNTAX, "keys is no array");

	while (!err && json_next(keys, &at, &no_name, &jwk)) {
		err = add_jwk(ring, jwk);
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	if (!err && ring->count == before)
		err = err_note(ERR_NOT_FOUND, "no key of the set is for signatures");
	while (err && ring->count > before)
		key_free(ring->keys[--ring->count]);
	return err;
}

static enum err add_pem(struct key_ring *ring, struct slice text)
{
	gnutls_datum_t pem = { (unsigned char *)(uintptr_t)text.at, (unsigned)text.bytes };
	gnutls_datum_t x = { 0 };
	gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
	gnutls_pubkey_t public = NULL;
	struct key *key = mem_zalloc(sizeof *key);
	enum err err = OK;

	if (!key || gnutls_pubkey_init(&public) < 0) {
		key_free(key);
		return ERR_NOMEM;
	}
	key->public = public;
	int status = gnutls_pubkey_import(public, &pem, GNUTLS_X509_FMT_PEM);
	if (status < 0)
		return ring_take(ring, key, err_note(ERR_SYNTAX, "no public key in PEM: %s",
						     gnutls_strerror(status)));
	int kind = gnutls_pubkey_get_pk_algorithm(public, NULL);
	if (kind != GNUTLS_PK_RSA)
		(void)gnutls_pubkey_export_ecc_raw(public, &curve, &x, NULL);
	if (kind == GNUTLS_PK_RSA)
		key->alg = ALG_RS256;
	else if (curve == GNUTLS_ECC_CURVE_SECP256R1)
		key->alg = ALG_ES256;
	else if (curve == GNUTLS_ECC_CURVE_SECP384R1)
		key->alg = ALG_ES384;
	else if (curve == GNUTLS_ECC_CURVE_ED25519 && x.size == sizeof key->ed25519)
		key->alg = ALG_EDDSA;
	else
		err = err_note(ERR_NOT_FOUND, "a public key of a kind that is not known here");
	if (!err && key->alg == ALG_EDDSA)
		memcpy(key->ed25519, x.data, sizeof key->ed25519);
	else if (!err)
		err = check_public(key);
	gnutls_free(x.data);
	return ring_take(ring, key, err);
}

static enum err add_secret(struct key_ring *ring, struct slice secret)
{
	struct key *key = mem_zalloc(sizeof *key);

	if (!key)
		return ERR_NOMEM;
	if (secret.bytes && secret.at[secret.bytes - 1] == '\n')
		secret.bytes--;
	if (secret.bytes && secret.at[secret.bytes - 1] == '\r')
		secret.bytes--;
	key->alg = ALG_HS256;
	return ring_take(ring, key, read_secret(key, secret));
}

enum err key_ring_add(struct key_ring *ring, struct slice text)
{
	struct json_value object, keys;

	if (sodium_init() < 0)
		return err_note(ERR_SYSTEM, "libsodium does not start");
	if (slice_starts(text, SLICE("-----BEGIN ")))
		return add_pem(ring, text);
	if (!text.bytes || text.at[0] != '{')
		return add_secret(ring, text);
	enum err err = members_open(text, &object);
	if (err)
		return err;
	if (members_find(object, "keys", &keys))
		return add_set(ring, keys);
	return add_jwk(ring, object);
}

enum err key_file_read(const char *path, struct buf *ret_text)
{
	struct buf *text = ret_text;
	buf_init(text, KEY_FILE_BYTES_MAX + 1);
	FILE *file = fopen(path, "re");
	if (!file)
		return err_note(ERR_SYSTEM, "%s", strerror(errno));
	(void)setvbuf(file, NULL, _IONBF, 0);
	enum err err = buf_reserve(text, KEY_FILE_BYTES_MAX + 1);
	if (!err)
		text->bytes = fread(text->at, 1, KEY_FILE_BYTES_MAX + 1, file);
	if (!err && ferror(file))
		err = err_note(ERR_SYSTEM, "cannot be read");
	if (!err && text->bytes > KEY_FILE_BYTES_MAX)
		err = err_note(ERR_TOO_BIG, "longer than %d bytes", KEY_FILE_BYTES_MAX);
	(void)fclose(file);
	return err;
}

enum err key_ring_load(struct key_ring *ring, const char *path)
{
	struct buf text;
	enum err err = key_file_read(path, &text);
	if (!err)
		err = key_ring_add(ring, buf_slice(&text));
	key_buf_fini(&text);
	return err ? err_prefix(err, "%s", path) : OK;
}

#include "auth/jws.h"

#include "auth/members.h"
#include "wire/base64url.h"

struct header {
	enum alg alg;
	bool has_kid;
	struct buf kid;
};

static enum err header_read(struct slice text, struct header *header)
{
	struct json_value object, value;
	struct buf alg;

	enum err err = members_open(text, &object);
	if (err)
		return err_prefix(err, "the token's header");
	if (members_find(object, "crit", &value) || members_find(object, "b64", &value))
		return err_note(ERR_SYNTAX, "the token's header asks for an extension");
	if (members_find(object, "kid", &value)) {
		header->has_kid = true;
		err = json_string(value, &header->kid);
		if (err)
			return err_prefix(err, "the token's kid");
	}
	if (!members_find(object, "alg", &value))
		return err_note(ERR_SYNTAX, "the token's header has no alg");
	buf_init(&alg, 16);
	err = json_string(value, &alg);
	if (!err)
		err = alg_parse(buf_slice(&alg), &header->alg);
	buf_fini(&alg);
	return err ? err_note(ERR_SYNTAX, "the token's alg is none that is known here") : OK;
}

/* A key without a name may be tried for any: files of secrets and PEM cannot say one. */
static bool key_is_meant(const struct key *key, const struct header *header)
{
	return key->alg == header->alg &&
	       (!header->has_kid || !key->kid[0] ||
		slice_equal(slice_of(key->kid), buf_slice(&header->kid)));
}

static enum err verify(const struct header *header, struct slice text, struct slice signature,
		       const struct key_ring *ring)
{
	for (size_t i = 0; i < ring->count; i++) {
		if (key_is_meant(ring->keys[i], header) &&
		    key_verifies(ring->keys[i], text, signature))
			return OK;
	}
	return err_note(ERR_DENIED, "no key that this server knows verifies the token");
}

/* "a.b.c" into its three parts. */
static enum err split(struct slice token, struct slice parts[3])
{
	size_t count = 0, begin = 0;

	if (token.bytes > JWS_BYTES_MAX)
		return err_note(ERR_TOO_BIG, "the token is longer than %d bytes", JWS_BYTES_MAX);
	for (size_t i = 0; i <= token.bytes; i++) {
		if (i < token.bytes && token.at[i] != '.')
			continue;
		if (count < 3)
			parts[count] = slice_from(token.at + begin, i - begin);
		count++;
		begin = i + 1;
	}
	if (count != 3 || !parts[0].bytes || !parts[2].bytes)
		return err_note(ERR_SYNTAX, "not a token: it has not three parts");
	return OK;
}

static enum err open_parts(struct slice token, const struct slice parts[3], struct header *header,
			   struct buf *scratch, const struct key_ring *ring)
{
	enum err err = base64url_decode(parts[0], scratch);
	if (!err)
		err = header_read(buf_slice(scratch), header);
	buf_reset(scratch);
	if (!err)
		err = base64url_decode(parts[2], scratch);
	if (err)
		return err;
	struct slice text = slice_from(token.at, parts[0].bytes + 1 + parts[1].bytes);
	return verify(header, text, buf_slice(scratch), ring);
}

enum err jws_open(struct slice token, const struct key_ring *ring, struct buf *payload)
{
	struct slice parts[3];
	struct header header = { 0 };
	struct buf scratch;

	enum err err = split(token, parts);
	if (err)
		return err;
	buf_init(&scratch, JWS_BYTES_MAX);
	buf_init(&header.kid, KEY_KID_BYTES_MAX);
	err = open_parts(token, parts, &header, &scratch, ring);
	buf_fini(&header.kid);
	buf_fini(&scratch);
	return err ? err : base64url_decode(parts[1], payload);
}

static enum err header_put(const struct key *key, struct buf *header)
{
	(void)buf_putf(header, "{\"alg\":\"%s\",\"typ\":\"JWT\"", alg_text(key->alg));
	if (key->kid[0]) {
		(void)buf_put_text(header, ",\"kid\":");
		(void)json_quote(slice_of(key->kid), header);
	}
	return buf_put_text(header, "}");
}

enum err jws_seal(struct slice payload, const struct key *key, struct buf *token)
{
	unsigned char signature[KEY_SIGNATURE_BYTES_MAX];
	size_t bytes = 0;
	struct buf header;

	buf_init(&header, JWS_BYTES_MAX);
	enum err err = header_put(key, &header);
	if (!err)
		err = header.err;
	if (!err)
		err = base64url_encode(buf_slice(&header), token);
	buf_fini(&header);
	if (!err)
		err = buf_put_byte(token, '.');
	if (!err)
		err = base64url_encode(payload, token);
	if (!err)
		err = key_sign(key, buf_slice(token), signature, &bytes);
	if (!err)
		err = buf_put_byte(token, '.');
	if (err)
		return err;
	return base64url_encode(slice_from((const char *)signature, bytes), token);
}

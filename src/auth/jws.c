#include "auth/jws.h"

#include "auth/members.h"
#include "wire/base64url.h"

static enum err header_read(struct slice text, struct jws *jws)
{
	struct json_value object, value;
	struct buf alg;

	enum err err = members_open(text, &object);
	if (err)
		return err_prefix(err, "the token's header");
	if (members_find(object, "crit", &value) || members_find(object, "b64", &value))
		return err_note(ERR_SYNTAX, "the token's header asks for an extension");
	if (members_find(object, "kid", &value)) {
		jws->has_kid = true;
		err = json_string(value, &jws->kid);
		if (err)
			return err_prefix(err, "the token's kid");
	}
	if (!members_find(object, "alg", &value))
		return err_note(ERR_SYNTAX, "the token's header has no alg");
	buf_init(&alg, 16);
	err = json_string(value, &alg);
	if (!err)
		err = alg_parse(buf_slice(&alg), &jws->alg);
	buf_fini(&alg);
	if (err == ERR_NOMEM)
		return err;
	return err ? err_note(ERR_SYNTAX, "the token's alg is none that is known here") : OK;
}

static bool is_named_so(const struct key *key, const struct jws *jws)
{
	return key->kid[0] && slice_equal(slice_of(key->kid), buf_slice(&jws->kid));
}

static bool ring_has_name(const struct key_ring *ring, const struct jws *jws)
{
	for (size_t i = 0; i < ring->count; i++) {
		if (is_named_so(ring->keys[i], jws))
			return true;
	}
	return false;
}

bool jws_names_unknown_key(const struct jws *jws, const struct key_ring *ring)
{
	return jws->has_kid && !ring_has_name(ring, jws);
}

enum err jws_verify(const struct jws *jws, const struct key_ring *ring)
{
	bool by_name = jws->has_kid && ring_has_name(ring, jws);

	for (size_t i = 0; i < ring->count; i++) {
		const struct key *key = ring->keys[i];
		bool is_meant = by_name ? is_named_so(key, jws) : !jws->has_kid || !key->kid[0];
		if (is_meant && key->alg == jws->alg &&
		    key_verifies(key, jws->text, buf_slice(&jws->signature)))
			return OK;
	}
	return err_note(ERR_TOKEN, "no key that this server knows verifies the token");
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

enum err jws_read(struct slice token, struct jws *ret_jws)
{
	struct slice parts[3];
	struct jws *jws = ret_jws;
	struct buf header;

	*jws = (struct jws){ 0 };
	buf_init(&jws->kid, KEY_KID_BYTES_MAX);
	buf_init(&jws->payload, JWS_BYTES_MAX);
	buf_init(&jws->signature, JWS_BYTES_MAX);
	enum err err = split(token, parts);
	if (err)
		return err;
	buf_init(&header, JWS_BYTES_MAX);
	err = base64url_decode(parts[0], &header);
	if (!err)
		err = header_read(buf_slice(&header), jws);
	buf_fini(&header);
	if (!err)
		err = base64url_decode(parts[2], &jws->signature);
	if (!err)
		err = base64url_decode(parts[1], &jws->payload);
	jws->text = slice_from(token.at, parts[0].bytes + 1 + parts[1].bytes);
	return err;
}

void jws_fini(struct jws *jws)
{
	buf_fini(&jws->kid);
	buf_fini(&jws->payload);
	buf_fini(&jws->signature);
}

enum err jws_open(struct slice token, const struct key_ring *ring, struct buf *payload)
{
	struct jws jws;

	enum err err = jws_read(token, &jws);
	if (!err)
		err = jws_verify(&jws, ring);
	if (!err)
		err = buf_put(payload, buf_slice(&jws.payload));
	jws_fini(&jws);
	return err;
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

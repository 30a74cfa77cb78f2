/*
 * jws: JSON Web Signatures in their compact form (RFC 7515).
 *
 * Thread  any.
 * Promise a signature is good only by a key of the ring whose algorithm the header names. jku, jwk,
 *         x5u and x5c are passed over: a token does not bring its own key. A refusal does not tell
 *         whether the key or the signature was wrong.
 * Bound   JWS_BYTES_MAX.
 */
#ifndef TAPECAST_AUTH_JWS_H
#define TAPECAST_AUTH_JWS_H

#include "auth/key.h"

enum { JWS_BYTES_MAX = 4096 };

/* A token taken apart; nothing of it is true before jws_verify says so. */
struct jws {
	enum alg alg;
	bool has_kid;
	struct slice text; /* what is signed: of the token, which must stay */
	struct buf kid, payload, signature;
};

/* ERR_TOO_BIG, ERR_SYNTAX, ERR_UTF8, ERR_NOMEM. jws_fini in every case. */
enum err jws_read(struct slice token, struct jws *ret_jws) ERR_CHECKED;
void jws_fini(struct jws *jws);
/* ERR_TOKEN. A token that names a key is verified by the keys of that name alone, or, if the ring
 * has none of that name, by those without one: secrets and PEM cannot say theirs. */
enum err jws_verify(const struct jws *jws, const struct key_ring *ring) ERR_CHECKED;
/* The ring could know more when it is read again: the token names a key that is not in it. */
bool jws_names_unknown_key(const struct jws *jws, const struct key_ring *ring);

/* Puts the payload of a token that verifies. The errors of both. */
enum err jws_open(struct slice token, const struct key_ring *ring, struct buf *payload) ERR_CHECKED;
/* Puts a token. ERR_DENIED: the key cannot sign; ERR_TOO_BIG. */
enum err jws_seal(struct slice payload, const struct key *key, struct buf *token) ERR_CHECKED;

#endif

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

/* Puts the payload of a token that verifies. ERR_TOO_BIG, ERR_SYNTAX, ERR_UTF8, ERR_DENIED. */
enum err jws_open(struct slice token, const struct key_ring *ring, struct buf *payload) ERR_CHECKED;
/* Puts a token. ERR_DENIED: the key cannot sign; ERR_TOO_BIG. */
enum err jws_seal(struct slice payload, const struct key *key, struct buf *token) ERR_CHECKED;

#endif

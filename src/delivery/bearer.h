/*
 * bearer: who listens: a token that was verified, as sessions and requests hold it.
 *
 * Owns    its copies of sub and jti, and the grants, which only those look into who gave them.
 * Thread  any: the reference count and `revoked` are atomic, the rest never changes.
 */
#ifndef TAPECAST_DELIVERY_BEARER_H
#define TAPECAST_DELIVERY_BEARER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct bearer;

#define BEARER_NEVER UINT64_MAX

struct bearer_terms {
	uint64_t expires_ms; /* Unix time, leeway already added; BEARER_NEVER */
	struct slice sub, jti; /* copied; may be empty */
	void *grants; /* the bearer's from then on; NULL: none */
	void (*grants_free)(void *grants); /* with the last reference; NULL: nothing to free */
};

/* With one reference. ERR_NOMEM: grants is still the caller's. */
enum err bearer_new(const struct bearer_terms *terms, struct bearer **ret_bearer) ERR_CHECKED;
struct bearer *bearer_ref(struct bearer *bearer); /* NULL is fine, and gives NULL */
/* Drops one reference, frees with the last, sets *bearer to NULL. NULL is fine. */
void bearer_unref(struct bearer **bearer);

uint64_t bearer_expires_ms(const struct bearer *bearer);
struct slice bearer_sub(const struct bearer *bearer);
struct slice bearer_jti(const struct bearer *bearer);
void *bearer_grants(const struct bearer *bearer);

/* Revoked: nothing more may be done in its name. Never taken back. Sessions are closed by
 * engine_disconnect, which also sets it on the bearers of those that it closes. */
void bearer_revoke(struct bearer *bearer);
bool bearer_revoked(const struct bearer *bearer);
/* Neither revoked nor past its time. NULL (nobody is asked for a token): true. */
bool bearer_valid(const struct bearer *bearer, uint64_t wall_ms);

#endif

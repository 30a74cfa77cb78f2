/*
 * grant: who asks, what they may do, and until when: what a token or an API key comes to.
 *
 * Owns    its texts.
 * Thread  any: nothing changes but the count of references.
 * Time    Unix milliseconds.
 * Bound   what claims may hold.
 */
#ifndef TAPECAST_AUTH_GRANT_H
#define TAPECAST_AUTH_GRANT_H

#include <stdatomic.h>

#include "auth/claims.h"

#define GRANT_FOR_EVER UINT64_MAX

struct grant {
	uint32_t tag;
	_Atomic uint32_t refs;
	uint64_t expires_ms; /* the leeway is in it; GRANT_FOR_EVER */
	struct slice sub, jti, info; /* may be empty; info: JSON */
	bool admin;
	size_t pattern_count[VERB_COUNT];
	const struct slice *patterns[VERB_COUNT];
};

/* A copy of what matters of claims that have been checked. ERR_NOMEM. */
enum err grant_new(const struct claims *claims, uint64_t leeway_ms, struct grant **ret_grant)
	ERR_CHECKED;
struct grant *grant_ref(struct grant *grant);
/* NULL is fine; sets it to NULL. */
void grant_unref(struct grant **grant);

/* ERR_DENIED with a note that names the stream. */
enum err grant_allow(const struct grant *grant, enum verb verb, struct slice name) ERR_CHECKED;
/* ERR_DENIED: it allows no stream at all. */
enum err grant_allow_any(const struct grant *grant, enum verb verb) ERR_CHECKED;

#endif

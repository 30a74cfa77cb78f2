#include "delivery/bearer.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "base/must.h"

#define BEARER_TAG 0xbea4e4u

struct bearer {
	uint32_t tag;
	_Atomic uint32_t refs;
	atomic_bool revoked;
	uint64_t expires_ms;
	void *grants;
	void (*grants_free)(void *grants);
	size_t sub_bytes, jti_bytes;
	char bytes[]; /* sub, jti */
};

enum err bearer_new(const struct bearer_terms *terms, struct bearer **ret_bearer)
{
	struct bearer *bearer =
		mem_zalloc(sizeof *bearer + terms->sub.bytes + terms->jti.bytes);
	if (!bearer)
		return ERR_NOMEM;
	bearer->tag = BEARER_TAG;
	atomic_init(&bearer->refs, 1);
	bearer->expires_ms = terms->expires_ms;
	bearer->grants = terms->grants;
	bearer->grants_free = terms->grants_free;
	bearer->sub_bytes = terms->sub.bytes;
	bearer->jti_bytes = terms->jti.bytes;
	if (terms->sub.bytes)
		memcpy(bearer->bytes, terms->sub.at, terms->sub.bytes);
	if (terms->jti.bytes)
		memcpy(bearer->bytes + terms->sub.bytes, terms->jti.at, terms->jti.bytes);
	*ret_bearer = bearer;
	return OK;
}

struct bearer *bearer_ref(struct bearer *bearer)
{
	if (!bearer)
		return NULL;
	MUST_BE(bearer, BEARER_TAG);
	atomic_fetch_add_explicit(&bearer->refs, 1, memory_order_relaxed);
	return bearer;
}

void bearer_unref(struct bearer **bearer)
{
	struct bearer *mine = *bearer;
	*bearer = NULL;
	if (!mine)
		return;
	MUST_BE(mine, BEARER_TAG);
	if (atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) > 1)
		return;
	if (mine->grants_free)
		mine->grants_free(mine->grants);
	mine->tag = 0;
	mem_free(mine);
}

uint64_t bearer_expires_ms(const struct bearer *bearer)
{
	return bearer->expires_ms;
}

struct slice bearer_sub(const struct bearer *bearer)
{
	return slice_from(bearer->bytes, bearer->sub_bytes);
}

struct slice bearer_jti(const struct bearer *bearer)
{
	return slice_from(bearer->bytes + bearer->sub_bytes, bearer->jti_bytes);
}

void *bearer_grants(const struct bearer *bearer)
{
	return bearer->grants;
}

void bearer_revoke(struct bearer *bearer)
{
	MUST_BE(bearer, BEARER_TAG);
	atomic_store(&bearer->revoked, true);
}

bool bearer_revoked(const struct bearer *bearer)
{
	return atomic_load(&bearer->revoked);
}

bool bearer_valid(const struct bearer *bearer, uint64_t wall_ms)
{
	if (!bearer)
		return true;
	MUST_BE(bearer, BEARER_TAG);
	return !bearer_revoked(bearer) && wall_ms < bearer->expires_ms;
}

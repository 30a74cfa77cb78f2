/*
 * revoked: whose tokens are no longer good, though they have not expired.
 *
 * Owns    its entries.
 * Thread  any; a lock for readers and writers.
 * Time    Unix milliseconds, passed in.
 * Bound   REVOKED_MAX entries; what has run out makes room.
 */
#ifndef TAPECAST_AUTH_REVOKED_H
#define TAPECAST_AUTH_REVOKED_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { REVOKED_MAX = 100000, REVOKED_TEXT_MAX = 1024 };

enum revoked_kind { REVOKED_SUB, REVOKED_JTI };

struct revoked;

enum err revoked_new(struct revoked **ret_revoked) ERR_CHECKED;
void revoked_free(struct revoked **revoked);

/* Until then; the later of two counts. ERR_FULL, ERR_TOO_BIG, ERR_NOMEM. */
enum err revoked_put(struct revoked *revoked, enum revoked_kind kind, struct slice text,
		     uint64_t until_ms, uint64_t now_ms) ERR_CHECKED;
bool revoked_has(struct revoked *revoked, enum revoked_kind kind, struct slice text,
		 uint64_t now_ms);
size_t revoked_count(struct revoked *revoked);

#endif

/*
 * publish: what a POST body says, as drafts: one JSON object, or /v1/publish's array.
 *
 * Owns    unescaped strings live in the caller's buf (scratch), drafts point into it and the text.
 * Promise pure. Unknown members are an error that names them (a typo must not lose a field).
 *         Members: stream, data, type, key, ttl (seconds), ephemeral, end, idempotency_key; none
 *         twice. null is a value for data and means "absent" for all others.
 *         data: a JSON string gives its characters; any other value its own bytes (json = true).
 * Bound   PUBLISH_BATCH_MAX drafts an array.
 */
#ifndef TAPECAST_WIRE_PUBLISH_H
#define TAPECAST_WIRE_PUBLISH_H

#include "base/buf.h"
#include "wire/draft.h"

enum { PUBLISH_BATCH_MAX = 1000 };

/* scratch is appended to where strings have escapes, and must stay untouched while the draft is
 * used; it needs room for text.bytes. Fields are not checked here but by draft_check. */
enum err publish_object(struct slice text, struct buf *scratch,
			struct draft *ret_draft) ERR_CHECKED;

/* One array of objects that name their streams: *ret_count drafts in ret_drafts[PUBLISH_BATCH_MAX],
 * which hold nothing of use after an error. A note names the element's index. scratch is reserved
 * once to text.bytes, so that drafts' pointers hold. */
enum err publish_array(struct slice text, struct buf *scratch, struct draft *ret_drafts,
		       size_t *ret_count) ERR_CHECKED;

#endif

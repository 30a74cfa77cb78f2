/*
 * publish: what a POST body says, as drafts: one JSON object, or /v1/publish's array.
 *
 * Owns    unescaped strings live in the caller's buf (scratch), drafts point into it and the text.
 * Promise pure. Unknown members are an error that names them (a typo must not lose a field).
 *         Members: stream, data, type, key, ttl (seconds), ephemeral, end, idem ("idempotency_key").
 *         data: a JSON string gives its characters; any other value its own bytes (json = true).
 * Bound   PUBLISH_BATCH_MAX drafts an array.
 */
#ifndef TAPECAST_WIRE_PUBLISH_H
#define TAPECAST_WIRE_PUBLISH_H

#include "base/buf.h"
#include "wire/draft.h"

enum { PUBLISH_BATCH_MAX = 1000 };

/* scratch must stay untouched while the draft is used; its bytes_max >= text.bytes. */
enum err publish_object(struct slice text, struct buf *scratch, struct draft *ret_draft) ERR_CHECKED;

/* One array of objects. *ret_count drafts into ret_drafts[PUBLISH_BATCH_MAX]; a note names the
 * element's index. scratch is reserved once to text.bytes, so that drafts' pointers hold. */
enum err publish_array(struct slice text, struct buf *scratch, struct draft *ret_drafts,
		       size_t *ret_count) ERR_CHECKED;

#endif

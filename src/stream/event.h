/*
 * event: what was said: immutable bytes and a position, shared by everybody who holds a reference.
 *
 * Owns    its bytes, one block.
 * Thread  any; the reference count is atomic, the rest never changes once it has been shared.
 */
#ifndef TAPECAST_STREAM_EVENT_H
#define TAPECAST_STREAM_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "wire/draft.h"
#include "wire/position.h"

struct event {
	uint32_t tag;
	_Atomic uint32_t refs;
	struct position position; /* an ephemeral event stands at the position before it */
	uint64_t wall_ms; /* when it was accepted, Unix time: shown, never compared */
	uint64_t born_ms; /* when this node first had it, monotonic: age and ttl count from here */
	uint64_t ttl_ms; /* 0: none */
	bool ephemeral;
	bool json;
	enum end_state end; /* not END_NONE: this is the stream's end, and it has no data */
	uint32_t type_bytes, key_bytes, data_bytes;
	char bytes[]; /* type, key, data */
};

static inline struct slice event_type(const struct event *event)
{
	return slice_from(event->bytes, event->type_bytes);
}

static inline struct slice event_key(const struct event *event)
{
	return slice_from(event->bytes + event->type_bytes, event->key_bytes);
}

static inline struct slice event_data(const struct event *event)
{
	return slice_from(event->bytes + event->type_bytes + event->key_bytes, event->data_bytes);
}

/* From the draft's data (end is left out: see event_new_end), with one reference. The position is
 * the origin until the backplane writes the real one, before sharing. ERR_NOMEM. */
enum err event_new(const struct draft *draft, uint64_t wall_ms, uint64_t now_ms,
		   struct event **ret_event) ERR_CHECKED;
enum err event_new_end(enum end_state end, uint64_t wall_ms, uint64_t now_ms,
		       struct event **ret_event) ERR_CHECKED;
struct event *event_ref(struct event *event);
/* Drops one reference, frees with the last, sets *event to NULL. NULL is fine. */
void event_unref(struct event **event);

/* Its ttl has run out. */
bool event_expired(const struct event *event, uint64_t now_ms);
/* What it weighs against byte bounds. */
size_t event_weight(const struct event *event);

#endif

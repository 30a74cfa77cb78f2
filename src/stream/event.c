#include "stream/event.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

#define EVENT_TAG 0xe4e27a1bu

enum err event_new(const struct draft *draft, uint64_t wall_ms, uint64_t now_ms,
		   struct event **ret_event)
{
	size_t bytes = draft->type.bytes + draft->key.bytes + draft->data.bytes;
	if (draft->type.bytes > UINT32_MAX || draft->key.bytes > UINT32_MAX ||
	    draft->data.bytes > UINT32_MAX)
		return err_note(ERR_TOO_BIG, "an event cannot hold %zu bytes", bytes);
	struct event *event = mem_alloc(sizeof *event + bytes);
	if (!event)
		return ERR_NOMEM;

	*event = (struct event){
		.tag = EVENT_TAG,
		.wall_ms = wall_ms,
		.born_ms = now_ms,
		.ttl_ms = draft->ttl_ms,
		.ephemeral = draft->ephemeral,
		.json = draft->json,
		.type_bytes = (uint32_t)draft->type.bytes,
		.key_bytes = (uint32_t)draft->key.bytes,
		.data_bytes = (uint32_t)draft->data.bytes,
	};
	atomic_init(&event->refs, 1);
	char *at = event->bytes;
	const struct slice parts[] = { draft->type, draft->key, draft->data };
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i].bytes)
			memcpy(at, parts[i].at, parts[i].bytes);
		at += parts[i].bytes;
	}
	*ret_event = event;
	return OK;
}

enum err event_new_end(enum end_state end, uint64_t wall_ms, uint64_t now_ms,
		       struct event **ret_event)
{
	MUST(end != END_NONE);
	struct event *event = NULL;
	enum err err = event_new(&(struct draft){ 0 }, wall_ms, now_ms, &event);
	if (err)
		return err;
	event->end = end;
	*ret_event = event;
	return OK;
}

struct event *event_ref(struct event *event)
{
	MUST_BE(event, EVENT_TAG);
	atomic_fetch_add_explicit(&event->refs, 1, memory_order_relaxed);
	return event;
}

void event_unref(struct event **event)
{
	if (!*event)
		return;
	MUST_BE(*event, EVENT_TAG);
	if (atomic_fetch_sub_explicit(&(*event)->refs, 1, memory_order_acq_rel) == 1) {
		(*event)->tag = 0;
		mem_free(*event);
	}
	*event = NULL;
}

bool event_expired(const struct event *event, uint64_t now_ms)
{
	/* A time taken a moment before the event came is no overflow. */
	return event->ttl_ms && now_ms >= event->born_ms &&
	       now_ms - event->born_ms >= event->ttl_ms;
}

size_t event_weight(const struct event *event)
{
	return sizeof *event + event->type_bytes + event->key_bytes + event->data_bytes;
}

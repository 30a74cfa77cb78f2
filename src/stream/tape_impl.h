/*
 * tape_impl: the inside of a tape, for tape.c, tape_place.c and tape_peek.c alone.
 */
#ifndef TAPECAST_STREAM_TAPE_IMPL_H
#define TAPECAST_STREAM_TAPE_IMPL_H

#include "stream/keys.h"
#include "stream/segment.h"
#include "stream/tape.h"

#define TAPE_TAG 0x7a9e0c57u

/* An event, or a fork (event is NULL). */
struct entry {
	struct event *event;
	struct gap *fork;
	bool superseded; /* its key has a newer value on the tape */
};

/* One form's bytes: a chain of segments that covers the ordinals tail..head. */
struct reel {
	bool used;
	struct segment *first;
	struct segment *last;
};

struct tape {
	uint32_t tag;
	struct slice name;
	struct tape_bounds bounds;
	struct entry *ring; /* capacity is a power of two */
	size_t ring_capacity;
	uint64_t tail_ord;
	uint64_t head_ord;
	uint64_t region_ord; /* the first entry behind the newest fork */
	struct position floor; /* the position before entry tail_ord */
	struct position head;
	uint64_t broken_ord; /* before it lay a fork, trimmed by now, that took numbers back */
	size_t event_bytes; /* weight of the events */
	size_t reel_bytes; /* capacity of the segments */
	size_t fork_count, end_count; /* entries told one by one */
	size_t passing_count; /* ephemeral or with a ttl: lagging readers may step over them */
	size_t superseded_count;
	struct keys keys; /* of SLOW_COALESCE tapes */
	struct reel reels[FORM_COUNT];
};

static inline struct entry *tape_entry(const struct tape *tape, uint64_t ord)
{
	return &tape->ring[ord & (tape->ring_capacity - 1)];
}

static inline const struct position *entry_position(const struct entry *entry)
{
	return entry->event ? &entry->event->position : &entry->fork->next;
}

static inline bool entry_is_event(const struct entry *entry)
{
	return entry->event && entry->event->end == END_NONE;
}

/* Left out for a reader that lags. */
static inline bool entry_passed_by(const struct entry *entry, uint64_t now_ms)
{
	return entry_is_event(entry) &&
	       (entry->event->ephemeral || event_expired(entry->event, now_ms));
}

static inline struct position tape_before(const struct tape *tape, uint64_t ord)
{
	return ord == tape->tail_ord ? tape->floor : *entry_position(tape_entry(tape, ord - 1));
}

#endif

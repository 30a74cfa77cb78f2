/*
 * due: deadlines that all wait equally long, so that a queue keeps them in order: O(1) throughout.
 *
 * Owns    nothing: a due lives inside the object that waits.
 * Thread  the loop's.
 * Time    monotonic milliseconds, passed in.
 */
#ifndef TAPECAST_FRONT_DUE_H
#define TAPECAST_FRONT_DUE_H

#include <stdint.h>

#include "base/list.h"

struct due_queue {
	struct list waiting;
	uint32_t wait_ms;
};

struct due {
	struct list link;
	uint64_t at_ms;
};

static inline void due_queue_init(struct due_queue *queue, uint32_t wait_ms)
{
	list_init(&queue->waiting);
	queue->wait_ms = wait_ms;
}

static inline void due_init(struct due *due)
{
	list_init(&due->link);
	due->at_ms = 0;
}

/* Takes due off whatever queue it is on; nothing happens if it is on none. */
static inline void due_disarm(struct due *due)
{
	list_drop(&due->link);
}

/* (Re)starts the wait, in this queue. */
static inline void due_arm(struct due_queue *queue, struct due *due, uint64_t now_ms)
{
	due_disarm(due);
	due->at_ms = now_ms + queue->wait_ms;
	list_push(&queue->waiting, &due->link);
}

/* The next one whose time has come, taken off; NULL if there is none. */
static inline struct due *due_next(struct due_queue *queue, uint64_t now_ms)
{
	if (list_empty(&queue->waiting))
		return NULL;
	struct due *due = CONTAINER_OF(queue->waiting.next, struct due, link);
	if (due->at_ms > now_ms)
		return NULL;
	due_disarm(due);
	return due;
}

/* In how many ms the first one comes, at most `most`; -1 as `most` and none waits: -1. */
static inline int due_within(const struct due_queue *queue, uint64_t now_ms, int most)
{
	if (list_empty(&queue->waiting))
		return most;
	const struct due *due = CONTAINER_OF(queue->waiting.next, struct due, link);
	uint64_t in_ms = due->at_ms > now_ms ? due->at_ms - now_ms : 0;
	return most >= 0 && in_ms >= (uint64_t)most ? most : (int)in_ms;
}

#endif

/*
 * memory: the backplane inside the process: one node, no other service, gone with it.
 *
 * Owns    the streams' histories (references to events), idempotency keys, ends.
 * Thread  any; one lock for the table, one a stream. Publishes and pushes run in the caller's
 *         thread, pushes under the stream's store lock, so that their order is the history's.
 *         Lock rank: store < hub < stream.
 * Promise positions, answers and statuses are those of the agreement every backplane keeps
 *         (ARCHITECTURE.md); with the fault hooks unused, no push is ever lost.
 * Bound   streams_max; events, bytes and age a stream (the class's); bytes in all (least recently
 *         used idle streams go first); idempotency keys: two generations of idem_max each;
 *         BACKPLANE_FACTS_MAX facts a set, in MEMORY_FACT_SETS_MAX sets.
 */
#ifndef TAPECAST_BACKPLANE_MEMORY_H
#define TAPECAST_BACKPLANE_MEMORY_H

#include "backplane/backplane.h"
#include "stream/tape.h"
#include "world/world.h"

enum { MEMORY_FACT_SETS_MAX = 64 };

struct memory_config {
	struct world *world; /* clocks and the random part of epochs */
	size_t streams_max; /* default 100,000 */
	size_t bytes_max; /* of all histories */
	size_t idem_max; /* keys a generation and stream, default 10,000 */
	uint64_t idem_window_ms; /* default 120,000 */
	struct tape_bounds (*bounds_of)(void *arg, struct slice name);
	void *bounds_arg;
	struct backplane_ear ear;
};

enum err memory_new(const struct memory_config *config, struct backplane **ret_backplane)
	ERR_CHECKED;

/* Fault hooks for tests and the simulation; with any of them used, ops->pushes_can_fail should be
 * believed by the feed: memory_faults_allow makes it so (before the first stream). */
void memory_faults_allow(struct backplane *backplane);
/* The next `count` pushes (of any stream) are dropped in silence. */
void memory_fault_drop(struct backplane *backplane, uint32_t count);
/* Pushes are held and delivered, in order, by turn() `delay_ms` later; answers to reads too, each
 * by the delay of its time; and watches, which see nothing until they are confirmed. */
void memory_fault_delay(struct backplane *backplane, uint32_t delay_ms);
/* The stream forgets its newest `count` events, as a failover to a replica that lagged does: same
 * epoch, smaller head; what is published next takes the same numbers with other tags. No push. */
void memory_fault_fork(struct backplane *backplane, struct slice name, uint32_t count);
/* The stream is gone, as after FLUSHALL: the next publish begins a new epoch. No push. */
void memory_fault_lose(struct backplane *backplane, struct slice name);
/* Every call answers ERR_UNAVAILABLE, pushes are dropped; back again: sink.doubt is called. */
void memory_fault_away(struct backplane *backplane, bool away);

#endif

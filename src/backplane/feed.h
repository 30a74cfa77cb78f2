/*
 * feed: keeps the tapes of open streams equal to the backplane's histories: order, healing, gaps.
 *
 * Owns    one record per fed stream (in the stream's feed slot).
 * Thread  any for attach and the backplane's answers; feed_turn: one thread. A stream's record is
 *         guarded by the stream's lock; no backplane call is made while it is held.
 * Promise events are appended to a tape parent to child, or a fork with the right gap stands
 *         between. A gap only when loss is known: never because the backplane is slow or away.
 * Bound   pushes held back while a read is under way: 256 or 1 MB a stream, then read again.
 */
#ifndef TAPECAST_BACKPLANE_FEED_H
#define TAPECAST_BACKPLANE_FEED_H

#include "backplane/backplane.h"
#include "stream/hub.h"
#include "world/world.h"

struct feed;

/* What was done so far, and took how long. */
struct feed_counts {
	uint64_t reads, probes; /* asked */
	uint64_t failed; /* of both: no answer, or none that could be used */
	uint64_t hurt; /* live streams that fell behind: a hole, a doubt, a fork, a failed read */
	uint64_t healed, healed_ms, healed_ms_max; /* and caught up again; the sum of how long */
	uint64_t gaps_trimmed, gaps_epoch, gaps_rewound; /* forks on tapes, by what was told */
	uint64_t streams; /* fed now */
};

/* Becomes the backplane's sink and the hub's `unfed`. */
enum err feed_new(struct world *world, struct hub *hub, struct backplane *backplane,
		  struct feed **ret_feed) ERR_CHECKED;
/* After hub_free: no stream is fed then, and the last answer has come. The backplane goes later. */
void feed_free(struct feed **feed);

/* Somebody wants to listen: watch, read, go live (stream_live_set, stream_moved). Does nothing if
 * it is on its way already. Any thread, no lock held. Memory: live when it returns. */
enum err feed_attach(struct feed *feed, struct stream *stream) ERR_CHECKED;

/* Reads of streams that a push has shown to be behind, probes of quiet streams (5 s +-20 %, only
 * where pushes can fail), retries of failed reads. Call about every 50 ms. */
void feed_turn(struct feed *feed, uint64_t now_ms);

/* Any thread. */
void feed_counts_get(struct feed *feed, struct feed_counts *ret_counts);

#endif

/*
 * stream: a name, its tape, a lock, and those to be told when the tape moves.
 *
 * Owns    its tape.
 * Thread  any; stream_lock guards the tape, the state and the watches. Lock rank: hub < stream.
 * Promise news is a mark: stream_moved calls each watch once, under the lock; a watch only sets a
 *         bit and wakes its loop, so a publish costs O(loops that listen).
 */
#ifndef TAPECAST_STREAM_STREAM_H
#define TAPECAST_STREAM_STREAM_H

#include "base/list.h"
#include "stream/tape.h"

struct stream;
struct watch;

/* Called under the stream's lock, from any thread: mark and return. */
typedef void watch_fn(struct watch *watch);

/* Embed it in the object that waits; drop it before that object goes. */
struct watch {
	struct list link;
	watch_fn *moved;
};

struct slice stream_name(const struct stream *stream);
void stream_lock(struct stream *stream);
void stream_unlock(struct stream *stream);

/* All below: under the lock. */
struct tape *stream_tape(struct stream *stream);
/* Live: the tape is the stream's history up to now, and readers may be placed. */
bool stream_live(const struct stream *stream);
void stream_live_set(struct stream *stream, bool live);
void stream_watch_add(struct stream *stream, struct watch *watch);
void stream_watch_drop(struct stream *stream, struct watch *watch);
size_t stream_watch_count(const struct stream *stream);
void stream_moved(struct stream *stream);

/* One pointer for whoever feeds the stream; freed by hub_config.unfed when the stream goes. */
void *stream_feed(const struct stream *stream);
void stream_feed_set(struct stream *stream, void *feed);

#endif

/*
 * hub: the streams this node has open, by name.
 *
 * Owns    its streams; whoever holds a reference keeps one from going.
 * Thread  any; one lock. Lock rank: hub before stream.
 * Bound   streams_max (the longest idle makes room; ERR_TOO_MANY if all are in use). An unused
 *         stream lingers for linger_ms and goes earlier when tapes weigh more than bytes_max in
 *         all, the least recently used first.
 */
#ifndef TAPECAST_STREAM_HUB_H
#define TAPECAST_STREAM_HUB_H

#include "stream/stream.h"

struct hub;

struct hub_config {
	size_t streams_max;
	size_t bytes_max;
	uint64_t linger_ms;
	/* The bounds of a stream, by its name (its class). */
	struct tape_bounds (*bounds_of)(void *arg, struct slice name);
	/* The stream is gone from the hub: free its feed. No lock is held, so a stream of the same
	 * name may already be there again. NULL: nobody feeds. */
	void (*unfed)(void *unfed_arg, struct slice name, void *feed);
	void *unfed_arg;
	void *arg; /* bounds_of's */
};

enum err hub_new(const struct hub_config *config, struct hub **ret_hub) ERR_CHECKED;
/* No stream may be referenced any more. */
void hub_free(struct hub **hub);
/* unfed's argument is known later than the hub (wiring). Before any stream exists. */
void hub_unfed_set(struct hub *hub, void (*unfed)(void *, struct slice, void *), void *arg);

/* The stream with a reference, made if it is not there. ERR_TOO_MANY, ERR_NOMEM. */
enum err hub_get(struct hub *hub, struct slice name, struct stream **ret_stream) ERR_CHECKED;
/* With a reference, or NULL. */
struct stream *hub_find(struct hub *hub, struct slice name);
/* As hub_find, but not a use: a stream that is only fed still lingers out. */
struct stream *hub_visit(struct hub *hub, struct slice name);
/* Gives the reference back; sets *stream to NULL. */
void hub_put(struct hub *hub, struct stream **stream, uint64_t now_ms);
/* Lets go of streams that have lingered enough, or that the byte bound asks for; ages a bounded
 * number of tapes. Call about once a second. */
void hub_turn(struct hub *hub, uint64_t now_ms);

/* At most count_max of the open streams whose names begin with prefix, in no order; false: there
 * are more. fn is called under the stream's lock, and may only look. */
typedef void hub_list_fn(void *arg, struct stream *stream);
bool hub_list(struct hub *hub, struct slice prefix, size_t count_max, hub_list_fn *fn, void *arg);

size_t hub_count(const struct hub *hub);
size_t hub_weight(const struct hub *hub);

#endif

/*
 * stream_impl: the inside of a stream, for stream.c and hub.c alone.
 */
#ifndef TAPECAST_STREAM_STREAM_IMPL_H
#define TAPECAST_STREAM_STREAM_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "stream/stream.h"

#define STREAM_TAG 0x57e3a41du

struct stream {
	uint32_t tag;
	pthread_mutex_t lock;
	struct tape *tape;
	bool live;
	struct list watches;
	size_t watch_count;
	void *feed;
	size_t weighed; /* what the hub's weight counts for this stream */
	_Atomic size_t *hub_weight;
	/* The hub's, under the hub's lock. */
	uint32_t refs;
	uint64_t idle_since_ms;
	struct list idle_link;
	size_t name_bytes;
	char name[];
};

/* With one reference and a fresh tape. ERR_NOMEM. */
enum err stream_new(struct slice name, struct tape_bounds bounds, _Atomic size_t *hub_weight,
		    struct stream **ret_stream) ERR_CHECKED;
void stream_free(struct stream **stream);

#endif

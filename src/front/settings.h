/*
 * settings: what the front is told at start; the same for every door.
 *
 * Owns    nothing; whoever makes it keeps it, unchanged, as long as a door lives.
 */
#ifndef TAPECAST_FRONT_SETTINGS_H
#define TAPECAST_FRONT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { SETTINGS_ORIGINS_MAX = 64 };

struct front_settings {
	bool dev; /* the try-it page, any origin */
	size_t event_bytes_max; /* an event's data; the body of a plain publish */
	size_t batch_bytes_max; /* the body of /v1/publish */
	size_t head_bytes_max; /* a request's head: libmicrohttpd's memory for a connection */
	uint32_t requests_max; /* connections inside libmicrohttpd, a loop */
	uint32_t head_ms; /* a request's head must be here by then */
	uint32_t body_ms; /* and its body by then, and the answer gone */
	uint32_t ingest_idle_ms; /* a long request must bring an event by then, again and again */
	uint32_t dead_ms; /* TCP_USER_TIMEOUT of what is taken over */
	uint32_t retry_min_ms, retry_max_ms; /* `retry:` for what is turned away */
	uint32_t page_events_max; /* of a page */
	size_t page_bytes_max;
	struct slice origins[SETTINGS_ORIGINS_MAX]; /* CORS: who may, exactly */
	size_t origin_count;
	struct slice cookie_name; /* where a browser may have a token; empty: nowhere */
	bool token_in_query; /* access_token= is taken */
	/* Brings what is only looked at when it is asked for up to date: before metrics are
	 * written. NULL: nothing. Any thread. */
	void (*measure)(void *arg);
	void *measure_arg;
};

#endif

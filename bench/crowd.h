/*
 * crowd: many sockets that listen to streams, read as cheaply as can be.
 *
 * Owns    its sockets; the caller owns the epoll set, in which data.u32 is the listener's number.
 * Promise a listener that reads counts events by their `data: @` line and takes their latency. One
 *         that skims never looks: the kernel drops its bytes (MSG_TRUNC) and only their number
 *         counts. All listeners of a stream are sent the same bytes, so listener 0, who reads and
 *         notes where each event ends, tells how many events the others have.
 * Bound   `count_max` listeners; a line of LINE_MAX_BYTES.
 */
#ifndef TAPECAST_BENCH_CROWD_H
#define TAPECAST_BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gauge.h"
#include "plan.h"

enum {
	LINE_MAX_BYTES = 4096,
	ID_MAX_BYTES = 200,
};

struct listener;

struct crowd {
	const struct plan *plan;
	int epoll_fd;
	struct listener *all;
	char (*parts)[LINE_MAX_BYTES];
	uint64_t *bytes; /* of each since crowd_skim */
	size_t count, count_max;
	size_t ready_count; /* have the answer's head, and tapecast's first block */
	uint64_t events; /* seen whole by those who read */
	uint64_t notices; /* tapecast.gap and the like: a run in which one is seen is not clean */
	uint64_t *ends; /* where events end, in listener 0's bytes */
	size_t ends_count, ends_max;
	size_t whole_count; /* events which everybody has */
	struct spread *spread; /* NULL: latencies are not wanted */
	char last_id[ID_MAX_BYTES]; /* that listener 0 saw */
};

void crowd_init(struct crowd *crowd, const struct plan *plan, int epoll_fd, size_t count_max);
void crowd_fini(struct crowd *crowd);

/* Connects one more listener; crowd_ask sends its request, from the place `after` unless NULL. */
size_t crowd_connect(struct crowd *crowd);
void crowd_ask(struct crowd *crowd, size_t which, const char *stream, const char *after);

/* Reads what there is for one listener. Ends the program if the server closed or refused. */
void crowd_read(struct crowd *crowd, size_t which);

uint64_t crowd_events_of(const struct crowd *crowd, size_t which);

/* From here on only each stride-th listener reads, the others skim. Nothing may be in flight. */
void crowd_skim(struct crowd *crowd, size_t stride);
/* Brings whole_count up to date. */
void crowd_settle(struct crowd *crowd);
/* Whether all have had exactly the same number of bytes since crowd_skim. */
bool crowd_even(const struct crowd *crowd);

#endif

/*
 * press: connections that publish over HTTP, one request outstanding on each.
 *
 * Owns    its sockets; the caller owns the epoll set, in which data.u32 is PRESS_BIT | number.
 * Promise each payload begins with '@' and the monotonic time in 16 hex digits. Any answer but a
 *         2xx ends the program.
 * Bound   PRESS_MAX connections; BATCH_MAX events a request.
 */
#ifndef TAPECAST_BENCH_PRESS_H
#define TAPECAST_BENCH_PRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan.h"

#define PRESS_BIT UINT32_C(0x80000000)

enum {
	PRESS_MAX = 256,
	BATCH_MAX = 64,
	PAYLOAD_MIN = 20,
	PAYLOAD_MAX = 2048,
	ANSWER_MAX = 8192,
};

struct sender {
	int fd;
	size_t asked; /* events in the request that is out; 0: idle */
	size_t got_bytes;
	char got[ANSWER_MAX + 1];
};

struct press {
	const struct plan *plan;
	struct sender *all;
	size_t count, busy_count;
	uint64_t asked, taken; /* events sent, and those answered */
};

void press_init(struct press *press, const struct plan *plan, int epoll_fd, size_t count);
void press_fini(struct press *press);

/* NULL when all are busy. */
struct sender *press_idle(struct press *press);

/* Publishes `count` events in one request: as text/plain, or as lines of NDJSON when more than one
 * (which Nchan does not have). */
void press_say(struct press *press, struct sender *sender, const char *stream, size_t count);

void press_read(struct press *press, size_t which);

#endif

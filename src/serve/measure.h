/*
 * measure: brings the metrics up to date that are known elsewhere: the floors' own counts, and what
 *          the system says of this process.
 *
 * Thread  any, one at a time (it takes a lock).
 */
#ifndef TAPECAST_SERVE_MEASURE_H
#define TAPECAST_SERVE_MEASURE_H

#include "backplane/backplane.h"
#include "delivery/engine.h"

struct measured {
	struct backplane *backplane;
	struct hub *hub;
	struct engine *engine;
	uint64_t up_ms;
	bool draining;
};

void measure(const struct measured *measured);

#endif

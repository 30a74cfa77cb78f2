/*
 * backplane_suite: what every backplane must do, whoever keeps its streams.
 *
 * Promise waits for answers and pushes by `step`: a backplane may be as far away as it likes.
 */
#ifndef TAPECAST_CONFORMANCE_BACKPLANE_SUITE_H
#define TAPECAST_CONFORMANCE_BACKPLANE_SUITE_H

#include "backplane/backplane.h"
#include "stream/tape.h"

struct backplane_factory {
	const char *name;
	/* An empty store. Streams of any name have these bounds. NULL: it could not be made. */
	struct backplane *(*make)(struct tape_bounds bounds, struct backplane_ear ear);
	/* Another node of the same store. NULL: it has but one. */
	struct backplane *(*join)(struct backplane_ear ear);
	/* Lets time pass until something may have happened. NULL: all is done when calls return. */
	void (*step)(struct backplane *backplane);
};

/* The number of tests that failed. */
int backplane_suite_run(const struct backplane_factory *factory);
/* The same for facts and words. */
int backplane_words_run(const struct backplane_factory *factory);

#endif

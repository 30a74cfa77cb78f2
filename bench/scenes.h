/*
 * scenes: what is measured. Each drives one server, checks that everything arrived, and prints one
 * line of key=value pairs.
 *
 * Bound   each ends within its seconds plus SETTLE_SECONDS, or ends the program.
 */
#ifndef TAPECAST_BENCH_SCENES_H
#define TAPECAST_BENCH_SCENES_H

#include "plan.h"

enum { SETTLE_SECONDS = 30 };

struct scene {
	const char *name;
	const char *help;
	void (*run)(const struct plan *plan);
	struct plan usual; /* figures that the command line may replace */
};

/* NULL if there is none of that name. */
const struct scene *scene_find(const char *name);
/* Calls for each in turn until it is NULL. */
const struct scene *scene_at(size_t index);

#endif

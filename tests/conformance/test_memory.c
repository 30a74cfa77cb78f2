/*
 * The memory backplane, under the suite of all backplanes.
 */
#include "backplane/memory.h"
#include "conformance/backplane_suite.h"

static struct tape_bounds bounds;

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return bounds;
}

static struct backplane *make(struct tape_bounds wanted, struct backplane_ear ear)
{
	const struct memory_config config = {
		.world = world_linux(),
		.streams_max = 100,
		.bytes_max = 64 << 20,
		.idem_max = 1000,
		.idem_window_ms = 120000,
		.bounds_of = bounds_of,
		.ear = ear,
	};
	struct backplane *backplane = NULL;
	bounds = wanted;
	return memory_new(&config, &backplane) == OK ? backplane : NULL;
}

int main(void)
{
	const struct backplane_factory factory = { .name = "memory", .make = make };
	return backplane_suite_run(&factory) + backplane_words_run(&factory);
}

/*
 * fake_world: a clock that a test moves, and chance that repeats.
 *
 * Thread  the test's.
 */
#ifndef TAPECAST_TESTS_BACKPLANE_FAKE_WORLD_H
#define TAPECAST_TESTS_BACKPLANE_FAKE_WORLD_H

#include "world/world.h"

struct fake_world {
	struct world world; /* first */
	uint64_t now_ms;
	uint64_t chance;
};

static inline uint64_t fake_now_ms(struct world *world)
{
	return ((struct fake_world *)world)->now_ms;
}

static inline uint64_t fake_wall_ms(struct world *world)
{
	return UINT64_C(1700000000000) + ((struct fake_world *)world)->now_ms;
}

static inline void fake_random(struct world *world, void *bytes, size_t count)
{
	struct fake_world *fake = (struct fake_world *)world;
	for (size_t i = 0; i < count; i++) {
		fake->chance = fake->chance * UINT64_C(6364136223846793005) + 1;
		((uint8_t *)bytes)[i] = (uint8_t)(fake->chance >> 56);
	}
}

static const struct world_ops fake_world_ops = {
	.name = "fake",
	.now_ms = fake_now_ms,
	.wall_ms = fake_wall_ms,
	.random = fake_random,
};

static inline void fake_world_init(struct fake_world *fake)
{
	*fake = (struct fake_world){ .world = { &fake_world_ops }, .now_ms = 1000, .chance = 1 };
}

#endif

/*
 * sim_draw: chance that repeats: all of a simulation's draws come from its seed by way of these.
 *
 * Promise the same seed gives the same draws on every machine.
 */
#ifndef TAPECAST_SIM_DRAW_H
#define TAPECAST_SIM_DRAW_H

#include <stdbool.h>
#include <stdint.h>

struct draw {
	uint64_t state;
};

static inline uint64_t draw_mix(uint64_t mix)
{
	mix = (mix ^ (mix >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mix = (mix ^ (mix >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mix ^ (mix >> 31);
}

/* SplitMix64. */
static inline uint64_t draw_next(struct draw *draw)
{
	draw->state += UINT64_C(0x9e3779b97f4a7c15);
	return draw_mix(draw->state);
}

/* 0..count-1; 0 for a count of 0. */
static inline uint32_t draw_below(struct draw *draw, uint64_t count)
{
	return count ? (uint32_t)(draw_next(draw) % count) : 0;
}

static inline uint32_t draw_between(struct draw *draw, uint32_t min, uint32_t max)
{
	return min + draw_below(draw, (uint64_t)max - min + 1);
}

/* True once in `count` on average; never for 0. */
static inline bool draw_one_in(struct draw *draw, uint32_t count)
{
	return count && draw_below(draw, count) == 0;
}

/* Small numbers often, large ones now and then: uniform in the number of bits. */
static inline uint32_t draw_skewed(struct draw *draw, uint32_t min, uint32_t max)
{
	uint32_t span = max - min, bits = 0;

	while (bits < 31 && (UINT32_C(1) << bits) <= span)
		bits++;
	uint32_t cap = draw_below(draw, UINT64_C(1) << draw_below(draw, (uint64_t)bits + 1));
	return min + (cap > span ? span : cap);
}

#endif

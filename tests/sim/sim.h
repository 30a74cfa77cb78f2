/*
 * sim: one node, its store and up to 300 clients in one thread, from one number.
 *
 * Owns    one static arena: one run at a time.
 * Promise the same seed runs the same way and ends with the same hash.
 */
#ifndef TAPECAST_SIM_H
#define TAPECAST_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_result {
	const char *violation; /* NULL: every promise was kept; valid until the next run */
	uint64_t hash;
	uint64_t events, publishes, steps;
	uint64_t peak_bytes, peak_bytes_allowed;
};

/* verbose: every step goes to standard output as it happens. */
struct sim_result sim_run(uint64_t seed, bool verbose);
/* The last steps of the last run, to standard output. */
void sim_trace_print(uint32_t count);
/* The seed of the run under way, for whoever has to report an abort. */
uint64_t sim_seed_now(void);

#endif

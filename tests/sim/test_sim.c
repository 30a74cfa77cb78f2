/*
 * The simulation, over many seeds. TAPECAST_SEEDS: how many (1000); TAPECAST_SEED: that one alone,
 * with every step; TAPECAST_FIRST_SEED: where to begin (1); TAPECAST_FAILURES: after how many to
 * stop (3).
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sim.h"

enum { TRACE_LINES = 60, FAILURES_USUAL = 3 };

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

/* A MUST or a sanitizer has struck: the seed is what one needs to see it again. */
static void on_abort(int number)
{
	char text[64];
	int bytes = snprintf(text, sizeof text, "TAPECAST_SEED=%" PRIu64 " ends here\n",
			     sim_seed_now());

	fflush(stdout);
	if (write(STDERR_FILENO, text, (size_t)bytes) < 0)
		_exit(1);
	signal(number, SIG_DFL);
	raise(number);
}

static bool seed_passes(uint64_t seed, bool verbose, uint64_t *events, uint64_t *publishes)
{
	struct sim_result result = sim_run(seed, verbose);

	*events += result.events;
	*publishes += result.publishes;
	if (!result.violation)
		return true;
	if (!verbose)
		sim_trace_print(TRACE_LINES);
	printf("[  FAILED  ] TAPECAST_SEED=%" PRIu64 ": %s\n", seed, result.violation);
	return false;
}

static bool seeds_repeat(uint64_t first)
{
	for (uint64_t seed = first; seed < first + 5; seed++) {
		uint64_t hash = sim_run(seed, false).hash;
		if (sim_run(seed, false).hash != hash) {
			printf("[  FAILED  ] TAPECAST_SEED=%" PRIu64 " does not repeat\n", seed);
			return false;
		}
	}
	return true;
}

int main(void)
{
	uint64_t one = number_of("TAPECAST_SEED", 0);
	uint64_t count = one ? 1 : number_of("TAPECAST_SEEDS", 1000);
	uint64_t first = one ? one : number_of("TAPECAST_FIRST_SEED", 1);
	uint64_t failures_max = number_of("TAPECAST_FAILURES", FAILURES_USUAL);
	uint64_t events = 0, publishes = 0, failures = 0, seed = first;

	signal(SIGABRT, on_abort);
	signal(SIGSEGV, on_abort);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("[==========] sim: %" PRIu64 " seed(s) from %" PRIu64 "\n", count, first);
	if (!one && !seeds_repeat(first))
		failures++;
	for (; seed < first + count && failures < failures_max; seed++)
		failures += !seed_passes(seed, one != 0, &events, &publishes);
	printf("[==========] sim: %" PRIu64 " seed(s) run, %" PRIu64 " events published, %" PRIu64
	       " deliveries checked, %" PRIu64 " violation(s)\n",
	       seed - first, publishes, events, failures);
	if (!failures)
		printf("[  PASSED  ] sim\n");
	return failures ? 1 : 0;
}

/*
 * gauge: the clock, what a server's processes have used, and a spread of latencies.
 *
 * Promise every server is measured in the same way: a process and its children, all threads, by the
 *         kernel's CPU clock of each process.
 * Bound   PROCESSES_MAX processes; a spread is a fixed table, 3 % wide a step.
 */
#ifndef TAPECAST_BENCH_GAUGE_H
#define TAPECAST_BENCH_GAUGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PROCESSES_MAX = 64,
	SPREAD_STEPS = 32, /* to each power of two */
	SPREAD_SLOTS = 40 * SPREAD_STEPS,
};

struct gauge {
	pid_t pids[PROCESSES_MAX];
	size_t count;
};

struct reading {
	uint64_t at_ns;
	uint64_t cpu_ns; /* the server's */
	uint64_t own_ns; /* this program's */
	uint64_t machine_ns; /* everybody's, in steps of a tick */
	uint64_t rss_bytes;
	uint64_t pss_bytes; /* shared pages counted once: the fair one for several processes */
};

struct spread {
	uint64_t count;
	uint32_t slots[SPREAD_SLOTS];
};

uint64_t now_ns(void);

/* Finds pid and its children. Ends the program if there is no such process. */
void gauge_init(struct gauge *gauge, pid_t pid);
void gauge_read_cpu(const struct gauge *gauge, struct reading *ret_reading);
void gauge_read_memory(const struct gauge *gauge, struct reading *ret_reading);

void spread_add(struct spread *spread, uint64_t ns);
/* The latency that `share` (0 to 1) of all stay under, in microseconds. */
double spread_us(const struct spread *spread, double share);

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif

/*
 * histogram: how long things took, to within two percent, whatever their range.
 *
 * Promise pure; adding is O(1) and allocates nothing.
 * Bound   2^42 ns (73 minutes); what is longer counts as that.
 */
#ifndef TAPECAST_CLI_HISTOGRAM_H
#define TAPECAST_CLI_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BITS = 42 };

struct histogram {
	uint64_t count, max_ns;
	uint64_t cells[(HISTOGRAM_BITS - 5) * HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *histogram, uint64_t value_ns);
/* The value that `thousandths` of all values do not exceed; 0 if there are none. */
uint64_t histogram_at(const struct histogram *histogram, unsigned thousandths);

#endif

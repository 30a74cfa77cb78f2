#include "cli/histogram.h"

/* Values below 64 have a cell each; above, each power of two has 64 cells, the lower half of which
 * are never used: that keeps the arithmetic to one shift. */
static unsigned cell_of(uint64_t value_ns)
{
	unsigned shift = 0;
	while (value_ns >> shift >= HISTOGRAM_STEPS)
		shift++;
	return shift * HISTOGRAM_STEPS + (unsigned)(value_ns >> shift);
}

static uint64_t cell_top(unsigned cell)
{
	unsigned shift = cell / HISTOGRAM_STEPS;
	return (((uint64_t)(cell % HISTOGRAM_STEPS) + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value_ns)
{
	const uint64_t top_ns = (UINT64_C(1) << HISTOGRAM_BITS) - 1;
	if (value_ns > top_ns)
		value_ns = top_ns;
	histogram->cells[cell_of(value_ns)]++;
	histogram->count++;
	if (value_ns > histogram->max_ns)
		histogram->max_ns = value_ns;
}

uint64_t histogram_at(const struct histogram *histogram, unsigned thousandths)
{
	uint64_t wanted = (histogram->count * thousandths + 999) / 1000, seen = 0;
	for (unsigned cell = 0; cell < sizeof histogram->cells / sizeof histogram->cells[0];
	     cell++) {
		seen += histogram->cells[cell];
		if (seen >= wanted && seen)
			return cell_top(cell) < histogram->max_ns ? cell_top(cell)
								  : histogram->max_ns;
	}
	return 0;
}

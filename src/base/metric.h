/*
 * metric: what is counted and measured, and the text that tells it (Prometheus, version 0.0.4).
 *
 * Owns    a cell for each series of base/metric_table.h, of the process as a whole.
 * Thread  any: a change is one relaxed addition. What is written shows each cell as it was at some
 *         moment, not all at the same.
 * Promise labels have few values, known beforehand or named once.
 * Bound   METRIC_CELLS_MAX cells a family; METRIC_NAMES_MAX values of a label that is named at run
 *         time, further ones count as the first.
 */
#ifndef TAPECAST_BASE_METRIC_H
#define TAPECAST_BASE_METRIC_H

#include <stdint.h>

#include "base/buf.h"

enum {
	METRIC_CELLS_MAX = 512,
	METRIC_NAMES_MAX = 32,
	METRIC_NAME_BYTES_MAX = 32,
	METRIC_BUCKETS = 14, /* of a histogram; one more is for what is beyond them */
};

#define METRIC(id, kind, name, first, second, help) METRIC_##id,
enum metric {
#include "base/metric_table.h"
	METRIC_COUNT
};
#undef METRIC

enum metric_label {
	LABEL_NONE,
	LABEL_FORM,
	LABEL_CLOSE,
	LABEL_GAP,
	LABEL_LIMIT,
	LABEL_ACCOUNT,
	LABEL_SOCKET,
	LABEL_STATUS,
	LABEL_ERROR, /* enum err */
	/* Named at run time. */
	LABEL_VERSION,
	LABEL_BACKPLANE,
	LABEL_COUNT
};

#define FORM(id, text) FORM_LABEL_##id,
enum metric_form {
#include "base/metric_label_table.h"
	FORM_LABEL_COUNT
};
#define CLOSE(id, text) CLOSE_##id,
enum metric_close {
#include "base/metric_label_table.h"
	CLOSE_COUNT
};
#define GAP(id, text) GAP_LABEL_##id,
enum metric_gap {
#include "base/metric_label_table.h"
	GAP_LABEL_COUNT
};
#define LIMIT(id, text) LIMIT_##id,
enum metric_limit {
#include "base/metric_label_table.h"
	LIMIT_COUNT
};
#define ACCOUNT(id, text) ACCOUNT_##id,
enum metric_account {
#include "base/metric_label_table.h"
	ACCOUNT_COUNT
};
#define SOCKET(id, text) SOCKET_##id,
enum metric_socket {
#include "base/metric_label_table.h"
	SOCKET_COUNT
};
#define STATUS(id, text) STATUS_##id,
enum metric_status {
#include "base/metric_label_table.h"
	STATUS_COUNT
};

/* The number of a label's value that is named at run time, which is kept from now on. The first one
 * named is number 0, and stands for those there is no room for. */
unsigned metric_name(enum metric_label label, const char *text);

/* first, second: numbers of the labels' values; 0 for NONE. */
void metric_add(enum metric metric, unsigned first, unsigned second, uint64_t by);
/* Gauges, and counters that somebody else keeps. A gauge may go below 0: cast it. */
void metric_set(enum metric metric, unsigned first, unsigned second, uint64_t value);
uint64_t metric_value(enum metric metric, unsigned first, unsigned second);

static inline void metric_up(enum metric metric, unsigned first)
{
	metric_add(metric, first, 0, 1);
}

/* Histograms: value in µs (TIMES) or a number (COUNTS). */
void metric_observe(enum metric metric, unsigned first, uint64_t value);
void metric_observe_many(enum metric metric, unsigned first, uint64_t value, uint64_t count);

/* All families. What did not fit or could not be allocated is told by buf->err. */
void metric_write(struct buf *buf);
/* The table of families, in Markdown, for people. */
void metric_write_page(struct buf *buf);

/* Tests: everything back to 0 and unnamed. */
void metric_reset(void);

#endif

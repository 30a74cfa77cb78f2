#include "base/metric.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

enum {
	BUCKET_BEYOND = METRIC_BUCKETS,
	BUCKET_SUM,
	HISTOGRAM_CELLS,
};

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_AGE, KIND_TIMES, KIND_COUNTS };

static const struct {
	enum kind kind;
	const char *name;
	enum metric_label first, second;
	const char *help;
} families[METRIC_COUNT] = {
#define METRIC(id, kind, name, first, second, help) \
	{ KIND_##kind, name, LABEL_##first, LABEL_##second, help },
#include "base/metric_table.h"
#undef METRIC
};

#define FORM(id, text) text,
static const char *const forms[] = {
#include "base/metric_label_table.h"
};
#define CLOSE(id, text) text,
static const char *const closes[] = {
#include "base/metric_label_table.h"
};
#define GAP(id, text) text,
static const char *const gaps[] = {
#include "base/metric_label_table.h"
};
#define LIMIT(id, text) text,
static const char *const limits[] = {
#include "base/metric_label_table.h"
};
#define ACCOUNT(id, text) text,
static const char *const accounts[] = {
#include "base/metric_label_table.h"
};
#define SOCKET(id, text) text,
static const char *const sockets[] = {
#include "base/metric_label_table.h"
};
#define STATUS(id, text) text,
static const char *const statuses[] = {
#include "base/metric_label_table.h"
};

/* texts NULL: named at run time; count 0 with it: the errors. */
static const struct {
	const char *name;
	const char *const *texts;
	unsigned count;
} labels[LABEL_COUNT] = {
	[LABEL_FORM] = { "form", forms, FORM_LABEL_COUNT },
	[LABEL_CLOSE] = { "reason", closes, CLOSE_COUNT },
	[LABEL_GAP] = { "reason", gaps, GAP_LABEL_COUNT },
	[LABEL_LIMIT] = { "limit", limits, LIMIT_COUNT },
	[LABEL_ACCOUNT] = { "account", accounts, ACCOUNT_COUNT },
	[LABEL_SOCKET] = { "socket", sockets, SOCKET_COUNT },
	[LABEL_STATUS] = { "status", statuses, STATUS_COUNT },
	[LABEL_ERROR] = { "error", NULL, ERR_COUNT },
	[LABEL_VERSION] = { "version", NULL, METRIC_NAMES_MAX },
	[LABEL_BACKPLANE] = { "backplane", NULL, METRIC_NAMES_MAX },
};

/* The upper ends of the buckets, each within. */
static const uint64_t times_us[METRIC_BUCKETS] = {
	50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 500000, 1000000, 5000000,
};
static const uint64_t counts[METRIC_BUCKETS] = {
	0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000,
};

static _Atomic uint64_t cells[METRIC_COUNT][METRIC_CELLS_MAX];

/* Values of labels that are named at run time: only added to, so that readers need no lock. */
static struct {
	_Atomic unsigned count;
	char texts[METRIC_NAMES_MAX][METRIC_NAME_BYTES_MAX];
} names[LABEL_COUNT];
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned names_find(enum metric_label label, const char *text, unsigned count)
{
	unsigned at = 0;
	while (at < count && strncmp(names[label].texts[at], text, METRIC_NAME_BYTES_MAX - 1) != 0)
		at++;
	return at;
}

unsigned metric_name(enum metric_label label, const char *text)
{
	MUST(label < LABEL_COUNT && labels[label].name && !labels[label].texts);
	pthread_mutex_lock(&names_lock);
	unsigned count = atomic_load_explicit(&names[label].count, memory_order_relaxed);
	unsigned at = names_find(label, text, count);
	if (at == count && count < METRIC_NAMES_MAX) {
		size_t bytes = strnlen(text, METRIC_NAME_BYTES_MAX - 1);
		memcpy(names[label].texts[at], text, bytes);
		names[label].texts[at][bytes] = '\0';
		atomic_store_explicit(&names[label].count, count + 1, memory_order_release);
	} else if (at == count) {
		at = 0;
	}
	pthread_mutex_unlock(&names_lock);
	return at;
}

static unsigned label_room(enum metric_label label)
{
	return label == LABEL_NONE ? 1 : labels[label].count;
}

/* How many values there are to tell of. */
static unsigned label_values(enum metric_label label)
{
	if (label == LABEL_NONE || labels[label].texts || label == LABEL_ERROR)
		return label_room(label);
	return atomic_load_explicit(&names[label].count, memory_order_acquire);
}

static bool is_histogram(enum metric metric)
{
	return families[metric].kind == KIND_TIMES || families[metric].kind == KIND_COUNTS;
}

static _Atomic uint64_t *cell_at(enum metric metric, unsigned first, unsigned second)
{
	MUST(metric < METRIC_COUNT);
	unsigned second_room = label_room(families[metric].second);
	MUST(first < label_room(families[metric].first) && second < second_room);
	unsigned at = first * second_room + second;
	if (is_histogram(metric))
		at *= HISTOGRAM_CELLS;
	MUST(at < METRIC_CELLS_MAX);
	return &cells[metric][at];
}

void metric_add(enum metric metric, unsigned first, unsigned second, uint64_t by)
{
	atomic_fetch_add_explicit(cell_at(metric, first, second), by, memory_order_relaxed);
}

void metric_set(enum metric metric, unsigned first, unsigned second, uint64_t value)
{
	atomic_store_explicit(cell_at(metric, first, second), value, memory_order_relaxed);
}

uint64_t metric_value(enum metric metric, unsigned first, unsigned second)
{
	return atomic_load_explicit(cell_at(metric, first, second), memory_order_relaxed);
}

void metric_observe_many(enum metric metric, unsigned first, uint64_t value, uint64_t count)
{
	MUST(is_histogram(metric));
	const uint64_t *ends = families[metric].kind == KIND_TIMES ? times_us : counts;
	unsigned bucket = 0;
	while (bucket < METRIC_BUCKETS && value > ends[bucket])
		bucket++;
	_Atomic uint64_t *cell = cell_at(metric, first, 0);
	atomic_fetch_add_explicit(&cell[bucket], count, memory_order_relaxed);
	atomic_fetch_add_explicit(&cell[BUCKET_SUM], value * count, memory_order_relaxed);
}

void metric_observe(enum metric metric, unsigned first, uint64_t value)
{
	metric_observe_many(metric, first, value, 1);
}

void metric_reset(void)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		for (unsigned j = 0; j < METRIC_CELLS_MAX; j++)
			atomic_store(&cells[i][j], 0);
	}
	for (unsigned i = 0; i < LABEL_COUNT; i++)
		atomic_store(&names[i].count, 0);
}

/* --- the text --- */

/* In small letters, for errors are named in capitals; with what the format reserves escaped. */
static void put_value(struct buf *buf, enum metric_label label, unsigned value)
{
	const char *text = labels[label].texts ? labels[label].texts[value]
			   : label == LABEL_ERROR ? err_name((enum err)value)
						  : names[label].texts[value];
	for (; *text; text++) {
		char byte = *text;
		if (label == LABEL_ERROR && byte >= 'A' && byte <= 'Z')
			byte = (char)(byte + 'a' - 'A');
		if (byte == '\n') {
			buf_put_text(buf, "\\n");
			continue;
		}
		if (byte == '\\' || byte == '"')
			buf_put_byte(buf, '\\');
		buf_put_byte(buf, byte);
	}
}

struct series {
	enum metric metric;
	unsigned first, second;
};

/* name{labels} of one series; end: the "le" of a bucket, or NULL. */
static void put_series(struct buf *buf, const struct series *series, const char *suffix,
		       const char *end)
{
	enum metric_label shown[] = { families[series->metric].first,
				      families[series->metric].second };
	const unsigned values[] = { series->first, series->second };
	const char *before = "{";
	buf_putf(buf, "tapecast_%s%s", families[series->metric].name, suffix);
	for (size_t i = 0; i < 2; i++) {
		if (shown[i] == LABEL_NONE)
			continue;
		buf_putf(buf, "%s%s=\"", before, labels[shown[i]].name);
		put_value(buf, shown[i], values[i]);
		buf_put_byte(buf, '"');
		before = ",";
	}
	if (end) {
		buf_putf(buf, "%sle=\"%s\"", before, end);
		before = ",";
	}
	buf_put_text(buf, *before == ',' ? "} " : " ");
}

/* As an exact decimal: 1500 thousandths as 1.5. */
static void number_text(uint64_t number, uint64_t unit, char ret_text[32])
{
	(void)snprintf(ret_text, 32, "%llu", (unsigned long long)(number / unit));
	uint64_t rest = number % unit;
	size_t at = strlen(ret_text);
	if (rest)
		ret_text[at++] = '.';
	while (rest) {
		unit /= 10;
		ret_text[at++] = (char)('0' + rest / unit);
		rest %= unit;
	}
	ret_text[at] = '\0';
}

static void put_histogram(struct buf *buf, const struct series *series)
{
	bool is_times = families[series->metric].kind == KIND_TIMES;
	const _Atomic uint64_t *cell = cell_at(series->metric, series->first, 0);
	uint64_t unit = is_times ? 1000000 : 1;
	uint64_t total = 0;
	char text[32];
	for (unsigned i = 0; i <= BUCKET_BEYOND; i++) {
		total += atomic_load_explicit(&cell[i], memory_order_relaxed);
		if (i < METRIC_BUCKETS)
			number_text(is_times ? times_us[i] : counts[i], unit, text);
		put_series(buf, series, "_bucket", i < METRIC_BUCKETS ? text : "+Inf");
		buf_putf(buf, "%llu\n", (unsigned long long)total);
	}
	number_text(atomic_load_explicit(&cell[BUCKET_SUM], memory_order_relaxed), unit, text);
	put_series(buf, series, "_sum", NULL);
	buf_putf(buf, "%s\n", text);
	put_series(buf, series, "_count", NULL);
	buf_putf(buf, "%llu\n", (unsigned long long)total);
}

static void put_number(struct buf *buf, const struct series *series)
{
	uint64_t value = metric_value(series->metric, series->first, series->second);
	enum kind kind = families[series->metric].kind;
	char text[32];
	put_series(buf, series, "", NULL);
	if (kind == KIND_GAUGE) {
		buf_putf(buf, "%lld\n", (long long)value);
		return;
	}
	number_text(value, kind == KIND_AGE ? 1000 : 1, text);
	buf_putf(buf, "%s\n", text);
}

static const char *kind_text(enum metric metric)
{
	if (is_histogram(metric))
		return "histogram";
	return families[metric].kind == KIND_COUNTER ? "counter" : "gauge";
}

static void put_family(struct buf *buf, enum metric metric)
{
	unsigned first_count = label_values(families[metric].first);
	unsigned second_count = label_values(families[metric].second);
	/* OK is an error that does not happen. */
	unsigned first = families[metric].first == LABEL_ERROR ? 1 : 0;
	if (first >= first_count || second_count == 0)
		return;
	buf_putf(buf, "# HELP tapecast_%s %s.\n# TYPE tapecast_%s %s\n", families[metric].name,
		 families[metric].help, families[metric].name, kind_text(metric));
	for (; first < first_count; first++) {
		for (unsigned second = 0; second < second_count; second++) {
			struct series series = { metric, first, second };
			if (is_histogram(metric))
				put_histogram(buf, &series);
			else
				put_number(buf, &series);
		}
	}
}

void metric_write(struct buf *buf)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		put_family(buf, (enum metric)i);
}

void metric_write_page(struct buf *buf)
{
	buf_put_text(buf, "| metric | kind | labels | what |\n|---|---|---|---|\n");
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		enum metric_label first = families[i].first;
		enum metric_label second = families[i].second;
		buf_putf(buf, "| `tapecast_%s` | %s | %s%s%s | %s |\n", families[i].name,
			 kind_text((enum metric)i), first ? labels[first].name : "",
			 second ? ", " : "", second ? labels[second].name : "", families[i].help);
	}
}

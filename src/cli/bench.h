/*
 * bench: one load run against a server: who listens, who publishes, what was counted.
 *
 * Owns    its connections. One thread, one poller.
 * Promise each event carries its number and its time, and each listener checks both: what is lost,
 *         doubled or out of order is counted, not assumed.
 * Bound   connections: the descriptors we may have. Phases: the *_MS below.
 */
#ifndef TAPECAST_CLI_BENCH_H
#define TAPECAST_CLI_BENCH_H

#include "cli/answer.h"
#include "cli/histogram.h"
#include "cli/target.h"
#include "wire/sse.h"
#include "world/world.h"

enum bench_kind { BENCH_FANOUT, BENCH_MANY, BENCH_RESUME };

enum {
	BENCH_DATA_BYTES_MIN = 48, /* two numbers and a space */
	BENCH_CONNECTING_MAX = 256,
	BENCH_CONNECT_MS = 60000,
	BENCH_QUIET_MS = 5000, /* nothing has come for so long: the rest is lost */
};

/* What the poller's token points to. */
struct watcher {
	void (*ready)(struct watcher *watcher, unsigned flags);
};

struct bench;

struct listener {
	struct watcher watcher;
	struct bench *bench;
	int fd; /* -1: none */
	uint32_t stream;
	bool has_sent, has_head, is_open, is_done;
	bool has_gap; /* a gap was told: what is missing next is not lost without a word */
	size_t sent_bytes;
	struct answer answer;
	struct buf head;
	struct sse_reader reader;
	uint64_t begun_ns, next_number;
};

struct publisher {
	struct watcher watcher;
	struct bench *bench;
	int fd;
	bool is_busy; /* a request is on its way, or its answer is awaited */
	bool has_head;
	size_t sent_bytes;
	struct answer answer;
	struct buf request, in;
	uint64_t published, sent_ns;
};

struct bench {
	struct cli_common common;
	enum bench_kind kind;
	uint64_t listener_count, event_count, rate, data_bytes, stream_count;
	bool json;
	/* The run. */
	struct target target;
	struct world *world;
	struct poller *poller;
	char prefix[32]; /* of this run's streams */
	struct listener *listeners;
	struct publisher publisher;
	uint64_t connecting, open, done, asked; /* listeners */
	uint64_t begun_ns, publish_begun_ns, publish_done_ns, last_ns;
	const char *failure; /* what ends the run */
	/* The result. */
	uint64_t received, lost, doubled, cut;
	uint64_t gaps; /* notices */
	uint64_t told; /* events that a notice, or the stream's bound, accounts for */
	uint64_t connect_ns, cpu_ns;
	struct histogram latency, answers, finish;
};

uint64_t bench_now_ns(const struct bench *bench);
/* How many events go to a stream in all. */
uint64_t bench_events_of(const struct bench *bench, uint32_t stream);
/* The run's phases, one after the other. ERR_* with a note if there is nothing to report. */
enum err bench_run(struct bench *bench) ERR_CHECKED;

enum err listener_open(struct listener *listener) ERR_CHECKED;
void listener_close(struct listener *listener);

enum err publisher_open(struct publisher *publisher) ERR_CHECKED;
void publisher_close(struct publisher *publisher);
/* Begins to send the next event, which carries stamp_ns. Not while busy. */
void publisher_send(struct publisher *publisher, uint64_t stamp_ns);

#endif

#include "cli/bench.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/help.h"
#include "world/listen.h"

enum {
	LISTENERS_MAX = 1000000,
	EVENTS_MAX = 100000000,
	DATA_BYTES_MAX = 1 << 20,
	DESCRIPTORS_RESERVED = 32,
};

static const char command[] = "tapecast bench";
static const char *const kind_names[] = { "fanout", "many", "resume" };

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static double milliseconds(uint64_t ns)
{
	return (double)ns / 1e6;
}

static double per_second(uint64_t count, uint64_t ns)
{
	return ns ? (double)count / seconds(ns) : 0;
}

static void put_times(struct buf *out, const char *name, const struct histogram *times,
		      const char *words)
{
	(void)buf_putf(out, "  %-10s p50 %.2f ms, p99 %.2f ms, max %.2f ms   %s\n", name,
		       milliseconds(histogram_at(times, 500)),
		       milliseconds(histogram_at(times, 990)), milliseconds(times->max_ns), words);
}

static void put_words(const struct bench *bench, struct buf *out)
{
	uint64_t run_ns = bench->last_ns - bench->begun_ns;
	bool is_resume = bench->kind == BENCH_RESUME;
	double cpu_percent = run_ns ? 100 * (double)bench->cpu_ns / (double)run_ns : 0;

	(void)buf_putf(out,
		       "%s: %" PRIu64 " listeners, %" PRIu64 " events of %" PRIu64
		       " bytes, %" PRIu64 " stream%s\n",
		       kind_names[bench->kind], bench->listener_count, bench->event_count,
		       bench->data_bytes, bench->stream_count, bench->stream_count == 1 ? "" : "s");
	(void)buf_putf(out, "  delivered  %" PRIu64 " in %.3f s: %.0f/s\n", bench->received,
		       seconds(run_ns), per_second(bench->received, run_ns));
	if (is_resume)
		put_times(out, "caught up", &bench->finish, "from connecting to the last event");
	else
		put_times(out, "latency", &bench->latency,
			  "from when it was due until it was read");
	put_times(out, "published", &bench->answers, "from sending to the server's answer");
	if (!is_resume)
		(void)buf_putf(out, "  connected  %" PRIu64 " in %.3f s: %.0f/s\n", bench->open,
			       seconds(bench->connect_ns),
			       per_second(bench->open, bench->connect_ns));
	(void)buf_putf(out,
		       "  checked    lost %" PRIu64 ", doubled or out of order %" PRIu64
		       ", cut %" PRIu64 "\n",
		       bench->lost, bench->doubled, bench->cut);
	if (bench->gaps || bench->told)
		(void)buf_putf(out, "  not kept   %" PRIu64 " (%" PRIu64 " gap notices)\n",
			       bench->told, bench->gaps);
	(void)buf_putf(out, "  this side used %.0f %% of one core%s\n", cpu_percent,
		       cpu_percent > 80 ? ": it may be the limit, not the server" : "");
}

static void put_json_times(struct buf *out, const char *name, const struct histogram *times)
{
	(void)buf_putf(out, ",\"%s_ms\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f}", name,
		       milliseconds(histogram_at(times, 500)),
		       milliseconds(histogram_at(times, 990)), milliseconds(times->max_ns));
}

static void put_json(const struct bench *bench, struct buf *out)
{
	uint64_t run_ns = bench->last_ns - bench->begun_ns;

	(void)buf_putf(out,
		       "{\"kind\":\"%s\",\"listeners\":%" PRIu64 ",\"events\":%" PRIu64
		       ",\"bytes\":%" PRIu64 ",\"streams\":%" PRIu64 ",\"rate\":%" PRIu64,
		       kind_names[bench->kind], bench->listener_count, bench->event_count,
		       bench->data_bytes, bench->stream_count, bench->rate);
	(void)buf_putf(out, ",\"delivered\":%" PRIu64 ",\"seconds\":%.6f,\"per_second\":%.0f",
		       bench->received, seconds(run_ns), per_second(bench->received, run_ns));
	put_json_times(out, bench->kind == BENCH_RESUME ? "caught_up" : "latency",
		       bench->kind == BENCH_RESUME ? &bench->finish : &bench->latency);
	put_json_times(out, "publish", &bench->answers);
	(void)buf_putf(out,
		       ",\"lost\":%" PRIu64 ",\"doubled\":%" PRIu64 ",\"cut\":%" PRIu64
		       ",\"gaps\":%" PRIu64 ",\"not_kept\":%" PRIu64 ",\"cpu_seconds\":%.6f}\n",
		       bench->lost, bench->doubled, bench->cut, bench->gaps, bench->told,
		       seconds(bench->cpu_ns));
}

static int report(const struct bench *bench)
{
	struct buf out;
	buf_init(&out, 65536);
	if (bench->json)
		put_json(bench, &out);
	else
		put_words(bench, &out);
	enum err err = out.err == OK ? cli_print(buf_slice(&out)) : out.err;
	buf_fini(&out);
	if (err != OK)
		return cli_fail(command, err);
	return bench->lost || bench->doubled || bench->cut ? EXIT_REFUSED : EXIT_FINE;
}

enum {
	OPTION_LISTENERS = OPTION_OWN,
	OPTION_EVENTS,
	OPTION_RATE,
	OPTION_BYTES,
	OPTION_STREAMS,
	OPTION_JSON,
};

static const struct option options[] = {
	{ "listeners", required_argument, NULL, OPTION_LISTENERS },
	{ "events", required_argument, NULL, OPTION_EVENTS },
	{ "rate", required_argument, NULL, OPTION_RATE },
	{ "bytes", required_argument, NULL, OPTION_BYTES },
	{ "streams", required_argument, NULL, OPTION_STREAMS },
	{ "json", no_argument, NULL, OPTION_JSON },
	CLI_COMMON_LONG,
	{ NULL, 0, NULL, 0 },
};

static enum err take_own(struct bench *bench, int option, const char *value)
{
	switch (option) {
	case OPTION_LISTENERS:
		return cli_number(value, 1, LISTENERS_MAX, &bench->listener_count);
	case OPTION_EVENTS:
		return cli_number(value, 1, EVENTS_MAX, &bench->event_count);
	case OPTION_RATE:
		return cli_number(value, 0, EVENTS_MAX, &bench->rate);
	case OPTION_BYTES:
		return cli_number(value, BENCH_DATA_BYTES_MIN, DATA_BYTES_MAX, &bench->data_bytes);
	case OPTION_STREAMS:
		return cli_number(value, 1, LISTENERS_MAX, &bench->stream_count);
	default:
		bench->json = true;
		return OK;
	}
}

static int settle(struct bench *bench, int count, char **operands)
{
	size_t kind = 0;

	if (count != 1)
		return cli_usage(command, "which run: fanout, many or resume?");
	while (kind < 3 && strcmp(operands[0], kind_names[kind]) != 0)
		kind++;
	if (kind == 3)
		return cli_usage(command, "'%s' is not fanout, many or resume", operands[0]);
	bench->kind = (enum bench_kind)kind;
	if (bench->kind != BENCH_MANY && bench->stream_count)
		return cli_usage(command, "--streams is for many");
	if (!bench->stream_count)
		bench->stream_count = bench->kind == BENCH_MANY ? 10 : 1;
	if (bench->stream_count > bench->listener_count || bench->stream_count > bench->event_count)
		return cli_usage(command, "each stream needs a listener and an event");
	size_t descriptors = descriptors_raise();
	if (bench->listener_count + DESCRIPTORS_RESERVED > descriptors)
		return cli_usage(command,
				 "%zu descriptors are allowed here (ulimit -n): "
				 "at most %zu listeners",
				 descriptors, descriptors - DESCRIPTORS_RESERVED);
	return -1;
}

static int read_options(struct bench *bench, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, CLI_COMMON_SHORT, options, NULL)) != -1) {
		if (option == 'h')
			return help_print(help_bench);
		if (option == '?')
			return cli_usage(command, NULL);
		if (cli_common_take(&bench->common, option, optarg))
			continue;
		if (take_own(bench, option, optarg) != OK)
			return cli_usage(command, "%s", err_note_text());
	}
	int code = settle(bench, argc - optind, argv + optind);
	if (code == -1 && target_init(&bench->target, &bench->common) != OK)
		return cli_usage(command, "%s", err_note_text());
	return code;
}

int bench_main(int argc, char **argv)
{
	/* Static, because of the histograms' size. */
	static struct bench bench = {
		.listener_count = 100,
		.event_count = 1000,
		.rate = 100,
		.data_bytes = 128,
	};
	int code = read_options(&bench, argc, argv);
	if (code == -1) {
		enum err err = bench_run(&bench);
		code = err == OK ? report(&bench) : cli_fail(command, err);
	}
	target_fini(&bench.target);
	return code;
}

/*
 * sub: prints one or several streams as they come, and goes on after a cut where it was.
 *
 * Thread  main; SIGINT and SIGTERM end the process from their handler: nothing is buffered.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/refusal.h"
#include "cli/show.h"
#include "wire/cursor.h"
#include "wire/name.h"
#include "world/world.h"

enum {
	STREAMS_MAX = CURSOR_STREAMS_MAX,
	EVENT_BYTES_MAX = 16 << 20,
	OUT_BYTES_MAX = 64 << 20,
	PATH_BYTES_MAX = 65536,
	RETRY_MS = 1000,
	RETRY_MS_MAX = 30000,
	RETRY_DOUBLINGS_MAX = 6,
};

static const char command[] = "tapecast sub";

struct sub {
	struct cli_common common;
	struct target target;
	struct http http;
	struct sse_reader reader;
	struct show show;
	const char *streams[STREAMS_MAX];
	bool is_over[STREAMS_MAX];
	size_t stream_count, over_count;
	const char *from, *after;
	uint64_t count_max, timeout_ms, deadline_ms;
	bool no_resume;
	/* Where we are. */
	char id[CURSOR_TEXT_MAX]; /* "": no block with an id has come yet */
	uint64_t count;
	uint64_t retry_ms;
	unsigned failures; /* attempts since something came */
	enum end_state worst_end;
	struct buf request, out, words;
};

/* What the handler writes: it may only use what is async-signal-safe. */
static char farewell[2][CURSOR_TEXT_MAX + 64];
static volatile sig_atomic_t farewell_now;

static void handle_signal(int number)
{
	const char *text = farewell[farewell_now];
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
	(void)ignored;
	_exit(128 + number);
}

static void farewell_set(const struct sub *sub)
{
	int other = !farewell_now;
	if (!sub->common.quiet && sub->id[0])
		(void)snprintf(farewell[other], sizeof farewell[other],
			       "%s: to go on from here: --after %s\n", command, sub->id);
	farewell_now = other;
}

static void signals_catch(void)
{
	struct sigaction action = { .sa_handler = handle_signal };
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
}

static void put_path(struct sub *sub, struct buf *path)
{
	if (sub->stream_count == 1) {
		(void)buf_putf(path, "/v1/streams/%s", sub->streams[0]);
		if (sub->show.is_envelope)
			request_parameter(path, "envelope", SLICE("json"));
	} else {
		(void)buf_put_text(path, "/v1/events");
	}
	for (size_t i = 0; sub->stream_count > 1 && i < sub->stream_count; i++) {
		if (!sub->is_over[i])
			request_parameter(path, "stream", slice_of(sub->streams[i]));
	}
	if (sub->id[0])
		return; /* the header says where we are */
	if (sub->after)
		request_parameter(path, "after", slice_of(sub->after));
	if (sub->from)
		request_parameter(path, "from", slice_of(sub->from));
}

static enum err ask(struct sub *sub)
{
	struct buf path;
	buf_init(&path, PATH_BYTES_MAX);
	put_path(sub, &path);
	buf_reset(&sub->request);
	request_begin(&sub->target, "GET", buf_slice(&path), &sub->request);
	enum err err = path.err;
	buf_fini(&path);

	if (err == OK)
		err = request_header(&sub->request, "Accept", SLICE("text/event-stream"));
	if (err == OK && sub->id[0])
		err = request_header(&sub->request, "Last-Event-ID", slice_of(sub->id));
	request_end(&sub->request);
	if (err == OK)
		err = sub->request.err;
	if (err == OK)
		err = http_open(&sub->http, &sub->target);
	if (err == OK)
		err = http_send(&sub->http, buf_slice(&sub->request));
	uint64_t deadline_ms = cli_now_ms() + HTTP_ANSWER_MS;
	if (deadline_ms > sub->deadline_ms)
		deadline_ms = sub->deadline_ms;
	return err == OK ? http_head(&sub->http, false, deadline_ms) : err;
}

static int code_of_end(enum end_state end)
{
	if (end == END_FAILED)
		return EXIT_ENDED_FAILED;
	return end == END_CANCELLED ? EXIT_ENDED_CANCELLED : EXIT_FINE;
}

static void tell_words(struct sub *sub)
{
	struct buf clean;
	buf_init(&clean, PATH_BYTES_MAX);
	show_put_clean(true, buf_slice(&sub->words), &clean);
	cli_tell(command, "%.*s", (int)clean.bytes, clean.at);
	buf_fini(&clean);
}

/* Failed is worse than cancelled, cancelled than complete. */
static void take_end(struct sub *sub, struct slice notice)
{
	enum end_state state = END_NONE;

	buf_reset(&sub->words);
	if (show_end_read(notice, &sub->words, &state) != OK)
		return;
	for (size_t i = 0; i < sub->stream_count; i++) {
		if (sub->is_over[i] ||
		    (sub->stream_count > 1 &&
		     !slice_equal(buf_slice(&sub->words), slice_of(sub->streams[i]))))
			continue;
		sub->is_over[i] = true;
		sub->over_count++;
	}
	if (state == END_FAILED || sub->worst_end == END_NONE || sub->worst_end == END_COMPLETE)
		sub->worst_end = state;
	if (!sub->common.quiet && (state != END_COMPLETE || sub->stream_count > 1)) {
		(void)buf_putf(&sub->words, " has ended: %s", end_state_text(state));
		tell_words(sub);
	}
}

static void take_notice(struct sub *sub, const struct sse_event *event)
{
	buf_reset(&sub->words);
	switch (show_kind_of(event->type)) {
	case SHOW_GAP:
		show_gap_words(event->data, &sub->words);
		tell_words(sub);
		break;
	case SHOW_AUTH:
		show_auth_words(event->data, &sub->words);
		tell_words(sub);
		break;
	case SHOW_END:
		take_end(sub, event->data);
		break;
	default:
		break;
	}
}

/* -1: go on, else the exit code. */
static int take_event(struct sub *sub, const struct sse_event *event)
{
	bool is_event = show_kind_of(event->type) == SHOW_EVENT;

	if (event->has_data && show_put(&sub->show, event, &sub->out) != OK)
		return cli_fail(command, sub->out.err != OK ? sub->out.err : ERR_SYNTAX);
	if (event->has_id && event->id.bytes < sizeof sub->id)
		(void)snprintf(sub->id, sizeof sub->id, "%.*s", (int)event->id.bytes, event->id.at);
	sub->failures = 0;
	if (!event->has_data)
		return -1;
	if (!is_event) {
		take_notice(sub, event);
		return sub->over_count == sub->stream_count ? code_of_end(sub->worst_end) : -1;
	}
	return ++sub->count == sub->count_max ? EXIT_FINE : -1;
}

/* What one piece of the body holds; printed at once. -1: go on, else the exit code. */
static int take_piece(struct sub *sub, struct slice piece)
{
	struct sse_event event;
	enum err err;
	int code = -1;

	buf_reset(&sub->out);
	while (code == -1 && (err = sse_next(&sub->reader, &piece, &event)) == OK)
		code = take_event(sub, &event);
	if (code == -1 && err != ERR_AGAIN)
		code = cli_fail(command, err_prefix(err, "the stream cannot be read"));
	if (cli_print(buf_slice(&sub->out)) != OK)
		return cli_fail(command, ERR_CLOSED);
	if (sub->reader.retry_ms >= 0)
		sub->retry_ms = (uint64_t)sub->reader.retry_ms;
	farewell_set(sub);
	return code;
}

static int code_of_timeout(const struct sub *sub)
{
	return sub->count_max ? EXIT_TIMED_OUT : EXIT_FINE;
}

/* One connection, from its answer on. -1: it was cut, else the exit code. */
static int listen_once(struct sub *sub)
{
	const struct answer *answer = &sub->http.answer;
	struct slice piece;
	enum err err;
	int code = -1;

	if (answer->status == 204)
		return code_of_end(sub->worst_end); /* ended, and all of it read */
	if (answer->status == 429 || answer->status >= 500)
		return sub->id[0] ? -1 : refusal_tell(command, &sub->http);
	if (answer->status != 200)
		return refusal_tell(command, &sub->http);
	if (!slice_equal_nocase(slice_of(answer->type), SLICE("text/event-stream"))) {
		cli_tell(command, "the server sends '%s', not an event stream", answer->type);
		return EXIT_REFUSED;
	}

	sse_reader_fini(&sub->reader);
	sse_reader_init(&sub->reader, EVENT_BYTES_MAX);
	while (code == -1) {
		err = http_body(&sub->http, sub->deadline_ms, &piece);
		if (err == ERR_TIMEOUT)
			return code_of_timeout(sub);
		if (err != OK)
			return -1;
		code = take_piece(sub, piece);
	}
	return code;
}

/* The server's own retry is spread already; our doublings are not, so they get a half's chance. */
static uint64_t wait_before_retry(struct sub *sub)
{
	struct world *world = world_linux();
	uint32_t chance;
	world->ops->random(world, &chance, sizeof chance);

	unsigned doublings =
		sub->failures < RETRY_DOUBLINGS_MAX ? sub->failures : RETRY_DOUBLINGS_MAX;
	uint64_t wait_ms = sub->retry_ms << doublings;
	if (wait_ms > RETRY_MS_MAX)
		wait_ms = sub->retry_ms > RETRY_MS_MAX ? sub->retry_ms : RETRY_MS_MAX;
	wait_ms = wait_ms / 2 + (wait_ms / 2) * (chance % 1024) / 1023;
	return wait_ms;
}

/* -1: try again, else the exit code. */
static int wait_or_leave(struct sub *sub)
{
	if (sub->no_resume) {
		cli_tell(command, "the connection was cut");
		return EXIT_UNAVAILABLE;
	}
	uint64_t wait_ms = wait_before_retry(sub), now_ms = cli_now_ms();
	sub->failures++;
	if (!sub->common.quiet)
		cli_tell(command, "%s; trying again in %llu.%llu s",
			 sub->failures == 1 ? "the connection was cut" : err_note_text(),
			 (unsigned long long)(wait_ms / 1000),
			 (unsigned long long)(wait_ms % 1000 / 100));
	if (wait_ms > sub->deadline_ms - now_ms) {
		cli_pause(sub->deadline_ms - now_ms);
		return code_of_timeout(sub);
	}
	cli_pause(wait_ms);
	return -1;
}

static int subscribe(struct sub *sub)
{
	int code = -1;
	bool has_connected = false;

	sub->deadline_ms = sub->timeout_ms ? cli_now_ms() + sub->timeout_ms : HTTP_NO_DEADLINE;
	signals_catch();
	while (code == -1) {
		enum err err = ask(sub);
		if (err == OK) {
			has_connected = true;
			code = listen_once(sub);
		} else if (cli_now_ms() >= sub->deadline_ms) {
			return code_of_timeout(sub);
		} else if (!has_connected ||
			   (err != ERR_UNAVAILABLE && err != ERR_TIMEOUT && err != ERR_CLOSED)) {
			/* At first it is a wrong address rather than a cut. */
			return cli_fail(command, err);
		}
		if (code == -1)
			code = wait_or_leave(sub);
	}
	return code;
}

enum {
	OPTION_FROM = OPTION_OWN,
	OPTION_AFTER,
	OPTION_JSON,
	OPTION_TIMEOUT,
	OPTION_NO_RESUME,
};

static const struct option options[] = {
	{ "from", required_argument, NULL, OPTION_FROM },
	{ "after", required_argument, NULL, OPTION_AFTER },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "count", required_argument, NULL, 'n' },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "no-resume", no_argument, NULL, OPTION_NO_RESUME },
	CLI_COMMON_LONG,
	{ NULL, 0, NULL, 0 },
};

static enum err take_own(struct sub *sub, int option, const char *value)
{
	switch (option) {
	case OPTION_FROM:
		sub->from = value;
		return OK;
	case OPTION_AFTER:
		sub->after = value;
		return OK;
	case OPTION_JSON:
		sub->show.json = true;
		return OK;
	case 'n':
		return cli_number(value, 1, UINT64_MAX, &sub->count_max);
	case OPTION_TIMEOUT:
		return cli_seconds(value, &sub->timeout_ms);
	default:
		sub->no_resume = true;
		return OK;
	}
}

static int settle(struct sub *sub, int count, char **operands)
{
	if (count < 1)
		return cli_usage(command, "which stream?");
	if (count > STREAMS_MAX)
		return cli_usage(command, "at most %d streams at once", STREAMS_MAX);
	if (sub->from && sub->after)
		return cli_usage(command, "--from or --after, not both");
	for (int i = 0; i < count; i++) {
		if (name_check(slice_of(operands[i])) != OK)
			return cli_usage(command, "%s", err_note_text());
		sub->streams[i] = operands[i];
	}
	sub->stream_count = (size_t)count;
	sub->show.names_streams = count > 1;
	sub->show.is_envelope = count > 1 || sub->show.json;
	sub->show.is_terminal = isatty(STDOUT_FILENO);
	return -1;
}

static int read_options(struct sub *sub, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, CLI_COMMON_SHORT "n:", options, NULL)) != -1) {
		if (option == 'h')
			return help_print(help_sub);
		if (option == '?')
			return cli_usage(command, NULL);
		if (cli_common_take(&sub->common, option, optarg))
			continue;
		if (take_own(sub, option, optarg) != OK)
			return cli_usage(command, "%s", err_note_text());
	}
	int code = settle(sub, argc - optind, argv + optind);
	if (code == -1 && target_init(&sub->target, &sub->common) != OK)
		return cli_usage(command, "%s", err_note_text());
	return code;
}

int sub_main(int argc, char **argv)
{
	struct sub sub = { .retry_ms = RETRY_MS };
	buf_init(&sub.request, PATH_BYTES_MAX * 2);
	buf_init(&sub.out, OUT_BYTES_MAX);
	buf_init(&sub.words, PATH_BYTES_MAX);
	http_init(&sub.http);
	sse_reader_init(&sub.reader, EVENT_BYTES_MAX);

	int code = read_options(&sub, argc, argv);
	if (code == -1)
		code = subscribe(&sub);

	sse_reader_fini(&sub.reader);
	http_fini(&sub.http);
	buf_fini(&sub.words);
	buf_fini(&sub.out);
	buf_fini(&sub.request);
	target_fini(&sub.target);
	return code;
}

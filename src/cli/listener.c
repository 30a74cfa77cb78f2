/*
 * listener: one of the bench's readers: asks for a stream and checks what comes.
 */
#include <stdio.h>

#include "base/list.h"
#include "cli/bench.h"
#include "cli/http.h"

enum { EVENT_BYTES_MAX = 1 << 20, READ_BYTES = 65536 };

static void leave(struct listener *listener)
{
	struct bench *bench = listener->bench;
	if (!listener->is_open)
		bench->connecting--;
	if (!listener->is_done)
		bench->cut++;
	listener_close(listener);
}

static void finish(struct listener *listener, uint64_t now_ns)
{
	struct bench *bench = listener->bench;
	listener->is_done = true;
	bench->done++;
	histogram_add(&bench->finish, now_ns - listener->begun_ns);
}

/* "NUMBER TIME ....": the number says whether all came in order, the time how long it took. */
static void take_event(struct listener *listener, struct slice data, uint64_t now_ns)
{
	struct bench *bench = listener->bench;
	const char *blank = memchr(data.at, ' ', data.bytes);
	const char *after =
		blank ? memchr(blank + 1, ' ', data.bytes - (size_t)(blank + 1 - data.at)) : NULL;
	unsigned long long number, sent_ns;

	if (!after || !slice_to_u64(slice_from(data.at, (size_t)(blank - data.at)), &number) ||
	    !slice_to_u64(slice_from(blank + 1, (size_t)(after - blank) - 1), &sent_ns)) {
		bench->failure = "a stream of this run holds what this run did not publish";
		return;
	}
	if (number < listener->next_number) {
		bench->doubled++;
		return;
	}
	/* From the start is from the first event that is kept. */
	bool is_first_kept = bench->kind == BENCH_RESUME && !listener->next_number;
	if (listener->has_gap || is_first_kept)
		bench->told += number - listener->next_number;
	else
		bench->lost += number - listener->next_number;
	listener->has_gap = false;
	listener->next_number = number + 1;
	bench->received++;
	bench->last_ns = now_ns;
	if (bench->kind != BENCH_RESUME)
		histogram_add(&bench->latency, now_ns - sent_ns);
	if (listener->next_number == bench_events_of(bench, listener->stream))
		finish(listener, now_ns);
}

static void take_block(struct listener *listener, const struct sse_event *event, uint64_t now_ns)
{
	struct bench *bench = listener->bench;

	if (!slice_starts(event->type, SLICE("tapecast."))) {
		take_event(listener, event->data, now_ns);
	} else if (slice_equal(event->type, SLICE("tapecast.gap"))) {
		bench->gaps++;
		listener->has_gap = true;
	} else if (slice_equal(event->type, SLICE("tapecast.open")) && !listener->is_open) {
		listener->is_open = true;
		bench->connecting--;
		bench->open++;
	}
}

static void take_body(struct listener *listener, struct slice bytes, uint64_t now_ns)
{
	struct slice piece;
	struct sse_event event;

	while (answer_body(&listener->answer, &bytes, &piece) == OK) {
		enum err err;
		while ((err = sse_next(&listener->reader, &piece, &event)) == OK)
			take_block(listener, &event, now_ns);
		if (err != ERR_AGAIN)
			listener->bench->failure = "a listener cannot read its stream";
	}
}

static void take_head(struct listener *listener, struct slice bytes, uint64_t now_ns)
{
	if (buf_put(&listener->head, bytes) != OK) {
		listener->bench->failure = "the answer's head is too long";
		return;
	}
	struct slice rest = buf_slice(&listener->head);
	enum err err = answer_head(&rest, false, &listener->answer);
	if (err == ERR_AGAIN)
		return;
	if (err != OK || listener->answer.status != 200) {
		listener->bench->failure = "a listener was refused";
		return;
	}
	listener->has_head = true;
	take_body(listener, rest, now_ns);
	buf_fini(&listener->head);
}

static void send_request(struct listener *listener)
{
	struct bench *bench = listener->bench;
	struct buf request;
	char path[128];
	size_t count = 0;

	buf_init(&request, REQUEST_HEAD_BYTES_MAX);
	(void)snprintf(path, sizeof path, "/v1/streams/%s%u%s", bench->prefix,
		       (unsigned)listener->stream,
		       bench->kind == BENCH_RESUME ? "?from=start" : "");
	request_begin(&bench->target, "GET", slice_of(path), &request);
	(void)buf_put_text(&request, "Accept: text/event-stream\r\n\r\n");

	struct slice rest = buf_slice(&request);
	rest.at += listener->sent_bytes;
	rest.bytes -= listener->sent_bytes;
	enum err err = request.err;
	while (err == OK && rest.bytes) {
		err = bench->world->ops->send(bench->world, listener->fd, rest, &count);
		if (err != OK)
			break;
		rest.at += count;
		rest.bytes -= count;
		listener->sent_bytes += count;
	}
	listener->has_sent = !rest.bytes;
	buf_fini(&request);
}

static void listener_ready(struct watcher *watcher, unsigned flags)
{
	struct listener *listener = CONTAINER_OF(watcher, struct listener, watcher);
	struct bench *bench = listener->bench;
	static char bytes[READ_BYTES];
	size_t count;
	enum err err;

	if (listener->fd < 0)
		return;
	if (!listener->has_sent && (flags & WORLD_WRITABLE))
		send_request(listener);
	while ((err = bench->world->ops->recv(bench->world, listener->fd, bytes, sizeof bytes,
					      &count)) == OK) {
		uint64_t now_ns = bench_now_ns(bench);
		if (listener->has_head)
			take_body(listener, slice_from(bytes, count), now_ns);
		else
			take_head(listener, slice_from(bytes, count), now_ns);
	}
	if (err == ERR_CLOSED || (flags & WORLD_HANGUP))
		leave(listener);
}

enum err listener_open(struct listener *listener)
{
	struct bench *bench = listener->bench;

	listener->watcher.ready = listener_ready;
	listener->begun_ns = bench_now_ns(bench);
	buf_init(&listener->head, ANSWER_HEAD_BYTES_MAX + READ_BYTES); /* the body begins in it */
	sse_reader_init(&listener->reader, EVENT_BYTES_MAX);
	enum err err = http_connect_begin(&bench->target, &listener->fd);
	if (err == OK)
		err = bench->world->ops->poller_add(bench->poller, listener->fd,
						    WORLD_READABLE | WORLD_WRITABLE,
						    &listener->watcher);
	if (err == OK)
		bench->connecting++;
	return err;
}

void listener_close(struct listener *listener)
{
	struct bench *bench = listener->bench;

	buf_fini(&listener->head);
	sse_reader_fini(&listener->reader);
	if (listener->fd < 0)
		return;
	bench->world->ops->poller_drop(bench->poller, listener->fd);
	bench->world->ops->close(bench->world, listener->fd);
	listener->fd = -1;
}

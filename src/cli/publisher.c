/*
 * publisher: the bench's one writer: an event a request, on a connection that stays.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/list.h"
#include "cli/bench.h"
#include "cli/http.h"

enum { REQUEST_BYTES_MAX = 4 << 20 };

static void build_request(struct publisher *publisher, uint64_t stamp_ns)
{
	struct bench *bench = publisher->bench;
	struct buf *request = &publisher->request;
	char path[128];
	uint64_t number = publisher->published / bench->stream_count;

	buf_reset(request);
	(void)snprintf(path, sizeof path, "/v1/streams/%s%" PRIu64, bench->prefix,
		       publisher->published % bench->stream_count);
	request_begin(&bench->target, "POST", slice_of(path), request);
	(void)buf_putf(request, "Content-Type: text/plain\r\nContent-Length: %" PRIu64 "\r\n\r\n",
		       bench->data_bytes);
	size_t begin = request->bytes;
	(void)buf_putf(request, "%" PRIu64 " %" PRIu64 " ", number, stamp_ns);
	while (request->err == OK && request->bytes - begin < bench->data_bytes)
		(void)buf_put_byte(request, '.');
	if (request->err != OK)
		bench->failure = err_text(request->err);
}

/* Sends what is left of the request. False: the connection is gone. */
static bool send_more(struct publisher *publisher)
{
	struct bench *bench = publisher->bench;
	size_t count;

	while (publisher->sent_bytes < publisher->request.bytes) {
		struct slice rest = slice_from(publisher->request.at + publisher->sent_bytes,
					       publisher->request.bytes - publisher->sent_bytes);
		enum err err = bench->world->ops->send(bench->world, publisher->fd, rest, &count);
		if (err != OK)
			return err == ERR_AGAIN;
		publisher->sent_bytes += count;
	}
	return true;
}

/* True once the whole answer is here. */
static bool take_answer(struct publisher *publisher)
{
	struct bench *bench = publisher->bench;
	struct slice rest = buf_slice(&publisher->in), piece;
	enum err err = OK;

	if (!publisher->has_head) {
		err = answer_head(&rest, false, &publisher->answer);
		if (err == OK && (publisher->answer.status < 200 || publisher->answer.status > 299))
			bench->failure = "the server refused an event";
		publisher->has_head = err == OK;
	}
	while (err == OK)
		err = answer_body(&publisher->answer, &rest, &piece);
	if (err != ERR_AGAIN && err != ERR_CLOSED)
		bench->failure = "the server's answer to an event cannot be read";
	buf_eat(&publisher->in, publisher->in.bytes - rest.bytes);
	return err == ERR_CLOSED;
}

static void answered(struct publisher *publisher)
{
	struct bench *bench = publisher->bench;
	uint64_t now_ns = bench_now_ns(bench);

	histogram_add(&bench->answers, now_ns - publisher->sent_ns);
	publisher->is_busy = false;
	bench->publish_done_ns = now_ns;
	if (!publisher->answer.keeps_open)
		publisher_close(publisher);
}

static void publisher_ready(struct watcher *watcher, unsigned flags)
{
	struct publisher *publisher = CONTAINER_OF(watcher, struct publisher, watcher);
	struct bench *bench = publisher->bench;
	char bytes[4096];
	size_t count;
	enum err err = ERR_AGAIN;

	if (publisher->fd < 0)
		return;
	bool is_alive = !publisher->is_busy || !(flags & WORLD_WRITABLE) || send_more(publisher);
	while (is_alive && (err = bench->world->ops->recv(bench->world, publisher->fd, bytes,
							  sizeof bytes, &count)) == OK) {
		if (buf_put(&publisher->in, slice_from(bytes, count)) != OK)
			bench->failure = "the server's answer to an event is too long";
	}
	if (publisher->is_busy && take_answer(publisher))
		answered(publisher);
	if (publisher->fd < 0 || (is_alive && err != ERR_CLOSED))
		return;
	if (publisher->is_busy)
		bench->failure = "the server closed the publisher's connection";
	publisher_close(publisher);
}

enum err publisher_open(struct publisher *publisher)
{
	struct bench *bench = publisher->bench;

	publisher->watcher.ready = publisher_ready;
	buf_init(&publisher->in, ANSWER_HEAD_BYTES_MAX * 2);
	enum err err = http_connect_begin(&bench->target, &publisher->fd);
	if (err != OK)
		return err;
	return bench->world->ops->poller_add(bench->poller, publisher->fd,
					     WORLD_READABLE | WORLD_WRITABLE, &publisher->watcher);
}

void publisher_close(struct publisher *publisher)
{
	struct bench *bench = publisher->bench;

	buf_fini(&publisher->in);
	if (publisher->fd < 0)
		return;
	bench->world->ops->poller_drop(bench->poller, publisher->fd);
	bench->world->ops->close(bench->world, publisher->fd);
	publisher->fd = -1;
}

void publisher_send(struct publisher *publisher, uint64_t stamp_ns)
{
	struct bench *bench = publisher->bench;

	if (publisher->fd < 0 && publisher_open(publisher) != OK) {
		bench->failure = "cannot connect to publish";
		return;
	}
	if (!publisher->request.bytes_max)
		buf_init(&publisher->request, REQUEST_BYTES_MAX);
	publisher->is_busy = true;
	publisher->has_head = false;
	publisher->sent_bytes = 0;
	publisher->sent_ns = bench_now_ns(bench);
	build_request(publisher, stamp_ns);
	publisher->published++;
	/* Still connecting: the poller says when. Gone: it says that, too. */
	(void)send_more(publisher);
}

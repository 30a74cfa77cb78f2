/*
 * bench_run: the phases of a load run: connect, publish, wait for the last; or the other way round.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "cli/http.h"

enum { READY_MAX = 512 };

static const uint64_t second_ns = UINT64_C(1000000000);

uint64_t bench_now_ns(const struct bench *bench)
{
	return bench->world->ops->now_ns(bench->world);
}

uint64_t bench_events_of(const struct bench *bench, uint32_t stream)
{
	uint64_t each = bench->event_count / bench->stream_count;
	return each + (stream < bench->event_count % bench->stream_count ? 1 : 0);
}

static void turn(struct bench *bench, int wait_ms)
{
	struct readiness ready[READY_MAX];
	size_t count = bench->world->ops->poller_wait(bench->poller, ready, READY_MAX, wait_ms);
	for (size_t i = 0; i < count; i++) {
		struct watcher *watcher = ready[i].token;
		watcher->ready(watcher, ready[i].flags);
	}
}

static enum err failed(const struct bench *bench)
{
	return bench->failure ? err_note(ERR_CONFLICT, "%s", bench->failure) : OK;
}

/* Opens as many more listeners as may be on their way at once. */
static enum err open_some(struct bench *bench, uint64_t connecting_max)
{
	while (bench->asked < bench->listener_count && bench->connecting < connecting_max) {
		enum err err = listener_open(&bench->listeners[bench->asked]);
		if (err != OK)
			return err;
		bench->asked++;
	}
	return OK;
}

static enum err connect_all(struct bench *bench)
{
	uint64_t begun_ns = bench_now_ns(bench);

	while (bench->open + bench->cut < bench->listener_count) {
		enum err err = open_some(bench, BENCH_CONNECTING_MAX);
		if (err == OK)
			err = failed(bench);
		if (err != OK)
			return err;
		if (bench_now_ns(bench) - begun_ns > BENCH_CONNECT_MS * UINT64_C(1000000))
			return err_note(ERR_TIMEOUT, "only %llu of %llu listeners are connected",
					(unsigned long long)bench->open,
					(unsigned long long)bench->listener_count);
		turn(bench, 100);
	}
	bench->connect_ns = bench_now_ns(bench) - begun_ns;
	return OK;
}

/* When event `index` is due; 0: as soon as it can go. */
static uint64_t due_at(const struct bench *bench, uint64_t index)
{
	if (!bench->rate || bench->kind == BENCH_RESUME)
		return 0;
	return bench->publish_begun_ns + index * second_ns / bench->rate;
}

/* The time an event carries. If the server kept us from sending it when it was due, that delay is
 * the server's; if only our timer was a little late, it is not. */
static uint64_t stamp_for(const struct bench *bench, uint64_t due_ns, uint64_t now_ns)
{
	return due_ns && bench->publish_done_ns > due_ns ? due_ns : now_ns;
}

static enum err publish_all(struct bench *bench)
{
	struct publisher *publisher = &bench->publisher;
	bench->publish_begun_ns = bench_now_ns(bench);

	while (publisher->published < bench->event_count || publisher->is_busy) {
		uint64_t now_ns = bench_now_ns(bench);
		uint64_t due_ns = due_at(bench, publisher->published);
		bool has_more = publisher->published < bench->event_count;
		int wait_ms = 100;

		if (!publisher->is_busy && has_more && now_ns >= due_ns)
			publisher_send(publisher, stamp_for(bench, due_ns, now_ns));
		else if (!publisher->is_busy && has_more && due_ns - now_ns < 100000000)
			wait_ms = (int)((due_ns - now_ns) / 1000000) + 1;
		turn(bench, wait_ms);
		enum err err = failed(bench);
		if (err != OK)
			return err;
		if (publisher->is_busy && now_ns > publisher->sent_ns + 30 * second_ns)
			return err_note(ERR_TIMEOUT, "the server does not answer a publish");
	}
	return OK;
}

static enum err drain(struct bench *bench)
{
	uint64_t quiet_ns = BENCH_QUIET_MS * UINT64_C(1000000), moved_ns = bench_now_ns(bench);
	uint64_t seen = 0;

	for (;;) {
		uint64_t over = bench->done + bench->cut;
		if (over >= bench->listener_count && bench->asked == bench->listener_count)
			return OK;
		if (bench->kind == BENCH_RESUME) {
			enum err err = open_some(bench, bench->listener_count);
			if (err != OK)
				return err;
		}
		uint64_t now_ns = bench_now_ns(bench);
		if (bench->received + bench->open != seen) {
			seen = bench->received + bench->open;
			moved_ns = now_ns;
		}
		if (now_ns - moved_ns > quiet_ns)
			return OK;
		turn(bench, 100);
		enum err err = failed(bench);
		if (err != OK)
			return err;
	}
}

/* What a listener has not seen by now is lost. */
static void count_missing(struct bench *bench)
{
	for (uint64_t i = 0; i < bench->asked; i++) {
		const struct listener *listener = &bench->listeners[i];
		bench->lost += bench_events_of(bench, listener->stream) - listener->next_number;
	}
}

static uint64_t cpu_ns(void)
{
	struct rusage usage;
	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * second_ns +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

/* The run's streams are of no use to anybody now. A server that keeps them is no failure. */
static void delete_streams(struct bench *bench)
{
	struct http http;
	struct buf request, body;
	enum err err = OK;

	http_init(&http);
	buf_init(&request, REQUEST_HEAD_BYTES_MAX);
	buf_init(&body, 65536);
	for (uint64_t i = 0; err == OK && i < bench->stream_count; i++) {
		char path[128];
		(void)snprintf(path, sizeof path, "/v1/streams/%s%llu", bench->prefix,
			       (unsigned long long)i);
		buf_reset(&request);
		buf_reset(&body);
		request_begin(&bench->target, "DELETE", slice_of(path), &request);
		request_end(&request);
		if (http.fd < 0 || !http.answer.keeps_open)
			err = http_open(&http, &bench->target);
		if (err == OK)
			err = http_send(&http, buf_slice(&request));
		if (err == OK)
			err = http_head(&http, false, cli_now_ms() + HTTP_ANSWER_MS);
		if (err == OK)
			err = http_body_all(&http, cli_now_ms() + HTTP_ANSWER_MS, &body);
	}
	err_note_clear();
	buf_fini(&body);
	buf_fini(&request);
	http_fini(&http);
}

/* One connection first, so that a wrong address is told in words. */
static enum err probe(const struct bench *bench)
{
	struct http http;
	http_init(&http);
	enum err err = http_open(&http, &bench->target);
	http_fini(&http);
	return err;
}

static enum err set_up(struct bench *bench)
{
	uint32_t chance;

	bench->publisher = (struct publisher){ .bench = bench, .fd = -1 };
	enum err err = probe(bench);
	if (err != OK)
		return err;

	bench->world->ops->random(bench->world, &chance, sizeof chance);
	(void)snprintf(bench->prefix, sizeof bench->prefix, "bench/%08x/", (unsigned)chance);
	bench->listeners = mem_zalloc_array(bench->listener_count, sizeof *bench->listeners);
	if (!bench->listeners)
		return ERR_NOMEM;
	for (uint64_t i = 0; i < bench->listener_count; i++) {
		struct listener *listener = &bench->listeners[i];
		listener->bench = bench;
		listener->fd = -1;
		listener->stream = (uint32_t)(i % bench->stream_count);
	}
	return bench->world->ops->poller_new(bench->world, &bench->poller);
}

static void tear_down(struct bench *bench)
{
	for (uint64_t i = 0; bench->listeners && i < bench->asked; i++)
		listener_close(&bench->listeners[i]);
	publisher_close(&bench->publisher);
	buf_fini(&bench->publisher.request);
	if (bench->poller)
		bench->world->ops->poller_free(&bench->poller);
	mem_free(bench->listeners);
	bench->listeners = NULL;
}

enum err bench_run(struct bench *bench)
{
	uint64_t cpu_before_ns = 0;
	bool is_resume = bench->kind == BENCH_RESUME;

	bench->world = world_linux();
	enum err err = set_up(bench);
	if (err == OK)
		err = is_resume ? publish_all(bench) : connect_all(bench);
	if (err == OK) {
		cpu_before_ns = cpu_ns();
		bench->begun_ns = bench_now_ns(bench);
		err = is_resume ? OK : publish_all(bench);
	}
	if (err == OK)
		err = drain(bench);
	if (err == OK) {
		bench->cpu_ns = cpu_ns() - cpu_before_ns;
		count_missing(bench);
	}
	char note[ERR_NOTE_BYTES_MAX];
	(void)snprintf(note, sizeof note, "%s", err_note_text());
	if (bench->publisher.published)
		delete_streams(bench);
	tear_down(bench);
	return note[0] ? err_note(err, "%s", note) : err;
}

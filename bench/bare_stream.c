/*
 * The two ways in which bareloop delivers. See bareloop.c for what they are.
 */
#include "bare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
	BUCKETS = 1 << 14,
	IOV_COUNT_MAX = 512,
};

static struct {
	bool coalesce;
	struct stream *buckets[BUCKETS];
	struct stream *dirty;
} bare;

void bare_die(const char *what)
{
	fprintf(stderr, "bareloop: %s: %s\n", what, strerror(errno));
	exit(1);
}

void *bare_grown(void *old, size_t bytes)
{
	void *now = realloc(old, bytes);
	if (!now)
		bare_die("memory");
	return now;
}

void streams_coalesce(bool coalesce)
{
	bare.coalesce = coalesce;
}

struct stream *stream_get(const char *name, size_t name_bytes)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < name_bytes; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;

	struct stream **bucket = &bare.buckets[hash % BUCKETS];
	for (struct stream *stream = *bucket; stream; stream = stream->next)
		if (!strncmp(stream->name, name, name_bytes) && !stream->name[name_bytes])
			return stream;

	struct stream *stream = calloc(1, sizeof *stream);
	if (!stream)
		bare_die("memory");
	stream->ring = calloc(bare.coalesce ? RING_FRAMES : 1, sizeof *stream->ring);
	if (!stream->ring)
		bare_die("memory");
	memcpy(stream->name, name, name_bytes);
	stream->next = *bucket;
	*bucket = stream;
	return stream;
}

void stream_add(struct stream *stream, struct conn *conn)
{
	if (stream->listener_count == stream->listener_room) {
		stream->listener_room = stream->listener_room ? 2 * stream->listener_room : 1;
		stream->listeners = bare_grown(stream->listeners,
					       stream->listener_room * sizeof *stream->listeners);
	}
	conn->stream = stream;
	conn->place = (uint32_t)stream->listener_count;
	conn->cursor = stream->head;
	stream->listeners[stream->listener_count++] = conn;
}

void stream_drop(struct conn *conn)
{
	struct stream *stream = conn->stream;
	struct conn *last = stream->listeners[--stream->listener_count];
	stream->listeners[conn->place] = last;
	last->place = conn->place;
	conn->stream = NULL;
}

/* Late or broken: it leaves its stream, and the loop closes it when it sees the hang-up. */
static void conn_give_up(struct conn *conn)
{
	stream_drop(conn);
	shutdown(conn->fd, SHUT_RDWR);
}

static struct frame *frame_make(struct stream *stream, const char *data, size_t data_bytes)
{
	struct frame *frame = &stream->ring[bare.coalesce ? stream->head % RING_FRAMES : 0];
	stream->head++;

	char tail[64];
	int tail_bytes = snprintf(tail, sizeof tail, "\nid: 1.bareloop-%llu-9f86d081884c\n\n",
				  (unsigned long long)stream->head);
	size_t bytes = 6 + data_bytes + (size_t)tail_bytes;
	if (frame->room < bytes) {
		frame->text = bare_grown(frame->text, bytes);
		frame->room = (uint32_t)bytes;
	}
	memcpy(frame->text, "data: ", 6);
	memcpy(frame->text + 6, data, data_bytes);
	memcpy(frame->text + 6 + data_bytes, tail, (size_t)tail_bytes);
	frame->bytes = (uint32_t)bytes;
	return frame;
}

static void frame_send(struct stream *stream, const struct frame *frame)
{
	for (size_t i = stream->listener_count; i-- > 0;) {
		struct conn *conn = stream->listeners[i];
		ssize_t sent = send(conn->fd, frame->text, frame->bytes, MSG_NOSIGNAL);
		if (sent != (ssize_t)frame->bytes)
			conn_give_up(conn);
	}
}

void stream_publish(struct stream *stream, const char *data, size_t data_bytes)
{
	if (data_bytes > FRAME_MAX)
		data_bytes = FRAME_MAX;
	struct frame *frame = frame_make(stream, data, data_bytes);
	if (!bare.coalesce) {
		frame_send(stream, frame);
		return;
	}
	if (!stream->dirty) {
		stream->dirty = true;
		stream->next_dirty = bare.dirty;
		bare.dirty = stream;
	}
}

/* Listeners mostly stand at the same place: the vector made for one is kept for the next. */
struct run {
	struct iovec iov[IOV_COUNT_MAX];
	int count;
	uint64_t cursor, end;
	uint32_t offset;
	size_t bytes;
};

static void run_make(struct run *run, const struct stream *stream, const struct conn *conn)
{
	run->cursor = conn->cursor;
	run->offset = conn->offset;
	run->end = stream->head;
	if (run->end - run->cursor > IOV_COUNT_MAX)
		run->end = run->cursor + IOV_COUNT_MAX;
	run->count = 0;
	run->bytes = 0;
	for (uint64_t at = run->cursor; at < run->end; at++) {
		const struct frame *frame = &stream->ring[at % RING_FRAMES];
		uint32_t skip = at == run->cursor ? run->offset : 0;
		run->iov[run->count++] = (struct iovec){ frame->text + skip, frame->bytes - skip };
		run->bytes += frame->bytes - skip;
	}
}

static void conn_advance(struct conn *conn, size_t sent)
{
	while (sent) {
		const struct frame *frame = &conn->stream->ring[conn->cursor % RING_FRAMES];
		size_t left = frame->bytes - conn->offset;
		if (sent < left) {
			conn->offset += (uint32_t)sent;
			return;
		}
		sent -= left;
		conn->offset = 0;
		conn->cursor++;
	}
}

static void conn_pump(struct conn *conn, struct run *run)
{
	const struct stream *stream = conn->stream;
	while (!conn->blocked && conn->cursor < stream->head) {
		if (stream->head - conn->cursor > RING_FRAMES) {
			conn_give_up(conn);
			return;
		}
		if (!run->count || run->cursor != conn->cursor || run->offset != conn->offset ||
		    (run->end != stream->head && run->count < IOV_COUNT_MAX))
			run_make(run, stream, conn);
		ssize_t sent = writev(conn->fd, run->iov, run->count);
		if (sent < 0 && errno != EAGAIN) {
			conn_give_up(conn);
			return;
		}
		conn->blocked = sent < (ssize_t)run->bytes;
		if (!conn->blocked) {
			conn->cursor = run->end;
			conn->offset = 0;
		} else if (sent > 0) {
			conn_advance(conn, (size_t)sent);
		}
	}
}

void streams_flush(void)
{
	static struct run run;
	while (bare.dirty) {
		struct stream *stream = bare.dirty;
		bare.dirty = stream->next_dirty;
		stream->dirty = false;
		run.count = 0;
		for (size_t i = stream->listener_count; i-- > 0;)
			conn_pump(stream->listeners[i], &run);
	}
}

void conn_flush(struct conn *conn)
{
	static struct run run;
	run.count = 0;
	conn->blocked = false;
	conn_pump(conn, &run);
}

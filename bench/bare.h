/*
 * bare: what the two files of bareloop share: streams that send, and the connections that listen.
 *
 * Thread  the only one.
 */
#ifndef TAPECAST_BENCH_BARE_H
#define TAPECAST_BENCH_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NAME_MAX_BYTES = 200,
	FRAME_MAX = 4096,
	RING_FRAMES = 1024,
};

struct frame {
	uint32_t bytes;
	uint32_t room;
	char *text;
};

struct conn;

struct stream {
	struct stream *next;
	struct stream *next_dirty;
	bool dirty;
	uint64_t head; /* events published; the next one's sequence number is head + 1 */
	struct frame *ring; /* RING_FRAMES of them in writev mode; one in send mode */
	struct conn **listeners;
	size_t listener_count, listener_room;
	char name[NAME_MAX_BYTES + 1];
};

struct conn {
	int fd;
	bool blocked;
	uint32_t place; /* in stream->listeners */
	uint32_t offset; /* bytes of frame `cursor` already sent */
	uint64_t cursor;
	struct stream *stream; /* NULL: not a listener */
	char *part; /* of a request that has not come whole */
	size_t part_bytes;
};

void bare_die(const char *what);
void *bare_grown(void *old, size_t bytes);

/* Whether streams coalesce (writev mode) or send each event at once; set before the first one. */
void streams_coalesce(bool coalesce);
struct stream *stream_get(const char *name, size_t name_bytes);
void stream_add(struct stream *stream, struct conn *conn);
void stream_drop(struct conn *conn);
void stream_publish(struct stream *stream, const char *data, size_t data_bytes);

/* Sends what is outstanding: to every listener of a stream that moved, or to one that could not
 * take it before. */
void streams_flush(void);
void conn_flush(struct conn *conn);

#endif

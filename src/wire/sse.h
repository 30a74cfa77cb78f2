/*
 * sse: reads text/event-stream as it arrives, by the WHATWG rules (HTML, 9.2.6).
 *
 * Owns    the fields of the event that is being read.
 * Promise one BOM at the start is dropped; CR, LF and CRLF end a line, also across chunks; an event
 *         that the body's end cuts is not given. Bytes are not checked to be UTF-8.
 * Bound   an event's fields together hold bytes_max, and so does a line: ERR_TOO_BIG. That, and
 *         ERR_NOMEM, are for good. Comments may be of any length.
 */
#ifndef TAPECAST_WIRE_SSE_H
#define TAPECAST_WIRE_SSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct sse_event {
	struct slice type; /* empty: "message" */
	struct slice data;
	struct slice id; /* the last event id as it now stands */
	bool has_data; /* false: a block without data, which EventSource would not dispatch */
	bool has_id; /* this block set it */
};

struct sse_reader {
	struct buf line, data, type, id;
	size_t bytes_max;
	uint64_t events; /* given so far */
	int64_t retry_ms; /* last retry: field, -1: none */
	bool started; /* the first line, which may begin with a BOM, is behind us */
	bool after_cr; /* an LF that comes next belongs to the line before */
	bool has_data, has_id; /* of the block being read */
	bool given; /* data and type belong to an event already given */
	enum err failed;
};

void sse_reader_init(struct sse_reader *reader, size_t bytes_max);
void sse_reader_fini(struct sse_reader *reader);
/* As lines_next: OK with an event (valid until the next call), ERR_AGAIN when the chunk is used up.
 * Blocks without data are given too when they set an id or a type (has_data false). */
enum err sse_next(struct sse_reader *reader, struct slice *chunk, struct sse_event *ret_event)
	ERR_CHECKED;

#endif

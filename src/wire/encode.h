/*
 * encode: an event's bytes in each form; the only place that writes frames.
 *
 * Promise pure; what was encoded parses back to what was published, whatever the payload's bytes.
 */
#ifndef TAPECAST_WIRE_ENCODE_H
#define TAPECAST_WIRE_ENCODE_H

#include "base/buf.h"
#include "wire/position.h"

/* What an encoder needs to know of an event. Position: ignored where has_position is false
 * (ephemeral events have none). */
struct encode_event {
	struct slice stream, type, key, data;
	struct position position;
	bool has_position;
	bool json; /* data is well-formed JSON */
	uint64_t wall_ms;
};

/* All: ERR_NOMEM, ERR_TOO_BIG, and ERR_SYNTAX for a type (below: id, json) that would end its line;
 * buf is then as it was. Payloads may hold anything. */

/* "event: T\n" if typed, one "data: " line for each line of the payload, "id: POS\n" last, "\n". */
enum err encode_sse(const struct encode_event *event, struct buf *buf);

/* {"stream","id","type","key","time","data"}, no newline; absent type, key, id are left out.
 * json data as it is (line ends in it, white space there, become spaces), else a string. */
enum err encode_json(const struct encode_event *event, struct buf *buf);

/* "event: T\ndata: JSON\nid: ID\n\n": notices, and events in the envelope form. Empty type or id:
 * no such line. json must hold no line end. retry_ms 0: none; else "retry: N\n" before data. */
enum err encode_sse_block(struct slice type, struct slice json, struct slice id, uint32_t retry_ms,
			  struct buf *buf);

#endif

/*
 * cursor: the places of one session on several streams, as one opaque id.
 *
 * Promise pure. Only bytes that browsers send without a preflight (A-Z a-z 0-9 - . _ ,); no stream
 *         names in it, but 24 bits of a hash of each, so that the order of the streams in a request
 *         does not matter and streams can be added or dropped. Trouble with one item is its own:
 *         each carries a check byte, which finds every change of a single character, and an end
 *         mark tells a text that was cut between two items.
 * Bound   CURSOR_STREAMS_MAX items; at most 128 bytes for 4 streams of usual positions.
 */
#ifndef TAPECAST_WIRE_CURSOR_H
#define TAPECAST_WIRE_CURSOR_H

#include "base/buf.h"
#include "wire/position.h"

enum { CURSOR_STREAMS_MAX = 64, CURSOR_TEXT_MAX = 4096 };

enum cursor_found {
	CURSOR_ABSENT, /* the text says nothing of this stream: it is new to the session */
	CURSOR_FOUND,
	CURSOR_INVALID, /* the text, or what may have been this stream's item, is broken */
};

struct cursor_place {
	enum cursor_found found;
	struct position position; /* if CURSOR_FOUND */
};

/* Appends the text. One stream: its plain position. ERR_TOO_MANY, ERR_TOO_BIG, ERR_NOMEM: buf is
 * then as it was. */
enum err cursor_format(const struct slice *names, const struct position *positions, size_t count,
		       struct buf *buf) ERR_CHECKED;

/* Fills ret_places[0..count-1], count <= CURSOR_STREAMS_MAX. Never fails: what cannot be read is
 * CURSOR_INVALID. An empty text: all absent. A broken item is laid to every stream for which none
 * was found; so is a plain position if there are several streams, because it does not say whose it
 * is. Streams whose hashes are equal are told apart by their order. */
void cursor_parse(struct slice text, const struct slice *names, size_t count,
		  struct cursor_place *ret_places);

#endif

/*
 * show: what `sub` prints for an event, and what it says of the server's notices.
 *
 * Promise pure. Text for a terminal holds no control characters but newline and tab, because
 *         events come from strangers.
 */
#ifndef TAPECAST_CLI_SHOW_H
#define TAPECAST_CLI_SHOW_H

#include "base/buf.h"
#include "wire/draft.h"
#include "wire/sse.h"

enum show_kind { SHOW_EVENT, SHOW_OPEN, SHOW_GAP, SHOW_END, SHOW_AUTH, SHOW_OTHER };

struct show {
	bool json;          /* one object a line, notices too */
	bool is_envelope;   /* events come as {"stream","id",…,"data"} */
	bool names_streams; /* "STREAM: " before each line */
	bool is_terminal;
};

/* By the event's type: "tapecast.gap" is SHOW_GAP… */
enum show_kind show_kind_of(struct slice type);

/* Appends an event's line(s), or in JSON form also a notice's. ERR_SYNTAX with a note if an
 * envelope is broken. */
enum err show_put(const struct show *show, const struct sse_event *event,
		  struct buf *out) ERR_CHECKED;

/* Appends in words what a gap notice says. */
void show_gap_words(struct slice notice, struct buf *out);

/* The stream and state of an end notice; the stream's name is put into buf. ERR_SYNTAX. */
enum err show_end_read(struct slice notice, struct buf *name,
		       enum end_state *ret_state) ERR_CHECKED;

/* Appends an expiry notice in words. */
void show_auth_words(struct slice notice, struct buf *out);

/* Appends text, for a terminal without its control characters. */
void show_put_clean(bool is_terminal, struct slice text, struct buf *out);

#endif

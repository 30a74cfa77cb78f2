/*
 * tape: one stream's bounded run of events, encoded once per form and shared by all readers.
 *
 * Owns    references to its events; the segments of encoded bytes (pinned ones outlive a trim).
 * Thread  every call but view_done under the stream's lock.
 * Promise a place on the tape is an ordinal, which only grows: entry n is never changed. Whatever
 *         lies between an ordinal and the head comes as runs of bytes, each sent by one send().
 *         Runs break at segments and at entries that are told one by one: a fork, an end, and (for
 *         readers that lag) events that are ephemeral or expired.
 * Bound   tape_bounds; trimming goes from the tail, and never past the newest event.
 */
#ifndef TAPECAST_STREAM_TAPE_H
#define TAPECAST_STREAM_TAPE_H

#include "stream/event.h"
#include "stream/gap.h"

enum form {
	FORM_SSE,
	FORM_JSON, /* one object a line */
	FORM_CHUNKED, /* FORM_SSE, each frame a chunk of an HTTP/1.1 body */
	FORM_WS, /* FORM_JSON's object with "op":"event" in front, each a text frame of WebSocket */
	FORM_COUNT
};

/* What a reader meets that does not keep up. */
enum slow_policy {
	SLOW_SKIP, /* everything, until the tail overtakes it: then a gap */
	SLOW_COALESCE, /* of each key the newest value; overtaken all the same: a gap */
	SLOW_CLOSE, /* overtaken: the end of its session, whose last id resumes it */
};

struct tape_bounds {
	uint32_t events_max;
	size_t bytes_max; /* of event_weight, each form's bytes on top */
	uint64_t age_ms_max;
	enum slow_policy slow;
	/* For those who listen; a tape does not look at them. */
	uint32_t interval_ms; /* at most one flush a window; 0: each event at once */
	uint32_t heartbeat_ms; /* 0: as everywhere */
	uint32_t class_index; /* which class of streams this is, for those who count */
};

struct tape;
struct segment;

/* name must outlive the tape. ERR_NOMEM. */
enum err tape_new(struct slice name, struct tape_bounds bounds, struct tape **ret_tape) ERR_CHECKED;
void tape_free(struct tape **tape);

/* Encodes this form from now on, and what is on the tape already. ERR_NOMEM: not in use. */
enum err tape_use(struct tape *tape, enum form form) ERR_CHECKED;

/* Appends (takes a reference of its own) and trims. The caller has checked that it follows the head
 * (or is ephemeral: left out behind an end). ERR_NOMEM: the tape is as it was. */
enum err tape_append(struct tape *tape, struct event *event, uint64_t now_ms) ERR_CHECKED;

/* History breaks here: every reader that comes this far is told gap and goes on behind it; new
 * readers are only placed behind it. gap->next becomes the head. ERR_NOMEM: as it was. */
enum err tape_fork(struct tape *tape, const struct gap *gap) ERR_CHECKED;

/* The position before the first event, for a fresh tape only (before any append). */
void tape_floor_set(struct tape *tape, struct position floor);

/* Drops what is older than age_ms_max. */
void tape_age(struct tape *tape, uint64_t now_ms);

const struct tape_bounds *tape_bounds_of(const struct tape *tape);
uint64_t tape_head_ord(const struct tape *tape); /* of the next event to come */
uint64_t tape_tail_ord(const struct tape *tape); /* of the oldest entry */
struct position tape_head(const struct tape *tape);
/* Counts what a new reader from=start would be given: events with a position, unexpired. */
size_t tape_count(const struct tape *tape, uint64_t now_ms);
size_t tape_weight(const struct tape *tape); /* bytes of events, keys and forms */
/* END_NONE while it goes on. */
enum end_state tape_end(const struct tape *tape);
/* The position is on the tape (or its floor): equal tag included. */
bool tape_holds(const struct tape *tape, const struct position *position);

enum start_kind {
	START_NOW,
	START_OLDEST,
	START_LAST, /* the newest `count` events */
	START_TIME, /* events accepted at or after wall_ms */
	START_AFTER, /* the position `after` */
	START_INVALID, /* an id that is none: gap, then `otherwise` */
};

struct start {
	enum start_kind kind;
	enum start_kind otherwise; /* where to go on when `after` cannot be: OLDEST, NOW… */
	struct position after;
	uint64_t count;
	uint64_t wall_ms;
};

struct place {
	uint64_t ord; /* the next entry to read */
	struct position at; /* the position before it */
	bool gapped; /* tell gap first */
	bool recovered; /* START_AFTER was honoured without a gap */
	bool finished; /* an ended stream of which everything has been read */
	struct gap gap;
};

void tape_place(const struct tape *tape, const struct start *start, uint64_t now_ms,
		struct place *ret_place);

enum view_kind {
	VIEW_NOTHING, /* caught up */
	VIEW_BYTES, /* bytes: entries ord..end_ord-1 */
	VIEW_GAP, /* tell gap, go on at end_ord */
	VIEW_END, /* tell end: the stream is over */
	VIEW_OVERTAKEN, /* the tail has passed ord: gap is filled in (skipped), end_ord the tail */
};

struct view {
	enum view_kind kind;
	struct slice bytes; /* pinned until view_done; starts `skip` bytes into entry ord */
	uint64_t ord;
	uint32_t skip;
	uint64_t end_ord;
	enum slow_policy slow; /* VIEW_OVERTAKEN: the tape's */
	uint64_t folded; /* entries left out because their key has a newer value */
	struct position end_at; /* where a reader stands who has read it all */
	struct gap gap;
	enum end_state end;
	struct event *event; /* events_max == 1: the event, with a reference; else NULL */
	struct segment *segment;
};

struct peek {
	enum form form;
	uint64_t ord;
	uint32_t skip; /* bytes of entry ord already sent */
	uint32_t events_max; /* 0: no bound; 1: also gives the event */
	bool lagging; /* leaves out ephemeral and expired events */
	bool fold; /* leaves out values that SLOW_COALESCE has newer ones of */
	uint64_t now_ms;
};

/* What lies at peek.ord, at most one segment's bytes (64 KiB, or one longer event). Entries left
 * out are stepped over: end_ord says how far. VIEW_BYTES may then have no bytes, when all that was
 * there was left out. at: the reader's position (for gaps). */
void tape_peek(const struct tape *tape, const struct peek *peek, const struct position *at,
	       struct view *ret_view);

/* Where a reader is who got the first `sent` (< view->bytes.bytes) bytes of a view. */
struct partial {
	uint64_t ord; /* the entry it is in, and how many of its bytes are out */
	uint32_t skip;
	size_t rest; /* bytes of that entry that are not */
	bool known; /* at and after are: false if the entry has been trimmed meanwhile */
	struct position at; /* before that entry */
	struct position after; /* behind it */
};

void tape_partial(const struct tape *tape, const struct view *view, size_t sent,
		  struct partial *ret_partial);

/* Unpins. Any thread, lock not needed. */
void view_done(struct view *view);

#endif

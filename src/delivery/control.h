/*
 * control: what is done to sessions from outside: new streams, a new token, an end, a list.
 *
 * Thread  all calls: any thread. What is called back: see each.
 * Promise a session's id names its loop, so a change is a job for one loop; a disconnect or a list
 *         is one for each.
 * Bound   CURSOR_STREAMS_MAX streams a session, LIST_SESSIONS_MAX sessions of a list.
 */
#ifndef TAPECAST_DELIVERY_CONTROL_H
#define TAPECAST_DELIVERY_CONTROL_H

#include "delivery/bearer.h"
#include "delivery/engine.h"

enum { SESSION_ID_TEXT = 32 }; /* hexadecimal digits, as told in tapecast.open */

/* Work for one loop. loop is NULL where the engine ends before it was done. */
struct job {
	struct list link;
	void (*run)(struct job *job, struct loop *loop);
};

/* One change of one session. Whoever asks keeps it, and all that it names, until done. */
struct change {
	struct slice session; /* its id as text */
	struct bearer *bearer; /* the new token, a reference of the asker's; NULL: as it is */
	const struct wanted *add; /* streams to listen to as well; the grants were looked at */
	size_t add_count;
	const struct slice *drop; /* names; one that is not listened to is no error */
	size_t drop_count;
	/* On the session's loop, or in the asker's thread if there can be no such session. OK: it
	 * stands. Else nothing was changed, with a note: ERR_NOT_FOUND, no such session on this
	 * node. ERR_DENIED, the bearer has another sub, or is not valid. ERR_CONFLICT, add or drop
	 * where the form has one stream only, or the last stream would go. ERR_AGAIN, an event is
	 * half out. ERR_TOO_MANY, ERR_NOMEM, ERR_DRAINING. */
	void (*done)(struct change *change, enum err err);
	void *arg;
	struct job job; /* engine_change's */
};

/* Bearer, add and drop are one step. Streams that the new bearer may not read
 * (engine_config.may_read) are dropped too, and the listener is told so. */
void engine_change(struct engine *engine, struct change *change);

enum disconnect_cause {
	DISCONNECT_ADMIN,
	DISCONNECT_REVOKED, /* the bearers are revoked, too */
};

/* Empty: any. What is not empty must all fit; all empty fits every session. */
struct session_filter {
	struct slice sub, jti, stream;
	struct slice session; /* an id as text, or its first digits as a list tells them */
};

/* Closes the sessions that fit, spread evenly over spread_ms. Everything is copied. ERR_NOMEM:
 * nothing was done. */
enum err engine_disconnect(struct engine *engine, const struct session_filter *filter,
			   enum disconnect_cause cause, uint32_t spread_ms) ERR_CHECKED;

struct listed_stream {
	struct slice name;
	uint64_t lag; /* entries of the tape that it has still to be given */
};

enum { LISTED_ID_DIGITS = 8, LIST_SESSIONS_MAX = 1000 };

struct listed_session {
	char id[LISTED_ID_DIGITS + 1]; /* the first digits: they name it, and open nothing */
	uint8_t address[16];
	enum session_form form;
	struct slice sub; /* empty: no bearer, or one without */
	uint64_t expires_ms; /* Unix time; BEARER_NEVER */
	uint64_t open_ms; /* for how long it has been */
	uint64_t bytes; /* sent so far */
	const struct listed_stream *streams;
	size_t stream_count;
};

/* Who asks keeps it, and what its filter names, until done. */
struct listing {
	struct session_filter filter;
	size_t count_max; /* of sessions given; at most LIST_SESSIONS_MAX */
	/* For each session that fits, on its loop's thread, one at a time (a lock is held). */
	void (*each)(struct listing *listing, const struct listed_session *listed);
	/* Once, behind all others, on one of the loops. fitting: all that fit, given or not. */
	void (*done)(struct listing *listing, size_t fitting);
	void *arg;
};

/* ERR_NOMEM: done will not be called. */
enum err engine_list(struct engine *engine, struct listing *listing) ERR_CHECKED;

#endif

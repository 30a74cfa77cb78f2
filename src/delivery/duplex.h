/*
 * duplex: a session whose peer speaks too (WebSocket): what the engine tells whoever understands
 *         it, and what that one may ask of the session.
 *
 * Thread  everything here: the session's loop.
 * Promise bytes come up in order, each once. What is said goes out in order, and never inside an
 *         event's frame. After closed nothing more is called, and the session must not be touched.
 * Bound   DUPLEX_PASS_BYTES read a pass and session; say_bytes_max waiting to go out.
 */
#ifndef TAPECAST_DELIVERY_DUPLEX_H
#define TAPECAST_DELIVERY_DUPLEX_H

#include "delivery/bearer.h"
#include "delivery/ticket.h"

enum {
	DUPLEX_CHUNK_BYTES = 16384, /* at most, of one call of input */
	DUPLEX_PASS_BYTES = 65536, /* read from one session before others have their turn */
	DUPLEX_SAY_BYTES = 16384, /* said and not yet sent, where say_bytes_max is 0 */
	DUPLEX_REF_BYTES = 128,
	DUPLEX_LINGER_MS = 1000,
};

struct session;

/* ticket.duplex: copied. */
struct duplex {
	/* What the peer sent. Returns how many bytes were used: fewer than there are means "stop
	 * reading": the rest is given again, first, after session_read_on. May call all below. */
	size_t (*input)(void *arg, struct session *session, struct slice bytes);
	/* A subscription has its place, before its first event: writes the answer, a whole
	 * frame. ref is as it was given to session_subscribe. Calls nothing below. */
	enum err (*subscribed)(void *arg, struct slice stream, struct slice ref,
			       const struct position *at, bool recovered, struct buf *buf);
	/* The session is gone, or will be as soon as this returns. Once. */
	void (*closed)(void *arg, struct session *session);
	void *arg;
	size_t say_bytes_max; /* 0: DUPLEX_SAY_BYTES */
};

/* Goes on with a reader that had stopped. Calls input before it returns only if called from
 * outside of input. */
void session_read_on(struct session *session);

/* Whole frames, sent behind what has begun. ERR_FULL: the peer does not read; the session is being
 * closed (4408). ERR_CLOSED: it is already, or memory has run out. */
enum err session_say(struct session *session, struct slice bytes) ERR_CHECKED;

/* Listens to one more stream; `subscribed` is called when it is live, not before this returns. ref:
 * what the answer needs, at most DUPLEX_REF_BYTES. ERR_TOO_MANY (CURSOR_STREAMS_MAX, or the node's
 * streams), ERR_TOO_BIG (ref), ERR_CONFLICT (listens to it already), ERR_CLOSED, ERR_NOMEM: nothing
 * was changed. With a note. */
enum err session_subscribe(struct session *session, const struct wanted *wanted, struct slice ref)
	ERR_CHECKED;
/* ERR_NOT_FOUND. ERR_AGAIN: an event of it is half out (the peer reads slowly). */
enum err session_unsubscribe(struct session *session, struct slice stream) ERR_CHECKED;
bool session_listens(const struct session *session, struct slice stream);

/* A new token, of which the session takes a reference of its own. Streams that it may not read are
 * let go of, and the peer is told {"op":"error","code":"forbidden","stream"} of each. ERR_DENIED:
 * another sub, or not valid. ERR_AGAIN: an event is half out. The first bearer may be any. */
enum err session_set_bearer(struct session *session, struct bearer *bearer) ERR_CHECKED;
struct bearer *session_bearer(const struct session *session);

/* Says last (a close frame, or nothing), then no more. at_once: the peer has said its close, so the
 * socket is closed when last is out; else when the peer has closed, or after DUPLEX_LINGER_MS;
 * input goes on meanwhile, and may call this again when it meets the peer's close. */
void session_finish(struct session *session, struct slice last, bool at_once);

/* The id as SESSION_ID_TEXT hexadecimal digits, not terminated. */
void session_id_text(const struct session *session, char *ret_text);
/* Another thread's answer for this session: its loop, for loop_post. */
struct loop *session_loop(const struct session *session);

#endif

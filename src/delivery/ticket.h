/*
 * ticket: all that is needed to make a session of a socket. The only way in: see engine_adopt.
 *
 * Owns    nothing: the slices are copied where they are kept.
 */
#ifndef TAPECAST_DELIVERY_TICKET_H
#define TAPECAST_DELIVERY_TICKET_H

#include "base/buf.h"
#include "delivery/bearer.h"
#include "stream/stream.h"
#include "wire/cursor.h"

enum session_form {
	SESSION_SSE, /* the shared bytes; one stream */
	SESSION_SSE_ENVELOPE, /* data is the JSON object, id the session's cursor; 1..64 streams */
	SESSION_NDJSON, /* one JSON object a line; several streams: each line carries "cursor" */
	SESSION_ANSWER, /* one HTTP answer (a page), made when there is something to say */
	SESSION_WS, /* frames of WebSocket, both ways; see duplex.h. Streams come and go */
};

enum { SESSION_FORMS = SESSION_WS + 1 };

/* One stream of the session, as asked. */
struct wanted {
	struct slice name;
	struct start start;
};

/* A stream that was asked for and may not be heard. */
struct refused {
	struct slice name;
	const char *code; /* a problem's, such as "forbidden" */
};

struct ticket;

/* SESSION_ANSWER: writes the whole HTTP answer, head included. Called once, on the loop, when the
 * stream has something behind the place, or after wait_ms. The stream is not locked. place is NULL
 * if the stream was not live by then: the backplane is away. */
typedef void answer_fn(void *arg, struct stream *stream, const struct place *place, uint64_t now_ms,
		       struct buf *answer);

struct ticket {
	int fd;
	enum session_form form;
	bool chunked; /* the head says Transfer-Encoding: chunked; false: the close ends the body */
	bool notices; /* false: no tapecast.* block is ever sent */
	const struct wanted *wanted;
	size_t wanted_count; /* 1..CURSOR_STREAMS_MAX; SESSION_WS: 0 */
	uint32_t interval_ms; /* at most one flush a window; 0: none */
	struct slice head; /* the HTTP head of an open stream */
	struct slice head_finished; /* the whole answer when all has ended and is read */
	uint8_t address[16]; /* the peer (IPv4 mapped), for the count per address */
	const struct duplex *duplex; /* SESSION_WS only: who understands the peer */
	struct bearer *bearer; /* the session takes a reference of its own; NULL: nobody asks */
	const struct refused *refused; /* told by the open block */
	size_t refused_count; /* 0..CURSOR_STREAMS_MAX */
	/* SESSION_ANSWER only */
	uint32_t wait_ms;
	answer_fn *answer;
	void (*answer_free)(void *arg); /* called once, whatever comes after an adoption */
	void *answer_arg;
};

#endif

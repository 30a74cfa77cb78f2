/*
 * visit: one connection at the door, and the request that it brings just now.
 *
 * Owns    the request's copies, its reply, its work. Freed when libmicrohttpd lets go.
 * Thread  the loop's. The backplane's answer comes from any thread and only marks and posts.
 * Promise while a question to the backplane is open the connection is suspended, so the visit
 *         stays.
 */
#ifndef TAPECAST_FRONT_VISIT_H
#define TAPECAST_FRONT_VISIT_H

#include <stdatomic.h>

#include "auth/grant.h"
#include "front/args.h"
#include "front/door.h"
#include "front/due.h"
#include "front/headers.h"
#include "front/reply.h"

struct MHD_Connection;
struct MHD_Daemon;
struct visit;

/* What a handler says of the request. */
enum step {
	STEP_MORE, /* go on: the next part of the body, or its end */
	STEP_WAIT, /* the backplane has been asked; what was given to ask_*() goes on then */
	STEP_REPLY, /* visit->reply is the answer */
	STEP_TAKEN, /* the socket is somebody else's */
};

enum method {
	METHOD_GET = 1, METHOD_HEAD = 2, METHOD_POST = 4, METHOD_DELETE = 8, METHOD_OPTIONS = 16,
	METHOD_OTHER = 32,
};

/* What the caller must have been granted: see front/caller.h. */
enum needs { NEEDS_NOTHING, NEEDS_SUBSCRIBE, NEEDS_PUBLISH, NEEDS_ADMIN };

struct handler {
	unsigned args; /* ARGS_* */
	bool has_body;
	/* The head is here; STEP_MORE or STEP_REPLY. May be NULL. */
	enum step (*begin)(struct visit *visit);
	/* Takes bytes from *chunk; what it leaves comes again after STEP_WAIT. */
	enum step (*body)(struct visit *visit, struct slice *chunk);
	/* The body has ended (or there is none). */
	enum step (*finish)(struct visit *visit);
};

struct route {
	const char *path; /* ends in "/": what follows is a stream's name */
	unsigned method;
	enum needs needs;
	bool admin;
	const struct handler *handler;
};

/* Goes on when the backplane has answered: on the loop, outside libmicrohttpd's calls. */
typedef enum step next_fn(struct visit *visit);

/* One question to the backplane. */
struct ask {
	_Atomic int phase;
	struct task task;
	struct visit *visit;
	struct publish publish;
	uint64_t asked_ns, asked_bytes; /* of the publish */
	struct read read;
	struct drop drop;
};

enum visit_phase {
	VISIT_HEAD, /* nothing has been looked at */
	VISIT_BODY,
	VISIT_WAIT, /* suspended */
	VISIT_READY, /* the reply is made, and waits for libmicrohttpd to call */
	VISIT_QUEUED, /* the reply is libmicrohttpd's to send */
	VISIT_CUT, /* answered in the middle of the body: the rest is thrown away */
};

struct visit {
	uint32_t tag;
	struct door *door;
	struct MHD_Daemon *daemon;
	struct MHD_Connection *connection;
	int fd; /* libmicrohttpd's: never closed by us */
	bool admin; /* it came in by the administrators' socket */
	struct due due;
	enum visit_phase phase;
	bool is_long; /* its clock is that of events: visit_brought */
	bool counted; /* in the door's requests_open */

	/* the request */
	struct buf uri; /* as it came */
	const char *uri_at; /* libmicrohttpd's own */
	bool chunks; /* HTTP/1.1: the peer knows chunked bodies */
	bool target_cut; /* by a NUL byte */
	struct slice path, query; /* of uri */
	struct buf name; /* the stream of the path, decoded */
	enum method method;
	const struct route *route;
	struct headers headers;
	struct args args;
	struct grant *grant; /* of who asks; NULL: nobody is asked, or it is not needed */
	struct reply reply;
	uint64_t body_bytes; /* so far */
	bool body_ended;

	struct ask ask;
	next_fn *next; /* after STEP_WAIT */
	void *work; /* a handler's own */
	void (*work_free)(struct visit *visit);
};

struct door {
	uint32_t tag;
	struct door_config config;
	uint64_t now_ms; /* of this turn */
	struct gate *gates; /* one a listening socket */
	size_t gate_count;
	int nest_fd; /* what the loop watches: the daemons' sets and the bell */
	int bell_fd; /* rung when a daemon must run though no descriptor of its says so */
	bool rung;
	int dead_fd; /* TAKEOVER_SWAP only */
	struct due_queue heads, bodies, ingests, cuts;
	struct due pause; /* accepting pauses until then */
	struct due_queue pauses;
	bool paused;
	atomic_bool closing;
	bool closed;
	struct task close_task;
	atomic_bool close_posted;
	_Atomic size_t asks_open;
	_Atomic size_t requests_open; /* begun, and not yet done with */
};

/* --- for handlers --- */

static inline const struct front_settings *visit_settings(const struct visit *visit)
{
	return visit->door->config.settings;
}

struct slice visit_name(const struct visit *visit);
/* The reply is the problem of err, with the thread's note. STEP_REPLY. */
enum step visit_problem(struct visit *visit, enum err err);
/* A small JSON answer begins: status, Content-Type; the body is the caller's to fill. */
struct reply *visit_json(struct visit *visit, unsigned status);

/* Restart the wait for the rest of a long request: it has brought something. */
void visit_brought(struct visit *visit);

/* Questions: visit->ask.publish (read, drop) is filled but for `done`. True: it has been answered
 * already. False: return STEP_WAIT; next is called when it is. */
bool ask_publish(struct visit *visit, next_fn *next) ERR_CHECKED;
bool ask_read(struct visit *visit, next_fn *next) ERR_CHECKED;
bool ask_drop(struct visit *visit, next_fn *next) ERR_CHECKED;

/* --- for door.c --- */

enum err visit_new(struct door *door, struct MHD_Daemon *daemon, struct MHD_Connection *connection,
		   int fd, struct visit **ret_visit) ERR_CHECKED;
void visit_free(struct visit **visit);
/* Ready for the next request on the connection. */
void visit_reset(struct visit *visit);
/* The head is here: headers, route, query; then the handler's begin. */
enum step visit_begin(struct visit *visit, const char *method, const char *version);
/* Sends the reply past libmicrohttpd, which can queue none while a body is coming. */
void visit_cut(struct visit *visit);
/* The door's part of a question that has been answered: on the loop. */
void visit_answered(struct visit *visit);

#endif

/*
 * engine: the loops, and the count of all sessions.
 *
 * Owns    its loops and, through them, every session.
 * Thread  engine_adopt and loop_turn: the loop's own thread. loop_post, counts, engine_full: any.
 * Promise a session lives and dies on one loop. A turn does bounded work.
 * Bound   sessions_max, sessions_per_address_max; 2,000 sends and 64 KiB a session in a pass.
 */
#ifndef TAPECAST_DELIVERY_ENGINE_H
#define TAPECAST_DELIVERY_ENGINE_H

#include "delivery/ticket.h"
#include "stream/hub.h"
#include "world/world.h"

struct engine;
struct loop;

enum { ENGINE_LOOPS_MAX = 64 };

struct engine_config {
	struct world *world;
	struct hub *hub;
	uint32_t loop_count;
	size_t sessions_max;
	size_t sessions_per_address_max;
	uint32_t heartbeat_ms; /* default 15,000; each beat is jittered by up to -10 % */
	uint32_t dead_ms; /* default 30,000: TCP_USER_TIMEOUT, and our own stall timer */
	uint32_t retry_min_ms, retry_max_ms; /* `retry:` is drawn between them for each session */
	uint32_t open_ms; /* default 500: the head goes out by then, live or not */
	/* A session wants this stream: feed it. Calls stream_moved once it is live. */
	enum err (*attach)(void *arg, struct stream *stream);
	void *attach_arg;
	/* The bearer (may be NULL) may listen to the stream; asked when the bearer is replaced.
	 * NULL: any may. */
	bool (*may_read)(void *may_read_arg, const struct bearer *bearer, struct slice stream);
	void *may_read_arg;
};

/* Monotonic counts since start, and gauges; read at any time. */
struct engine_counts {
	uint64_t sessions_now, sessions_opened, sessions_refused;
	uint64_t events_sent, bytes_sent, sends, gaps_told;
	uint64_t closed_by_peer, closed_dead, closed_overtaken;
	uint64_t closed_end, closed_drain, closed_nomem, closed_expired;
	uint64_t closed_revoked, closed_admin;
	uint64_t sessions_of_form[SESSION_FORMS]; /* now */
	uint64_t gaps_of_reason[GAP_REASONS];
	uint64_t folded; /* values that slow readers were spared */
};

enum err engine_new(const struct engine_config *config, struct engine **ret_engine) ERR_CHECKED;
/* Closes what is open. */
void engine_free(struct engine **engine);
struct loop *engine_loop(struct engine *engine, uint32_t index);
struct engine_counts engine_counts(const struct engine *engine);

/* No room for one more session from this address: ERR_TOO_MANY with a note; OK. */
enum err engine_room(struct engine *engine, const uint8_t address[16]) ERR_CHECKED;
/* Makes a session of ticket->fd, which is ours from then on; on an error it is still the caller's.
 * ERR_TOO_MANY, ERR_NOMEM, ERR_SYSTEM, ERR_DRAINING, ERR_DENIED (the bearer is no longer valid). */
enum err engine_adopt(struct engine *engine, struct loop *loop, const struct ticket *ticket)
	ERR_CHECKED;

/* Sessions are closed with a resumable id and a jittered retry:, spread evenly over window_ms. Any
 * thread; no session is adopted any more. engine_counts().sessions_now tells when it is done. */
void engine_drain(struct engine *engine, uint32_t window_ms);

/* --- a loop --- */

/* Something else that lives on the loop: an fd to watch, and what to do each turn. */
struct guest {
	int fd; /* level-triggered, readable; -1: none */
	/* Returns in how many ms it wants the next turn at the latest; -1: when its fd says so. */
	int (*turn)(void *arg, uint64_t now_ms);
	void *arg;
};

/* Work sent to a loop from another thread. */
struct task {
	struct list link;
	void (*run)(struct task *task, uint64_t now_ms);
};

enum err loop_guest_set(struct loop *loop, struct guest guest) ERR_CHECKED;
/* Any thread. Tasks run in order, in the loop's next turn. */
void loop_post(struct loop *loop, struct task *task);
/* One turn: waits at most wait_max_ms (0: not at all; -1: until something happens), then mailbox,
 * sockets, timers, guest, streams that moved. Returns true if more work is waiting. */
bool loop_turn(struct loop *loop, int wait_max_ms);
/* A draw between min and max, by the loop's own generator. */
uint32_t loop_draw(struct loop *loop, uint32_t min, uint32_t max);

#endif

/*
 * delivery_impl: sessions, follows and loops from the inside, for the files of this floor alone.
 *
 * A session has one cursor per stream. A cursor rests on its follow's roster while it has read
 * everything; when the stream moves, the follow's roster is served in one pass over shared bytes. A
 * session that the kernel refuses (ERR_AGAIN) leaves the rosters until the socket is writable; one
 * that has more to read than a pass allows waits on the loop's busy list.
 */
#ifndef TAPECAST_DELIVERY_DELIVERY_IMPL_H
#define TAPECAST_DELIVERY_DELIVERY_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/wheel.h"
#include "delivery/control.h"
#include "delivery/duplex.h"
#include "stream/hub.h"

enum {
	OWED_BYTES_MAX = 4096, /* what may be copied of a frame that the kernel took half of */
	PASS_SENDS_MAX = 2000, /* then back to the poller */
	SESSION_VIEWS_MAX = 2, /* of 64 KiB, then the next session */
	STITCH_FRAMES_MAX = 128, /* put together for one send */
	STITCH_BYTES = 65536,
	SESSION_ID_BYTES = 16,
};

#define SESSION_TAG 0x5e5510a7u
#define FOLLOW_TAG 0xf0110b3du
#define LOOP_TAG 0x100b57a9u
#define ENGINE_TAG 0xe4617e5du

/* A stream that has listeners on this loop. */
struct follow {
	uint32_t tag;
	uint32_t cursor_count;
	struct loop *loop;
	struct stream *stream; /* a reference */
	struct watch watch;
	atomic_bool marked; /* moved since the last pass */
	struct list mark_link; /* on loop->marks, under its lock */
	struct list dirty_link; /* on loop->dirty, the loop's own */
	struct list roster; /* cursors that have read everything */
	struct list pending; /* cursors this pass has still to serve */
};

struct session;

struct ref {
	size_t bytes;
	char at[];
};

struct cursor {
	struct session *session;
	struct follow *follow;
	struct list link; /* on the follow's roster or pending; else empty */
	bool placed; /* place is valid; before that, start */
	bool ended; /* the end has been told; the store may lose it, and the stream go on */
	bool late; /* joined an open session: its place is told when it has one */
	bool lagging; /* replaying, or was refused by the kernel: passing events are left out */
	struct ref *ref; /* late, of a session that talks: for the answer */
	uint64_t folded; /* values left out since it last was at the head; told when it is again */
	uint32_t skip; /* bytes of entry ord that are already out */
	union {
		struct start start;
		struct {
			uint64_t ord;
			struct position at;
		};
	};
};

enum session_state {
	SESSION_WAITING, /* not every stream is live yet */
	SESSION_RESTING, /* every cursor is at its head, or being served from a roster */
	SESSION_BUSY, /* on loop->busy: there is more to send */
	SESSION_REFUSED, /* the kernel's buffer is full: WORLD_WRITABLE goes on */
	SESSION_PACED, /* its window (interval) is not over */
	SESSION_GONE, /* on loop->grave */
};

/* Why a session is let go of by us. */
enum part {
	PART_END, /* everything is said */
	PART_DRAIN,
	PART_EXPIRED,
	PART_REVOKED,
	PART_ADMIN,
	PART_OVERTAKEN,
};

/* The other half of a session whose peer talks. */
struct talk {
	struct session *session;
	struct duplex duplex;
	struct buf said; /* whole frames that wait for their turn */
	char *rest; /* what input has left, and where it goes on */
	size_t rest_bytes;
	uint64_t heard_ms, pinged_ms;
	uint64_t linger_ms; /* finishing, and all is out: no longer than until then */
	struct list unread_link; /* on loop->unread: there is more to read than a pass allows */
	bool stopped; /* input wants no more for now */
	bool reading; /* inside input */
	bool finishing, at_once;
	enum part part; /* what finishes it */
};

/* What is needed only until the stream is open, or by few sessions. */
struct extra {
	uint32_t wait_ms;
	answer_fn *answer;
	void (*answer_free)(void *arg);
	void *answer_arg;
	struct place place; /* where the answer begins */
	size_t head_bytes, head_finished_bytes, refused_bytes;
	char texts[]; /* both heads, then what the open block says of refused streams */
};

/* Bytes that must go out before anything else. */
struct owed {
	uint32_t bytes, sent;
	char at[];
};

struct session {
	uint32_t tag;
	int fd;
	struct loop *loop;
	struct list link; /* loop->sessions or loop->grave */
	struct list busy_link;
	struct deadline deadline; /* opening, heartbeat, stall, pace or drain: whatever is next */
	uint64_t sent_ms; /* the last byte went out */
	uint64_t refused_ms;
	uint64_t flushed_ms; /* of the interval's window; 0: nothing yet */
	uint64_t opened_ms;
	uint64_t sent_bytes;
	uint64_t due_ms; /* what the deadline is armed for, which may be beyond the wheel's reach */
	uint64_t lapse_ms; /* its bearer's end; UINT64_MAX: none */
	uint64_t lapse_step_ms; /* the warning before it, or itself */
	struct bearer *bearer;
	struct owed *owed;
	struct extra *extra;
	struct talk *talk; /* SESSION_WS only */
	struct address_count *address;
	uint8_t state;
	uint8_t form;
	bool chunked, notices, head_sent, opened, closing, draining;
	uint8_t drain_part;
	bool adopted; /* its birth is over: whoever understands the peer is told of its end */
	bool warned; /* that its bearer lapses */
	bool flushing; /* what came in the window (interval) is on its way, until all is out */
	uint16_t cursor_count, cursor_next; /* whose turn it is */
	uint32_t asked_interval_ms; /* by the listener */
	uint32_t interval_ms; /* the longest of that and its streams' */
	uint32_t retry_ms;
	uint32_t beat_ms; /* this beat's jittered length */
	uint64_t drain_ms;
	uint8_t id[SESSION_ID_BYTES];
	struct cursor *cursors;
	struct cursor only; /* where cursors points when there is one */
};

/* Written by the loop alone, read by anybody. */
struct loop_counts {
	_Atomic uint64_t opened, refused, events, bytes, sends, gaps;
	_Atomic uint64_t by_peer, dead, overtaken, end, drain, nomem, expired;
	_Atomic uint64_t revoked, admin, folded;
	_Atomic uint64_t opened_of[SESSION_FORMS], closed_of[SESSION_FORMS];
	_Atomic uint64_t gaps_of[GAP_REASONS];
};

struct loop {
	uint32_t tag;
	uint8_t index;
	struct engine *engine;
	struct world *world;
	struct poller *poller;
	struct wheel *wheel;
	struct map *follows; /* by stream name */
	struct map *ids; /* sessions by their ids; not answers */
	struct list sessions;
	struct list busy;
	struct list grave;
	struct list unread; /* sessions that talk, with more to read */
	struct list dirty;
	struct guest guest;
	uint64_t guest_due_ms; /* UINT64_MAX: only when its fd says so */
	uint64_t chance; /* generator state */
	uint64_t now_ms; /* of the turn */
	int64_t wall_offset_ms; /* Unix time is now_ms and this */
	uint32_t sends_left; /* of the pass */
	bool draining;
	struct buf scratch; /* blocks and stitched frames on their way out */
	struct buf change; /* what a listener is told of a change */
	pthread_mutex_t lock; /* marks, tasks, jobs */
	struct list jobs;
	struct list marks;
	struct list tasks;
	struct loop_counts counts;
};

struct address_count {
	uint8_t address[16];
	uint32_t count;
};

struct engine {
	uint32_t tag;
	struct engine_config config;
	struct loop *loops[ENGINE_LOOPS_MAX];
	pthread_mutex_t lock; /* addresses, session_count */
	struct map *addresses;
	size_t session_count;
	_Atomic uint64_t refused;
	_Atomic uint32_t drain_window_ms; /* + 1; 0: not draining */
};

/* One adds from the loop's thread alone, so a plain load and store will do. */
static inline void count_up(_Atomic uint64_t *counter, uint64_t by)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
			      memory_order_relaxed);
}

/* engine.c: takes and gives back one session's place. */
enum err engine_take_place(struct engine *engine, const uint8_t address[16],
			   struct address_count **ret_count) ERR_CHECKED;
void engine_give_place(struct engine *engine, struct address_count *count);

/* follow.c */
struct slice follow_name(const void *follow);
/* A cursor joins the loop's follow of this stream, which is made if need be (and fed). */
enum err follow_join(struct loop *loop, struct slice name, struct cursor *cursor) ERR_CHECKED;
void follow_leave(struct cursor *cursor);
/* Serves what the loop's sends_left allow; true if some are left. */
bool follow_pass(struct follow *follow);

/* loop.c: takes all sessions in turn, though `each` may close the one that it is given. */
void loop_each_session(struct loop *loop, void (*each)(struct session *, void *), void *arg);

/* session.c */
struct slice session_name(const void *session);
enum err session_new(struct loop *loop, const struct ticket *ticket, struct session **ret_session)
	ERR_CHECKED;
/* The socket is closed now, the memory goes at the end of the turn. counter: why (may be NULL). */
void session_close(struct session *session, _Atomic uint64_t *counter);
void session_bury(struct session *session);
void session_ready(struct session *session, unsigned flags);
/* Arms the session's deadline for at_ms, or for its bearer's if that comes first. */
void session_arm(struct session *session, uint64_t at_ms);

/* The wall clock's, in this turn. */
static inline uint64_t loop_wall_ms(const struct loop *loop)
{
	return (uint64_t)((int64_t)loop->now_ms + loop->wall_offset_ms);
}

/* lapse.c: the end of a bearer's time. */
/* Looks at the bearer and the clocks again: it is new, or the wall clock was set. */
void lapse_set(struct session *session);
/* Warns, or ends the session. False: it is gone. */
bool lapse_due(struct session *session);

/* Its streams are others: how often it is flushed, and gives a sign of life. */
void session_pace(struct session *session);

/* session_life.c */
/* All of its streams may be live by now. */
void session_try_open(struct session *session);
/* Goes on sending: owed bytes, then cursors. */
void session_run(struct session *session);
/* Its deadline has passed, whatever that was for. */
void session_due(struct deadline *due, uint64_t now_ms);
/* Frees what only the opening needed, and the answer's argument. */
void session_let_go(struct session *session);
/* Turns a cursor's start into its place. ERR_NOMEM. */
enum err cursor_place(struct session *session, struct cursor *cursor, struct place *ret_place)
	ERR_CHECKED;
/* Answers with what there is. OK: it is out, or owed. ERR_CLOSED: the session is gone. */
enum err session_answer(struct session *session);

/* part.c: ends that are ours. */
_Atomic uint64_t *part_counter(struct loop *loop, enum part part);
/* Dismisses it at some time within the window. */
void session_drain(struct session *session, enum part part, uint32_t window_ms);
/* Lets go of it: an answer is made of what there is, a stream is cut where its last id resumes it.
 * What is only on its way goes out first if it is an answer. */
void session_dismiss(struct session *session, enum part part);
/* Closes it where its last id resumes it, saying when to come back if that is possible. */
void session_part(struct session *session, enum part part);
/* Nothing is half out: a block may be sent. */
bool session_is_whole(const struct session *session);

/* late.c */
struct cursor *late_find(const struct session *session, struct slice name);
/* All or none. ERR_TOO_MANY, ERR_CONFLICT, ERR_NOMEM, what attach says. */
enum err late_add(struct session *session, const struct wanted *wanted, size_t count) ERR_CHECKED;
void late_drop(struct session *session, struct cursor *cursor);
void late_leave_all(struct session *session);
/* Its turn has come: it is placed and told of, or rests until its stream is live. OK,
 * ERR_CLOSED. */
enum err late_place(struct session *session, struct cursor *cursor);
bool late_may_read(const struct session *session, const struct bearer *bearer, struct slice name);
enum err late_bearer_fits(const struct session *session, const struct bearer *bearer) ERR_CHECKED;
void late_set_bearer(struct session *session, struct bearer *bearer);
enum err late_change(struct session *session, const struct change *change) ERR_CHECKED;
/* Tells the listener, and goes on. */
void late_changed(struct session *session);

/* talk.c */
enum err talk_new(struct session *session, const struct duplex *duplex) ERR_CHECKED;
/* The session is gone: the peer's other half is told. */
void talk_over(struct session *session);
void talk_free(struct talk **talk);
/* Reads what a pass allows. False: the session is gone. */
bool talk_read(struct session *session);
/* All that had more to read than their last pass allowed. */
void talk_read_on(struct loop *loop);
/* Sends what was said, unless something is half out. OK, ERR_CLOSED. */
enum err talk_flush(struct session *session);
/* Everything is out that was to come: closes, or waits for the peer to. True: nothing is to do. */
bool talk_is_over(struct session *session);
/* Finishes with a close frame. */
void talk_part(struct session *session, enum part part);
/* When it is pinged, or given up, next. */
uint64_t talk_beat_ms(const struct session *session);
bool talk_dead(const struct session *session);

/* pump.c. Both: OK, ERR_AGAIN (the session was set SESSION_REFUSED), ERR_CLOSED (it is gone). */
enum err pump_bytes(struct session *session, struct slice bytes);
enum err pump_owed(struct session *session);
/* Serves one cursor, at most views_max views. Puts it on its roster when it has read everything. */
enum err pump_cursor(struct session *session, struct cursor *cursor, int views_max);
/* Sends a plain view and moves the cursor by what went out. */
enum err pump_view(struct session *session, struct cursor *cursor, const struct view *view);
/* The kernel took `sent` of `bytes`, or said err: counts, remembers, refuses, closes. */
enum err pump_account(struct session *session, enum err err, size_t sent);
/* Keeps what is left of a frame. ERR_NOMEM, ERR_TOO_BIG (OWED_BYTES_MAX): nothing is kept. */
enum err pump_owe(struct session *session, struct slice rest) ERR_CHECKED;

/* stitch.c: one send of what lies before the cursor, for forms whose bytes differ per session. The
 * next entry is an event. As pump_cursor. */
enum err stitch_cursor(struct session *session, struct cursor *cursor);

/* notice.c: blocks of ours, in the session's form and coding, appended to loop->scratch. */
enum err notice_beat(const struct session *session, struct buf *buf);
/* When to come back. A field of its own, no block: nothing for clients to hand out. SSE only. */
enum err notice_retry(const struct session *session, struct buf *buf);
/* ,"refused":[…]: a member of the open block. Errors stay in json. */
void notice_refused_one(const struct refused *refused, bool first, struct buf *json);
void notice_refused(const struct refused *refused, size_t count, struct buf *json);
/* Nothing for listeners without notices, and for answers. */
enum err notice_auth(const struct session *session, uint64_t expires_in_s, struct buf *buf);
enum err notice_changed(const struct session *session, struct slice json, struct buf *buf);
/* A late cursor has its place. */
enum err notice_added(struct session *session, const struct cursor *cursor,
		      const struct place *place, struct buf *buf);
/* The body is whole: what says so, if the coding has a way to. */
enum err notice_close(const struct session *session, struct buf *buf);
enum err notice_cursor(const struct session *session, struct buf *buf);
enum err notice_open(struct session *session, bool recovered, struct buf *buf);
enum err notice_gap(struct session *session, struct slice name, const struct gap *gap,
		    struct buf *buf);
/* Nothing for a count of 0. */
enum err notice_folded(struct session *session, struct slice name, uint64_t count,
		       struct buf *buf);
enum err notice_end(struct session *session, struct slice name, enum end_state end,
		    struct buf *buf);

static inline bool session_stitches(const struct session *session)
{
	return session->form == SESSION_SSE_ENVELOPE ||
	       (session->form == SESSION_NDJSON && (session->cursor_count > 1 || session->chunked));
}

/* When a sign of life is due, if nothing else comes. */
static inline uint64_t session_beat_at_ms(const struct session *session)
{
	return session->talk ? talk_beat_ms(session) : session->sent_ms + session->beat_ms;
}

static inline enum form session_tape_form(const struct session *session)
{
	if (session->form == SESSION_WS)
		return FORM_WS;
	if (session->form != SESSION_SSE)
		return FORM_JSON;
	return session->chunked ? FORM_CHUNKED : FORM_SSE;
}

#endif

/*
 * redis_impl: the inside of the Redis backplane, for redis*.c alone.
 *
 * Thread  the backplane's own, but for the mailbox, which has a lock that is a leaf, and `up` and
 *         `ready`. Answers and pushes are given with no lock held.
 *
 * Links   DOWN (until due_ms), CONNECTING, GREETING (who are you?), UP. Whatever is wrong with a
 *         link, it is closed and made again; there is no other end.
 * Calls   one object each for what has been sent and not answered; a call whose link dies is
 *         answered NULL: nobody knows then.
 */
#ifndef TAPECAST_BACKPLANE_REDIS_IMPL_H
#define TAPECAST_BACKPLANE_REDIS_IMPL_H

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdatomic.h>

#include "backplane/redis.h"
#include "backplane/redis_code.h"
#include "base/map.h"

#define REDIS_TAG 0x4ed15b9cu
#define FLOW_TAG 0xf10375e1u

enum {
	REDIS_CALL_MS = 800, /* without an answer for so long, the server is away */
	REDIS_POST_MS = 900, /* a request waits so long for the server to be back */
	REDIS_CANARY_MS = 1000,
	REDIS_DEAF_MS = 3000,
	REDIS_RETRY_MS_MAX = 1000,
	REDIS_WAIT_MS = 250, /* for replicas; what else goes over the connection waits too */
	REDIS_FLOW_IDLE_MS = 3600000,
	REDIS_GROUP_BYTES = 65536,
	REDIS_POSTS_MAX = 65536,
	REDIS_POSTS_BYTES_MAX = 64 << 20,
	REDIS_READS_MAX = 64,
	REDIS_CALLS_MAX = 256, /* publishes under way */
	REDIS_ANSWER_BYTES_MAX = 32 << 20,
	REDIS_OUT_BYTES_MAX = 128 << 20,
	REDIS_RECV_BYTES = 65536,
	REDIS_TOLD_BYTES_MAX = 4 << 20, /* words that the thread has not seen yet */
	REDIS_RETIRED_MAX = 16,
	REDIS_ID_MAX = 44,
};

enum script {
	SCRIPT_PUBLISH,
	SCRIPT_VERIFY,
	SCRIPT_DROP,
	SCRIPT_SHOUT,
	SCRIPT_FACT,
	SCRIPT_COUNT
};
extern const char *const redis_script_texts[SCRIPT_COUNT];

struct redis;

struct call;
typedef void call_fn(struct redis *redis, struct call *call, const redisReply *reply);
struct call {
	struct list link; /* of link.calls, while sent */
	uint64_t sent_ms;
	unsigned skip; /* answers before the one that counts: those of MULTI */
	call_fn *answered; /* reply NULL: the link died */
};

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_GREETING, LINK_UP };

struct link {
	struct redis *redis;
	bool hears; /* it is the subscription */
	enum link_state state;
	int fd;
	bool readable;
	bool subscribed; /* answers are of the subscription's form from now on */
	struct buf out;
	redisReader *reader;
	const redisReplyObjectFunctions *plain; /* the library's */
	redisReplyObjectFunctions functions; /* and ours, with a bound */
	struct list calls; /* the oldest first */
	struct call greetings[5 + SCRIPT_COUNT];
	unsigned greetings_left;
	/* DOWN: when to try; CONNECTING, GREETING: when it must be over; UP: when the subscription
	 * must be confirmed. */
	uint64_t due_ms;
	uint32_t tries;
	char run_id[REDIS_ID_MAX], replid[REDIS_ID_MAX], replid2[REDIS_ID_MAX];
	bool master;
};

/* One publish request. */
struct post {
	struct list link;
	struct publish *publish;
	uint64_t until_ms;
	size_t bytes;
};

/* FLOW_WAITING: stored; the replicas have not said yet that they have it. */
enum flow_doing { FLOW_IDLE, FLOW_VERIFYING, FLOW_PUBLISHING, FLOW_WAITING };

/* The publishes of one stream, one call under way at a time, and the last that was acknowledged. */
struct flow {
	uint32_t tag;
	struct redis *redis;
	enum flow_doing doing;
	bool verify; /* the server is another one: is what we acknowledged still there? */
	bool doubt; /* the call under way was sent before, and its link died */
	bool whole; /* send the script's text, not its digest */
	struct call call;
	struct list posts; /* waiting */
	struct list group; /* under way; stays as it is when it is sent again */
	size_t group_count;
	uint8_t nonce[CODE_NONCE_BYTES];
	struct position before; /* known when it was formed: the group can only be behind it */
	struct list ready; /* of redis.flows_ready, or in FLOW_WAITING of flows_waiting */
	uint64_t not_before_ms;
	struct position acked; /* the ledger; epoch 0: nothing */
	uint64_t used_ms, refreshed_ms;
	size_t name_bytes;
	char name[];
};

/* A read, a drop, a fact or a list of facts under way. */
struct errand {
	struct list link;
	struct call call;
	struct read *read;
	struct drop *drop;
	struct fact *fact;
	struct fact_list *facts;
	struct event *end; /* of a drop */
	uint64_t until_ms, not_before_ms;
	uint32_t rounds;
	bool sent;
	bool whole;
	int64_t range_at, range_end; /* what LRANGE is asked for; range_at < 0: from the end */
};

struct watcher {
	struct list link;
	void (*watched)(void *arg, struct slice name);
	void *arg;
};

/* A channel. It stays until what was sent for it has been confirmed. */
struct watch {
	uint32_t count;
	uint32_t asked; /* SUBSCRIBE and UNSUBSCRIBE without confirmation */
	bool wanted; /* the last of them was SUBSCRIBE */
	struct list watchers; /* who has not been told yet */
	size_t name_bytes;
	char name[];
};

enum note_kind { NOTE_WATCH, NOTE_UNWATCH, NOTE_SHOUT, NOTE_TELL };
struct note {
	struct list link;
	enum note_kind kind;
	void (*watched)(void *arg, struct slice name);
	void *arg;
	struct event *event;
	size_t name_bytes;
	char name[]; /* of NOTE_TELL: the word */
};

/* What was done so far, for whoever looks: see backplane_counts. */
struct tally {
	_Atomic uint64_t commands, commits, committed_events, connects, disconnects;
	_Atomic uint64_t pushes_received, bytes_sent, bytes_received, lost_tails, posts_waiting;
};

enum finder_state { FINDER_REST, FINDER_CONNECTING, FINDER_ASKING, FINDER_LISTENING };

/* One connection to one sentinel: where is the primary, and tell me when it moves. */
struct finder {
	enum finder_state state;
	size_t at; /* which sentinel */
	int fd;
	bool readable;
	redisReader *reader;
	uint64_t due_ms; /* REST: when to try; CONNECTING, ASKING: when it must be over */
	uint64_t asked_ms;
	bool unsure; /* a link failed since the last answer: ask again */
	bool found;
	struct redis_address primary;
};

struct redis {
	struct backplane backplane; /* first */
	uint32_t tag;
	struct redis_config config;
	char prefix[REDIS_PREFIX_MAX + 1];
	char self[17]; /* this node's name among the channels */
	pthread_t thread;
	bool runs;
	struct poller *poller;
	atomic_bool stopping, up, ready;
	_Atomic uint64_t echo_ms, echo_us; /* the canary: heard last when (0: never), how fast */
	struct tally tally;

	pthread_mutex_t lock; /* the mailbox: */
	bool closed;
	struct list publishes, reads, drops, facts, fact_lists, notes;
	size_t told_bytes; /* words among the notes */

	/* the thread's own: */
	uint64_t now_ms;
	struct link command, subscription;
	struct finder finder;
	char scripts[SCRIPT_COUNT][41];
	char retired[REDIS_RETIRED_MAX][REDIS_ID_MAX];
	unsigned retired_next;
	char run_id[REDIS_ID_MAX], replid[REDIS_ID_MAX]; /* of the last server: the generation */
	struct map *flows;
	struct list flows_ready, flows_waiting;
	struct call wait;
	bool wait_wanted, wait_sent;
	char refusal[64]; /* the last one that was only for now */
	size_t flows_walk;
	size_t posts_count, posts_bytes, calls_count;
	struct list errands; /* not sent yet, or to be sent again */
	size_t errands_sent;
	struct map *watches;
	size_t asked_count; /* of all watches */
	bool canary_confirmed;
	bool doubted; /* pushes were missed; told once all channels are confirmed */
	bool complained; /* the log has been told that it is away */
	struct call canary;
	bool canary_sent, canary_heard;
	uint64_t canary_due_ms, canary_seen_ms, canary_sent_ns, down_since_ms, walk_due_ms;
	char bytes[REDIS_RECV_BYTES];
};

static inline void tally_add(_Atomic uint64_t *count, uint64_t more)
{
	atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

/* --- redis.c --- */
struct redis *redis_of(struct backplane *backplane);
struct code_rules redis_rules(struct redis *redis);
/* Keys and channels: {prefix}:{name}:suffix. */
enum { REDIS_KEY_MAX = REDIS_PREFIX_MAX + 200 + 8 };
struct slice redis_key(const struct redis *redis, struct slice name, const char *suffix,
		       char ret_key[REDIS_KEY_MAX]);

/* --- redis_link.c --- */
void link_init(struct link *link, struct redis *redis, bool hears);
void link_fini(struct link *link);
/* Closes it, answers its calls with NULL, and sees to the next attempt. */
void link_lose(struct link *link, const char *why);
/* Connects, greets, times out: what is due. */
void link_turn(struct link *link);
void link_receive(struct link *link);
void link_flush(struct link *link);
/* One command; call NULL: its answer is expected by somebody else. */
void link_send(struct link *link, struct call *call, const struct slice *words, size_t count);
/* EVALSHA, or EVAL if whole. keys and argv are `words`. */
void link_eval(struct redis *redis, struct call *call, enum script script, bool whole,
	       size_t key_count, const struct slice *words, size_t count);
uint64_t link_due(const struct link *link);
/* The first word of an answer that is an array of texts; empty if it is none. */
struct slice reply_word(const redisReply *reply, size_t index);
bool reply_starts(const redisReply *reply, const char *text);
/* {…, epoch, number, tag} from `index` on. */
enum err reply_position(const redisReply *reply, size_t index, struct position *ret_position)
	ERR_CHECKED;

/* --- redis_greet.c --- */
void link_greet(struct link *link);

/* --- redis_flow.c --- */
void flow_take(struct redis *redis, struct publish *publish);
void flows_turn(struct redis *redis);
void flows_verify_all(struct redis *redis);
uint64_t flows_due(const struct redis *redis);
/* Answers everything. */
void flows_clear(struct redis *redis);
struct slice flow_name_of(const void *object);

/* --- redis_send.c: what a flow sends, and what the answer means --- */
void flow_send(struct flow *flow);
void flow_answer_group(struct flow *flow, enum err err, const char *note);
void flow_make_ready(struct flow *flow);
void flow_post_done(struct redis *redis, struct post *post, enum err err, const char *note);

/* --- redis_read.c --- */
void errand_take_read(struct redis *redis, struct read *read);
void errand_take_drop(struct redis *redis, struct drop *drop);
/* Makes one that is sent in the next turn; NULL: no memory for it. */
struct errand *errand_new(struct redis *redis);
void errand_answered(struct redis *redis, struct call *call, const redisReply *reply);
/* Once more, while there is time. */
void errand_again(struct redis *redis, struct errand *errand, uint32_t pause_ms);
void errands_turn(struct redis *redis);
uint64_t errands_due(const struct redis *redis);
void errands_clear(struct redis *redis);
void errand_finish(struct redis *redis, struct errand *errand, enum err err);
/* redis_answer.c: OK; ERR_AGAIN: with the range set anew; ERR_SYNTAX, ERR_NOMEM. */
enum err errand_answer(struct redis *redis, struct errand *errand, const redisReply *reply)
	ERR_CHECKED;

/* --- redis_sentinel.c --- */
void finder_init(struct finder *finder);
void finder_fini(struct redis *redis);
void finder_turn(struct redis *redis);
uint64_t finder_due(const struct redis *redis);
/* A link to what was found has failed. */
void finder_doubt(struct redis *redis);
/* Where to connect; false: nobody has said yet. */
bool finder_primary(const struct redis *redis, const char **ret_host, uint16_t *ret_port);

/* --- redis_wait.c --- */
/* What is placed is answered, once the replicas have it if that is wanted. */
void flow_settle(struct flow *flow);
/* Behind the publishes of a turn. */
void wait_turn(struct redis *redis);

/* --- redis_fact.c --- */
void fact_take(struct redis *redis, struct fact *fact);
void fact_list_take(struct redis *redis, struct fact_list *list);
void fact_send(struct redis *redis, struct errand *errand);
void fact_list_send(struct redis *redis, struct errand *errand);
void fact_answered(struct redis *redis, struct errand *errand, const redisReply *reply);
void fact_list_answered(struct redis *redis, struct errand *errand, const redisReply *reply);

/* --- redis_tell.c: words --- */
/* No stream has such a name. */
#define TELL_NAME "!all"
struct slice tell_channel(const struct redis *redis, char ret_key[REDIS_KEY_MAX]);
void tell_take(struct redis *redis, const struct note *note);
void told_heard(struct redis *redis, struct slice bytes);
void told_missed(struct redis *redis);

/* --- redis_watch.c --- */
struct slice watch_name_of(const void *object);
void watch_take(struct redis *redis, struct note *note);
void unwatch_take(struct redis *redis, struct slice name);
void shout_take(struct redis *redis, struct note *note);
void watches_subscribe(struct redis *redis);
void watches_lost(struct redis *redis);
void watches_clear(struct redis *redis);
void watches_heard(struct redis *redis, const redisReply *reply);
void canary_turn(struct redis *redis);

#endif

/*
 * sim_impl: one simulated node and its clients, for the files of this folder alone.
 */
#ifndef TAPECAST_SIM_IMPL_H
#define TAPECAST_SIM_IMPL_H

#include <ucontext.h>

#include "backplane/feed.h"
#include "backplane/memory.h"
#include "delivery/control.h"
#include "delivery/engine.h"
#include "sim.h"
#include "sim_oracle.h"
#include "sim_parse.h"
#include "sim_world.h"

enum {
	SIM_LOOPS_MAX = 4,
	SIM_STREAMS_MAX = 8,
	SIM_CLIENTS_MAX = 300,
	SIM_OPS_MAX = 512,
	SIM_TRACE_MAX = 256,
	SIM_IDEMS_MAX = 64,
	SIM_STACK_BYTES = 1 << 19,
	SIM_PATIENCE_MS = 29000, /* less than dead_ms */
	SIM_ID_BYTES = 1024,
	SIM_RETRY_MIN_MS = 1000,
	SIM_RETRY_MAX_MS = 5000,
};

/* A loop's thread: it sleeps inside poller_wait, where everybody else goes on. */
struct fiber {
	ucontext_t context;
	struct loop *loop;
	struct poller *poller; /* it waits on; NULL: it is between two turns */
	uint64_t until_ns;
	bool done;
	int doorbell; /* the fd by which requests reach the loop's guest */
	uint32_t op_count;
	uint32_t ops[SIM_OPS_MAX]; /* a client's number: it knocks; OP_PUBLISH */
	char stack[SIM_STACK_BYTES] __attribute__((aligned(64)));
};

enum { OP_PUBLISH = 0xffffffff };

/* What one client knows of one of its streams. */
struct seen {
	uint32_t stream;
	enum start_kind kind; /* as asked */
	enum start_kind otherwise;
	uint64_t count; /* START_LAST */
	bool known; /* at holds */
	bool given; /* at was asked for, and nothing has confirmed it yet */
	bool asked_invalid; /* an id that is none was sent, and no gap has told so yet */
	bool ended;
	struct position at;
	struct position head_then; /* of the history, when it connected */
	uint64_t folded; /* values it was spared and has not been told of */
	uint32_t shout_min; /* index of the next ephemeral event that may come */
};

enum client_state { CLIENT_AWAY, CLIENT_KNOCKING, CLIENT_OPEN, CLIENT_DONE };

struct client {
	uint32_t number;
	enum client_state state;
	int fd;
	enum session_form form;
	bool notices, chunked;
	uint32_t interval_ms;
	uint32_t wait_ms; /* SESSION_ANSWER */
	uint64_t asked_ms;
	uint32_t bytes_a_read; /* its speed; 0: it reads nothing for now */
	uint32_t queue_bytes;
	uint64_t back_ms; /* when it comes back */
	uint64_t heard_ms; /* the last byte */
	bool half_closed;
	bool excused; /* the server may have closed it for a reason of ours */
	uint64_t lapse_wall_ms; /* of its token; BEARER_NEVER: none */
	bool changing; /* the change is on its way */
	bool awaiting; /* it was not told of it yet */
	bool change_wrong;
	struct change changed;
	struct slice change_name;
	struct wanted change_wanted;
	struct seen coming; /* the stream that was asked for last */
	char session[SESSION_ID_TEXT + 1];
	bool spoiled; /* its id is one that was never given out */
	uint32_t seen_count;
	struct seen seen[SIM_STREAMS_MAX];
	size_t id_bytes;
	char id[SIM_ID_BYTES]; /* as EventSource would send it */
	struct parse parse;
};

/* An idempotency key that was used. */
struct idem_use {
	uint32_t number; /* 0: none */
	uint32_t count, serial;
	uint32_t breaks;
	uint8_t digest;
	uint64_t at_ms;
	struct position first, last;
};

struct trace_line {
	uint32_t step;
	uint64_t at_ms;
	const char *what;
	uint64_t a, b, c;
};

/* What this seed makes happen; one in so many steps, 0: never. */
struct plan {
	uint32_t loop_count, stream_count, client_count, step_count;
	uint32_t nomem_one_in; /* of allocations */
	uint32_t drop_one_in, delay_one_in, fork_one_in, lose_one_in, away_one_in;
	uint32_t wall_one_in, stick_one_in, reset_one_in, half_one_in, stall_one_in;
	uint32_t delete_one_in, end_one_in, linger_ms;
	uint32_t ephemeral_one_in, ttl_one_in, key_one_in, json_one_in, big_one_in;
	uint32_t race_one_in; /* of the feed's calls */
	uint32_t publish_weight, group_max;
	uint32_t bearer_one_in, change_one_in, disconnect_one_in;
	uint32_t idem_max, sessions_max;
	uint32_t saying_bytes_max;
	bool spurious_again; /* a reader may be slow beyond its own doing */
	bool squeezed; /* the store and the node have little room for histories */
	bool faults; /* of the store: pushes can fail */
	bool drain; /* ends with a drain */
};

struct sim {
	uint64_t seed;
	struct draw draw;
	struct sim_world world;
	struct plan plan;
	struct tape_bounds bounds[SIM_STREAMS_MAX];
	struct hub *hub;
	struct backplane *backplane;
	struct feed *feed;
	struct engine *engine;
	uint32_t step;
	uint32_t serial;
	bool calm; /* faults are over */
	bool away; /* the store is */
	bool draining;
	uint64_t calm_ms; /* when faults ended */
	size_t base_blocks, base_bytes, peak_bytes;
	size_t peak_allowed; /* when the peak was */
	size_t largest_bytes; /* of one event */
	ucontext_t scheduler;
	struct fiber *running;
	const char *violation;
	char violation_text[256];
	uint64_t hash;
	uint64_t events_checked, publishes;
	uint64_t unexplained_count; /* connections that the server closed without a cause we gave */
	bool verbose;
	uint32_t trace_count;
	struct trace_line trace[SIM_TRACE_MAX];
	uint32_t idem_number;
	struct idem_use idems[SIM_STREAMS_MAX][SIM_IDEMS_MAX];
	struct fiber fibers[SIM_LOOPS_MAX];
	struct oracle oracles[SIM_STREAMS_MAX];
	struct client clients[SIM_CLIENTS_MAX];
};

static inline uint64_t sim_ms(const struct sim *sim)
{
	return sim->world.now_ns / 1000000;
}

struct slice sim_stream_name(uint32_t stream);
/* Keeps the first promise broken. */
void sim_violated(struct sim *sim, const char *what, uint64_t a, uint64_t b);
void sim_trace(struct sim *sim, const char *what, uint64_t a, uint64_t b, uint64_t c);
void sim_hash(struct sim *sim, struct slice bytes);

/* sim_plan.c */
void plan_draw(struct sim *sim);
void plan_faults(struct sim *sim, bool on);

/* sim_node.c: the product under test. */
bool node_start(struct sim *sim);
void node_stop(struct sim *sim);
void node_run_loop(struct sim *sim, uint32_t loop);
bool node_loop_runnable(const struct sim *sim, uint32_t loop);
/* An op for the loop's guest. */
void node_knock(struct sim *sim, uint32_t loop, uint32_t op);
void node_turns(struct sim *sim);
void node_check_memory(struct sim *sim);
size_t node_bytes_allowed(const struct sim *sim);

/* sim_race.c */
void race_start(struct sim *sim);

/* sim_page.c: an answer_fn. */
extern const struct slice page_head;
void page_answer(void *arg, struct stream *stream, const struct place *place, uint64_t now_ms,
		 struct buf *answer);

/* sim_load.c: publishers. */
/* A request is on its way to the store. */
bool load_busy(void);
void load_publish(struct sim *sim);
void load_say(struct sim *sim, uint32_t stream);
void load_delete(struct sim *sim);

/* sim_client.c: what a client does. */
void client_connect(struct sim *sim, struct client *client);
void client_adopt(struct sim *sim, struct client *client, struct loop *loop);
/* Reads at most bytes_max; true if there was something. */
bool client_read(struct sim *sim, struct client *client, size_t bytes_max);
void client_leave(struct sim *sim, struct client *client);
bool client_at_head(const struct sim *sim, const struct client *client);

/* sim_judge.c: what a client may be shown. */
void judge_block(struct sim *sim, struct client *client, const struct block *block);

/* The id that a block carries must be exactly where the client now stands, on every stream. */
void judge_id(struct sim *sim, struct client *client, struct slice id);

/* sim_control.c: tokens, changes, disconnects. */
/* With a reference, or NULL. */
struct bearer *control_bearer(struct sim *sim, struct client *client);
void control_change(struct sim *sim, struct client *client);
void control_disconnect(struct sim *sim);
void control_judge(struct sim *sim, struct client *client, struct slice notice, struct slice json);
void control_must_have_lapsed(struct sim *sim);

/* sim_story.c: the order of things. */
void story_chaos(struct sim *sim);
void story_calm(struct sim *sim);
void story_farewell(struct sim *sim);

#endif

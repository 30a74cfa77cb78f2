/*
 * backplane: the seam: where streams are kept and how nodes hear each other.
 *
 * Thread  calls from any thread; answers and pushes come from any thread, possibly before the call
 *         returns, never under a lock that the caller could hold (callers hold none).
 * Promise every request is answered exactly once. An answer OK to a publish means: in the history.
 *         Pushes of one stream come in order or not at all; a push may be lost in silence if
 *         ops->pushes_can_fail, so the feed checks the chain.
 */
#ifndef TAPECAST_BACKPLANE_BACKPLANE_H
#define TAPECAST_BACKPLANE_BACKPLANE_H

#include "base/list.h"
#include "base/must.h"
#include "stream/event.h"

struct backplane;

enum {
	BACKPLANE_GROUP_MAX = 64,
	BACKPLANE_READ_MAX = 1000,
	BACKPLANE_TELL_BYTES_MAX = 65536,
	BACKPLANE_FACTS_MAX = 10000, /* of a set */
	BACKPLANE_FACT_SET_MAX = 32,
	BACKPLANE_FACT_KEY_MAX = 256,
	BACKPLANE_FACT_VALUE_MAX = 1024,
};

/* A publish of 1..64 events of one stream, all or nothing. */
struct publish {
	/* asked */
	struct slice name;
	struct event **events; /* references taken over by the backplane, in every case */
	size_t count;
	struct slice idem; /* empty: none; the digest must then be that of the request */
	uint8_t digest[16]; /* with idem: same key and other digest is ERR_KEY_REUSED */
	bool expects; /* If-Match: only if the head is `expected` */
	struct position expected;
	void (*done)(struct publish *publish); /* once; may free the request */
	/* answered */
	enum err err; /* OK, ERR_CONFLICT (head: the present one), ERR_ENDED, ERR_KEY_REUSED,
		       * ERR_UNAVAILABLE, ERR_TIMEOUT (unknown), ERR_FULL, ERR_NOMEM */
	bool behind; /* OK: stored, but not yet on as many replicas as the node wants */
	bool duplicate; /* OK: the key was seen before; first and last are of that time */
	struct position first, last, head;
	char note[128]; /* the note that goes with err */
	struct list link; /* the backplane's while it has it */
};

enum read_status {
	READ_OK, /* events follow `from` */
	READ_NONE, /* no `from` was given: events from the oldest */
	READ_EMPTY, /* there is no such stream */
	READ_EPOCH, READ_AHEAD, READ_TRIMMED, READ_DIVERGED, /* events from the oldest */
};

struct read {
	/* asked */
	struct slice name;
	bool from_given;
	struct position from;
	size_t events_max; /* 0: only the head; at most BACKPLANE_READ_MAX */
	void (*done)(struct read *read); /* once; may free the request */
	/* answered */
	enum err err; /* OK, ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_NOMEM */
	enum read_status status;
	struct position head;
	struct position floor; /* the position before the oldest kept event */
	uint64_t oldest_seq; /* lo: floor.seq + 1 */
	uint64_t kept_count, kept_bytes;
	enum end_state end;
	bool more; /* there was no room for all */
	struct event **events; /* references for the caller, who frees the array by mem_free */
	size_t count;
	struct list link;
};

/* What is answered when nothing is known: no such stream. */
static inline void read_clear(struct read *read)
{
	read->err = OK;
	read->status = READ_EMPTY;
	read->head = read->floor = (struct position){ 0 };
	read->oldest_seq = 1;
	read->kept_count = read->kept_bytes = 0;
	read->end = END_NONE;
	read->more = false;
	read->events = NULL;
	read->count = 0;
}

/* DELETE: ends the stream as cancelled and drops its history. */
struct drop {
	struct slice name;
	void (*done)(struct drop *drop);
	enum err err; /* OK, ERR_NOT_FOUND, ERR_UNAVAILABLE */
	struct position last;
	struct list link;
};

/* A fact: small, shared by all nodes, gone by itself. It outlives the node that put it down. */
struct fact {
	/* asked */
	struct slice set; /* [a-z0-9-], 1 to 32 bytes: which facts belong together */
	struct slice key, value; /* any bytes; the key is not empty. A newer value replaces */
	uint64_t ttl_ms; /* it is true for so long; 0: no longer */
	void (*done)(struct fact *fact); /* once; may free the request */
	/* answered */
	enum err err; /* OK, ERR_FULL, ERR_TOO_BIG, ERR_UNAVAILABLE, ERR_NOMEM */
	struct list link; /* the backplane's while it has it */
};

static inline void fact_set_must_be_good(struct slice set)
{
	MUST(set.bytes >= 1 && set.bytes <= BACKPLANE_FACT_SET_MAX);
}

static inline enum err fact_check(const struct fact *fact)
{
	fact_set_must_be_good(fact->set);
	MUST(fact->key.bytes >= 1);
	if (fact->key.bytes <= BACKPLANE_FACT_KEY_MAX &&
	    fact->value.bytes <= BACKPLANE_FACT_VALUE_MAX)
		return OK;
	return err_note(ERR_TOO_BIG, "a fact has a key of %d and a value of %d bytes",
			BACKPLANE_FACT_KEY_MAX, BACKPLANE_FACT_VALUE_MAX);
}

/* Asks for all facts of a set. */
struct fact_list {
	struct slice set;
	/* One fact, in no order, before `done`; its bytes are borrowed. Calls no backplane. */
	void (*each)(struct fact_list *list, struct slice key, struct slice value,
		     uint64_t left_ms);
	void (*done)(struct fact_list *list); /* once; may free the request */
	enum err err; /* OK, ERR_UNAVAILABLE, ERR_NOMEM: the list is not whole */
	struct list link;
};

/* How well a store hears itself. */
struct backplane_health {
	bool ready; /* what was published can be read back just now */
	/* Of the newest message that the store has given back to this node: how long ago, and how
	 * long it took. Never: UINT64_MAX. A store in the process needs none: both 0. */
	uint64_t echo_age_ms, echo_us;
};

/* What a store has done since it began; zeros where it means nothing. */
struct backplane_counts {
	uint64_t commands; /* sent to the server */
	uint64_t commits, committed_events; /* calls that published, and what they carried */
	uint64_t connects, disconnects; /* of any connection; the first connect counts */
	uint64_t pushes_received, bytes_sent, bytes_received;
	uint64_t lost_tails; /* streams on which something acknowledged was found to be gone */
	uint64_t posts_waiting; /* now */
};

/* A stream that is kept, as it is listed. */
struct listed {
	struct slice name;
	struct position head;
	uint64_t count, bytes; /* of what is kept */
	uint64_t minute_count; /* events of the last 60 seconds, of those kept */
	enum end_state end;
};

/* May call nothing but what is its own. */
typedef void listed_fn(void *arg, const struct listed *listed);

/* What a stream's watcher hears. Events: borrowed, take references. */
struct push {
	struct slice name;
	struct position parent; /* the head before these events */
	struct event *const *events;
	size_t count;
	bool fence; /* no events: the epoch was raised, read again */
	bool dropped; /* history before these events was dropped on purpose */
};

struct backplane_sink {
	void *arg;
	void (*pushed)(void *arg, const struct push *push);
	/* A connection was lost and is back: any push of any stream may have been missed. */
	void (*doubt)(void *arg);
};

/* Who hears what nodes tell each other. Given when a store is made. */
struct backplane_ear {
	void *arg;
	/* A word, at most once; from any thread, with no lock held. NULL: nobody listens. */
	void (*heard)(void *arg, struct slice bytes);
	/* From now on words come; until now they may have been lost, so look at the facts. Where
	 * nodes share a store this comes after every connect, the first one too. May be NULL. */
	void (*missed)(void *arg);
};

struct backplane_ops {
	const char *name;
	bool pushes_can_fail;
	void (*publish)(struct backplane *backplane, struct publish *publish);
	void (*read)(struct backplane *backplane, struct read *read);
	void (*drop)(struct backplane *backplane, struct drop *drop);
	/* Ephemeral events: to the watchers and nowhere else. References taken over. */
	enum err (*shout)(struct backplane *backplane, struct slice name, struct event *event);
	/* Pushes of this stream are wanted (or no longer; counted): watched(arg, name) is called
	 * once they are sure to come. Memory: before watch returns. */
	void (*watch)(struct backplane *backplane, struct slice name,
		      void (*watched)(void *arg, struct slice name), void *arg);
	void (*unwatch)(struct backplane *backplane, struct slice name);
	/* A word to every node, this one included, at most once each. ERR_UNAVAILABLE: to nobody;
	 * ERR_TOO_BIG, ERR_FULL (too many are waiting), ERR_NOMEM. */
	enum err (*tell)(struct backplane *backplane, struct slice bytes);
	void (*fact_put)(struct backplane *backplane, struct fact *fact);
	void (*fact_list)(struct backplane *backplane, struct fact_list *list);
	/* At most count_max of the streams whose names begin with prefix, in no order; false: there
	 * are more. NULL: it cannot tell. */
	bool (*list)(struct backplane *backplane, struct slice prefix, size_t count_max,
		     listed_fn *fn, void *arg);
	/* Bounded work that is due: expiry, retries. Returns when it wants the next (monotonic). */
	uint64_t (*turn)(struct backplane *backplane, uint64_t now_ms);
	/* What was published can be read back just now. */
	bool (*ready)(struct backplane *backplane);
	void (*health)(struct backplane *backplane, struct backplane_health *ret_health);
	void (*counts)(struct backplane *backplane, struct backplane_counts *ret_counts);
	/* The end is near: all that is under way is answered before it returns, and whatever is
	 * asked from now on at once. NULL: nothing is ever under way between calls. */
	void (*stop)(struct backplane *backplane);
	void (*free)(struct backplane **backplane);
};

/* Embedded first in every backplane. */
struct backplane {
	const struct backplane_ops *ops;
	struct backplane_sink sink; /* set once, before the first call */
};

#endif

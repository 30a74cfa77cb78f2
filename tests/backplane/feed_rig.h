/*
 * feed_rig: a feed on a hub, above a store whose every word the test may hold back, drop or repeat.
 *
 * Owns    a memory backplane, which is the truth, and the scripted link before it.
 * Thread  one.
 */
#ifndef TAPECAST_TESTS_BACKPLANE_FEED_RIG_H
#define TAPECAST_TESTS_BACKPLANE_FEED_RIG_H

#include "backplane/feed.h"
#include "backplane/memory.h"
#include "fake_world.h"

enum { LINK_PUSHES_MAX = 600, LINK_READS_MAX = 8, TRACE_MAX = 4096 };

/* The link. Without `manual` it lets all through at once. */
struct link {
	struct backplane backplane; /* first: what the feed sees */
	struct backplane_ops ops;
	struct backplane *store;
	bool manual; /* hold back watches, answers and pushes until they are asked for */
	bool deaf; /* pushes are lost */
	uint32_t failing; /* so many reads are refused first */
	size_t reads_asked, probes_asked, watches_asked, unwatches_asked;

	struct push pushes[LINK_PUSHES_MAX]; /* seen so far, whether delivered or not */
	size_t push_count, delivered_count;
	struct read *reads[LINK_READS_MAX]; /* answered by the store, not yet delivered */
	void (*done[LINK_READS_MAX])(struct read *read);
	size_t read_count;
	void (*watched)(void *arg, struct slice name);
	void *watched_arg;
	char watched_name[32];
};

/* A reader of the stream's tape, as a session is one. */
struct listener {
	struct watch watch;
	size_t moved_count;
	uint64_t ord;
	struct position at;
};

struct feed_rig {
	struct fake_world fake;
	struct link link;
	struct hub *hub;
	struct feed *feed;
	struct stream *stream; /* "a" */
	struct listener listener; /* has been there from the beginning */
	char trace[TRACE_MAX];
};

/* pushes_can_fail: as of a store that is far away. */
void feed_rig_init(struct feed_rig *rig, struct tape_bounds bounds, bool pushes_can_fail);
void feed_rig_fini(struct feed_rig *rig);

/* Publishes to "a" events named by the words of the text, as one group. */
void rig_publish(struct feed_rig *rig, const char *words);
void rig_shout(struct feed_rig *rig, const char *word);
void rig_attach(struct feed_rig *rig);
/* Moves time on and turns the feed. */
void rig_turn(struct feed_rig *rig, uint64_t ms);
/* Lets time pass in small turns, answering all reads. */
void rig_settle(struct feed_rig *rig, uint64_t ms);

void link_confirm(struct feed_rig *rig);
/* Delivers the oldest answer that waits. */
void link_answer(struct feed_rig *rig);
/* Delivers push number i, once more if need be; link_push: the oldest not delivered. */
void link_push_at(struct feed_rig *rig, size_t i);
void link_push(struct feed_rig *rig);
/* The oldest that was not delivered never will be. */
void link_lose_push(struct feed_rig *rig);

/* What the listener has met since the last call: "one two <trimmed 3> three [cancelled]". */
const char *rig_trace(struct feed_rig *rig);
/* What a new reader from the oldest event is given. */
const char *rig_trace_of_new(struct feed_rig *rig);
bool rig_live(struct feed_rig *rig);

#endif

/*
 * backplane_rig: a store under test, with a sink that writes down what is pushed.
 *
 * Thread  the sink may be called from any thread; the rest is the test's.
 */
#ifndef TAPECAST_CONFORMANCE_BACKPLANE_RIG_H
#define TAPECAST_CONFORMANCE_BACKPLANE_RIG_H

#include <pthread.h>
#include <stdatomic.h>

#include "conformance/backplane_suite.h"

enum { HEARD_MAX = 20000, HEARD_TEXT_MAX = 24, WORDS_MAX = 64 };

/* One pushed event. */
struct heard {
	char name[HEARD_TEXT_MAX];
	char data[HEARD_TEXT_MAX];
	struct position parent; /* of the event */
	struct position position;
	size_t group_at, group_count;
	enum end_state end;
	bool ephemeral, dropped;
};

/* A word that was told. */
struct word {
	size_t bytes;
	char begin[HEARD_TEXT_MAX];
};

struct rig {
	const struct backplane_factory *factory;
	struct backplane *backplane;
	pthread_mutex_t lock;
	struct heard *heard;
	size_t heard_count;
	atomic_size_t watched_count;
	struct word words[WORDS_MAX];
	atomic_size_t word_count, missed_count;
};

struct rig *rig_new(const struct backplane_factory *factory, struct tape_bounds bounds);
void rig_free(struct rig **rig);
/* Until *flag is set; fails the test after a while. */
void rig_wait(struct rig *rig, const atomic_bool *flag);
/* Until so many events have been pushed. */
void rig_wait_heard(struct rig *rig, size_t count);
void rig_watch(struct rig *rig, const char *name);
/* Until so many words have been heard. */
void rig_wait_words(struct rig *rig, size_t count);
/* The ear of a rig. */
struct backplane_ear rig_ear(struct rig *rig);

/* What a publish came to; head, first, last as the seam says. */
struct told {
	enum err err;
	bool duplicate;
	struct position first, last, head;
	char note[128];
};

struct ask {
	const char *name;
	const char *texts[BACKPLANE_GROUP_MAX]; /* data of the events, up to the first NULL */
	enum end_state end; /* an END event behind them */
	const char *idem; /* its digest is made of the texts */
	const struct position *expected;
};

struct told rig_ask(struct rig *rig, const struct ask *ask);
/* One event. */
struct told rig_say(struct rig *rig, const char *name, const char *text);

/* Waits for the answer; free what it holds by read_done. */
struct read rig_read(struct rig *rig, const char *name, const struct position *from,
		     size_t events_max);
void read_done(struct read *read);
struct drop rig_drop(struct rig *rig, const char *name);
enum err rig_shout(struct rig *rig, const char *name, const char *text);

void assert_place(struct position is, struct position wanted);
/* The read's events are these texts, up to the first NULL, in a chain. */
void assert_texts(const struct read *read, const char *const *texts);

#endif

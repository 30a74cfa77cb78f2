/*
 * feed_impl: the inside of the feed, for feed*.c alone.
 *
 * Thread  stream lock < feed lock, which is a leaf. What a record holds is guarded by its stream's
 *         lock, but for what is marked. The backplane is called with no lock held, and never out of
 *         a push (the store may hold its own): a push that shows a hole makes the record due, and
 *         feed_turn reads.
 *
 * States  COLD          nothing has been asked
 *         SUBSCRIBING   watch was called; pushes are ignored: what they tell will be read
 *         CATCHING      a read is under way, or due; pushes are held back while it is under way.
 *                       What came before a read began is in its answer, or is known to be lost
 *         LIVE          the tape is the history as far as pushes tell; quiet streams are probed
 *         SUSPECT       a read failed and will be tried again; the tape stays as it is, pushes that
 *                       follow it are taken
 *         The first answer makes a stream live for its listeners; nothing takes that back.
 *
 * Mutants compiled in by the simulation to see that it finds them, each by its -D:
 *         MUTANT_FEED_NOTAG      positions are compared without their tags
 *         MUTANT_FEED_NOPROBE    quiet streams are not probed
 *         MUTANT_FEED_READFIRST  reads before it watches
 *         MUTANT_FEED_PROBETRUST takes a probe's answer, maybe old by now, for the truth
 *         MUTANT_FEED_NODEDUPE   takes events that the tape holds already
 */
#ifndef TAPECAST_BACKPLANE_FEED_IMPL_H
#define TAPECAST_BACKPLANE_FEED_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "backplane/feed.h"
#include "base/wheel.h"

#define FEED_TAG 0xfeedf00du
#define FED_TAG 0xfed57ea1u

enum {
	FED_HELD_MAX = 256, /* events */
	FED_HELD_BYTES_MAX = 1 << 20,
	FED_RETRY_MS_MIN = 100,
	FED_RETRY_MS_MAX = 2000,
	FED_PROBE_MS_MIN = 4000,
	FED_PROBE_MS_MAX = 6000,
	FEED_TURN_STREAMS = 1024,
};

/* As feed_counts. */
struct feed_tally {
	_Atomic uint64_t reads, probes, failed, hurt, healed, healed_ms, healed_ms_max;
	_Atomic uint64_t gaps_trimmed, gaps_epoch, gaps_rewound, streams;
};

static inline void feed_tally_add(_Atomic uint64_t *count, uint64_t more)
{
	atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

struct feed {
	uint32_t tag;
	struct world *world;
	struct hub *hub;
	struct backplane *backplane;
	struct feed_tally tally; /* no lock */
	pthread_mutex_t lock; /* all that follows */
	struct list records;
	struct list due; /* records to look at in the next turn */
	struct wheel *wheel;
	uint64_t chance; /* the generator's state */
};

enum fed_state { FED_COLD, FED_SUBSCRIBING, FED_CATCHING, FED_LIVE, FED_SUSPECT };

enum errand { ERRAND_NONE, ERRAND_READ, ERRAND_PROBE };

/* One stream's feed. */
struct fed {
	uint32_t tag;
	struct feed *feed;
	struct stream *stream; /* no reference: the stream outlives its feed */
	enum fed_state state;
	bool began; /* the tape's head means something: a first answer came */
	bool running; /* somebody is in fed_run and will see what is wanted */
	bool probe_wanted;
	bool again; /* pushes were lost here: read once more */
	enum errand errand; /* what is under way, in `read`, with a reference to the stream */
	struct read read;
	struct list held; /* pushes held back */
	size_t held_count, held_bytes;
	uint64_t heard_ms; /* the last push or answer */
	uint64_t hurt_ms; /* since when it is behind; 0: it is not, or never was live */
	uint32_t retry_ms; /* the last pause before a retry; 0: the last read went well */
	uint64_t wake_ms; /* when the retry is due, or the probe at the earliest */

	struct list link; /* feed lock: of records */
	struct list due_link; /* feed lock */
	struct deadline deadline; /* feed lock */
	bool doubted; /* feed lock */
};

/* One step of a chain on its way to the tape. */
enum step { STEP_TAKEN, STEP_KNOWN, STEP_HOLE };

uint64_t feed_now(const struct feed *feed);
struct fed *fed_of(const struct stream *stream);

/* Sends what the stream wants to be sent. The caller holds a reference and no lock. */
void fed_run(struct fed *fed);
/* The deadline's function: under the feed's lock. */
void fed_ring(struct deadline *deadline, uint64_t now_ms);

/* All below: under the stream's lock. */
/* Asks for a read, which comes with fed_run: here or in the next turn. */
void fed_catch(struct fed *fed);
/* It is no longer sure that the tape is the history; it is again. */
void fed_hurt(struct fed *fed);
void fed_healed(struct fed *fed, uint64_t now_ms);
void fed_wake_to_probe(struct fed *fed);
void fed_wake_to_retry(struct fed *fed, uint64_t now_ms);
/* Appends what follows the tape's head; passes over what the tape holds. ERR_NOMEM. */
enum err fed_step(struct tape *tape, const struct position *parent, struct event *event,
		  uint64_t now_ms, enum step *ret_step) ERR_CHECKED;
void fed_hear(struct fed *fed, const struct push *push, uint64_t now_ms);
/* The held pushes are heard now, while the state is LIVE. */
void fed_held_hear(struct fed *fed, uint64_t now_ms);
void fed_held_clear(struct fed *fed);
/* Brings the tape to where the answer is. ERR_NOMEM, ERR_RANGE: as far as it went. */
enum err fed_apply(struct fed *fed, const struct read *answer, uint64_t now_ms) ERR_CHECKED;

#endif

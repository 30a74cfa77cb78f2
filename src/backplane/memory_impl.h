/*
 * memory_impl: the inside of the memory backplane, for memory*.c alone.
 *
 * Thread  three kinds of lock, in this rank: a record's, then (inside the sink) hub and stream,
 *         then the table's, the facts' or the late queue's. Those are leaves: nothing is called
 *         and no other lock is taken under them, so that unwatch may come from anywhere.
 */
#ifndef TAPECAST_BACKPLANE_MEMORY_IMPL_H
#define TAPECAST_BACKPLANE_MEMORY_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "backplane/memory.h"
#include "base/map.h"

enum { IDEM_KEY_BYTES = 16 };

/* A key that was used: what for, and the places that the answer named. */
struct idem_entry {
	uint8_t key[IDEM_KEY_BYTES]; /* a digest of the client's */
	uint8_t digest[16];
	uint64_t last_seq; /* 0: the slot is free */
	uint64_t tag;
	uint32_t count; /* events of the group, which ends at last_seq */
};

struct idem_table {
	struct idem_entry *slots; /* a power of two, or NULL */
	size_t slot_count;
	size_t count;
};

/* Two generations: keys go into the young one; when it is full or old, it replaces the old one. So
 * a key lives for one window at least, two at most, unless idem_max newer ones came meanwhile. */
struct idem {
	struct idem_table young, old;
	uint64_t young_since_ms;
};

/* Drops generations whose time is over. Before each of the next two. */
void idem_age(struct idem *idem, uint64_t window_ms, uint64_t now_ms);
const struct idem_entry *idem_find(const struct idem *idem, const uint8_t key[IDEM_KEY_BYTES]);
/* Makes sure that the next put finds room. ERR_NOMEM. */
enum err idem_reserve(struct idem *idem, size_t idem_max, uint64_t now_ms) ERR_CHECKED;
void idem_put(struct idem *idem, const struct idem_entry *entry);
/* Forgets the keys of events behind seq. */
void idem_rewind(struct idem *idem, uint64_t seq);
size_t idem_weight(const struct idem *idem);
void idem_clear(struct idem *idem);

/* One stream. head.epoch == 0: it has no history (not yet, or no longer). */
struct record {
	uint32_t tag;
	_Atomic uint32_t user_count; /* raised under the table's lock only: at 0 there, it may go */
	atomic_bool watched;
	_Atomic uint64_t used_ms; /* of the last publish: the stream goes age_ms_max later */
	struct list recent; /* table's lock */
	struct tape_bounds bounds;

	pthread_mutex_t lock; /* all that follows */
	struct position head, floor;
	struct event **ring; /* event seq lies at seq & (ring_slots - 1) */
	size_t ring_slots; /* a power of two, or 0 */
	size_t events_bytes;
	enum end_state end;
	bool dropped;
	struct idem idem;
	size_t accounted_bytes; /* its part of memory.bytes */
	size_t name_bytes;
	char name[];
};

static inline size_t record_count(const struct record *record)
{
	return (size_t)(record->head.seq - record->floor.seq);
}

static inline struct event **record_slot(struct record *record, uint64_t seq)
{
	return &record->ring[seq & (record->ring_slots - 1)];
}

enum err record_new(struct slice name, struct tape_bounds bounds, uint64_t now_ms,
		    struct record **ret_record) ERR_CHECKED;
void record_free(struct record **record);
struct slice record_name(const struct record *record);

/* All below: under the record's lock. */
/* Appends, or finds that it must not; fills in the answer but err and note. The events are the
 * record's then, unless it is an error or a duplicate. Not trimmed yet: they have to be pushed. */
enum err record_publish(struct record *record, const struct memory_config *config,
			struct publish *publish, uint64_t now_ms) ERR_CHECKED;
enum err record_read(struct record *record, struct read *read) ERR_CHECKED;
/* Drops the oldest until at most `keep` are left. */
void record_trim_to(struct record *record, size_t keep);
/* Trims to the bounds, but never the newest event. */
void record_trim(struct record *record, uint64_t now_ms);
/* Forgets everything: a later publish begins a new epoch. */
void record_reset(struct record *record);
/* Forgets the newest `count` events. */
void record_rewind(struct record *record, size_t count);
/* Nobody has published for so long that nothing of it needs keeping. */
bool record_idle(const struct record *record, uint64_t now_ms);
size_t record_weight(const struct record *record);

/* A name that pushes are wanted for. */
struct watched_name {
	uint32_t count;
	size_t name_bytes;
	char name[];
};

struct memory {
	struct backplane backplane; /* first */
	uint32_t tag;
	struct memory_config config;
	_Atomic size_t bytes; /* of all records */

	pthread_mutex_t table_lock; /* a leaf: see above */
	struct map *records;
	struct map *watched;
	struct list recent; /* records, the longest unused first */
	size_t walk_at; /* where the next turn's walk goes on */
	uint64_t walk_due_ms; /* the turn's own */
	bool watch_all; /* a watch found no memory: everything is pushed, the sink sorts it out */

	pthread_mutex_t facts_lock; /* a leaf */
	struct map *fact_sets;
	_Atomic uint64_t commits, committed_events;

	struct backplane_ops faulty_ops; /* ops once faults are allowed */
	atomic_bool away;
	_Atomic uint32_t drop_count;
	_Atomic uint32_t delay_ms;
	pthread_mutex_t late_lock; /* a leaf */
	struct list late;
	_Atomic size_t late_count;
	uint64_t late_push_due_ms; /* of the newest push there: the next one may not pass it */
};

struct memory *memory_of(struct backplane *backplane);
uint64_t memory_now(const struct memory *memory);
/* The stream's record, kept until memory_release; NULL if there is none. */
struct record *memory_find(struct memory *memory, struct slice name);
/* Makes it if there is none. ERR_FULL, ERR_NOMEM. */
enum err memory_find_or_make(struct memory *memory, struct slice name, uint64_t now_ms,
			     struct record **ret_record) ERR_CHECKED;
void memory_release(struct record *record);
/* A refusal must leave no trace: takes the record out if it has no history. */
void memory_release_blank(struct memory *memory, struct record *record);
/* Brings memory.bytes up to date with the record, whose lock is held. */
void memory_account(struct memory *memory, struct record *record);

struct slice watched_name_of(const void *object);
void memory_watch_add(struct memory *memory, struct slice name);
void memory_watch_drop(struct memory *memory, struct slice name);
bool memory_watches(struct memory *memory, struct slice name);

/* Expires and ages a part of the table. Returns when it wants the next turn. */
uint64_t memory_walk(struct memory *memory, uint64_t now_ms);
/* Makes room while the histories weigh too much, at other streams' cost before `kept`'s. */
void memory_squeeze(struct memory *memory, const struct record *kept);

bool memory_is_away(struct memory *memory);
enum err memory_away_note(void);

/* memory_list.c */
bool memory_list(struct backplane *backplane, struct slice prefix, size_t count_max, listed_fn *fn,
		 void *arg);

/* memory_fact.c */
struct slice fact_set_name_of(const void *object);
enum err memory_tell(struct backplane *backplane, struct slice bytes) ERR_CHECKED;
void memory_fact_put(struct backplane *backplane, struct fact *fact);
void memory_fact_list(struct backplane *backplane, struct fact_list *list);
void memory_facts_clear(struct memory *memory);

/* The faults' way between the store and the sink. Events are borrowed. */
void memory_push(struct memory *memory, const struct push *push);
void memory_answer(struct memory *memory, struct read *read);
/* watched NULL: an unwatch. */
void memory_watch_late(struct memory *memory, struct slice name,
		       void (*watched)(void *arg, struct slice name), void *arg);
/* Delivers what is due; then the time of the next one, or UINT64_MAX. */
uint64_t memory_late_turn(struct memory *memory, uint64_t now_ms);
/* The connection is lost: pushes on their way do not come, reads are answered so. */
void memory_late_drop(struct memory *memory);
/* The end: only who waits for an answer is called. */
void memory_late_clear(struct memory *memory);

#endif

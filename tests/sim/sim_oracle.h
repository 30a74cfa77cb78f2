/*
 * sim_oracle: what truly happened on each stream: every acknowledged event, where it stands, what
 *             it follows, and whether the store still has it. Readers are judged by this.
 *
 * Owns    its records.
 * Promise knows nothing of tapes: only what publishers were answered, what faults were ordered, and
 *         the stream's bounds.
 * Bound   ORACLE_RECORDS_MAX a stream; the workload stops before.
 */
#ifndef TAPECAST_SIM_ORACLE_H
#define TAPECAST_SIM_ORACLE_H

#include "sim_payload.h"
#include "stream/tape.h"

enum { ORACLE_RECORDS_MAX = 4000, ORACLE_INDEX_SLOTS = 8192, ORACLE_SHOUTS_MAX = 4000 };

struct record {
	struct position at;
	struct position before; /* what it follows */
	int32_t parent; /* index of the record it follows; -1: it is the first of its history */
	struct saying saying;
	uint64_t born_ms, ttl_ms;
	enum end_state end;
	uint64_t entry_no, weight_before; /* entries and bytes the stream took before it */
};

struct oracle {
	uint32_t stream; /* its number in sayings */
	struct tape_bounds bounds;
	uint32_t record_count;
	int32_t head; /* index of the newest acknowledged record of the history; -1: none */
	bool ended;
	bool squeezed; /* any of it may have been let go of, for want of room */
	uint64_t dropped_no; /* entries before it were deleted */
	uint32_t breaks; /* forks, losses, deletions: what may follow is a gap of their kind */
	uint64_t entries, weight; /* all that ever went onto the tape: events, ephemerals, forks */
	uint32_t shout_count;
	struct saying shouts[ORACLE_SHOUTS_MAX]; /* ephemeral events, in order */
	struct record records[ORACLE_RECORDS_MAX];
	uint16_t index[ORACLE_INDEX_SLOTS]; /* record + 1, by position */
};

void oracle_init(struct oracle *oracle, uint32_t stream, struct tape_bounds bounds);
bool oracle_full(const struct oracle *oracle);

/* An acknowledged event. NULL, or what is wrong with the position it was given. */
const char *oracle_append(struct oracle *oracle, const struct record *record, size_t weight);
void oracle_shout(struct oracle *oracle, const struct saying *saying, size_t weight);
/* Deleted: of its history, the newest record alone is left. */
void oracle_drop(struct oracle *oracle);
/* Faults: the newest `count` are forgotten; all is forgotten. */
void oracle_fork(struct oracle *oracle, uint32_t count);
void oracle_lose(struct oracle *oracle);

/* The position of the newest acknowledged event; the origin if there is none. */
struct position oracle_head(const struct oracle *oracle);
const struct record *oracle_find(const struct oracle *oracle, const struct position *position);
/* It stands on the present history (or right before its first event). */
bool oracle_on_history(const struct oracle *oracle, const struct position *position);
/* Nothing that a reader is shown lies between `at` and the record. */
bool oracle_follows(const struct oracle *oracle, const struct position *at,
		    const struct record *record, uint64_t now_ms);
/* Nobody has published for so long that the store may have let go of the stream. */
bool oracle_idle(const struct oracle *oracle, uint64_t now_ms);
/* How many of the newest events the store still has for sure. */
uint32_t oracle_kept_count(const struct oracle *oracle, uint64_t now_ms);
/* Nothing that a reader behind `at` would be shown is left: only what has expired, or an end. A
 * reader that is not told of gaps, or stands nowhere, may have been put behind what is gone. */
bool oracle_caught_up(const struct oracle *oracle, const struct position *at, bool told,
		      uint64_t now_ms);
/* From `at` to `place`, nothing was passed by that a reader is shown. */
bool oracle_passed_by(const struct oracle *oracle, const struct position *at,
		      const struct position *place, uint64_t now_ms);
/* Where a reader may have been put that now stands at `at`, having been shown nothing. */
struct position oracle_put_at(const struct oracle *oracle, const struct position *at,
			      uint64_t now_ms);
/* How many values behind `at` were left out for a newer one of their key, up to `to`, which was
 * itself shown or not. */
uint64_t oracle_folded(const struct oracle *oracle, const struct position *at,
		       const struct position *to, bool shown);
/* The bounds cannot have pushed it out yet. */
bool oracle_surely_kept(const struct oracle *oracle, const struct record *record, uint64_t now_ms);

/* A reader that stood at `after` (origin: nowhere) is told to go on behind `next`. NULL if that is
 * honest; else what is wrong. jump: it asked to go on at the newest. */
const char *oracle_judge_gap(const struct oracle *oracle, const struct position *after,
			     const struct position *next, enum gap_reason reason, bool jump,
			     uint64_t now_ms);
/* A new reader that wants all there is begins behind `at`. NULL, or what is wrong. */
const char *oracle_judge_oldest(const struct oracle *oracle, const struct position *at,
				uint64_t now_ms);

#endif

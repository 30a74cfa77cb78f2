#include "sim_oracle.h"

#include "sim_draw.h"

void oracle_init(struct oracle *oracle, uint32_t stream, struct tape_bounds bounds)
{
	oracle->stream = stream;
	oracle->bounds = bounds;
	oracle->record_count = 0;
	oracle->head = -1;
	oracle->ended = false;
	oracle->squeezed = false;
	oracle->dropped_no = 0;
	oracle->breaks = 0;
	oracle->entries = 0;
	oracle->weight = 0;
	oracle->shout_count = 0;
	memset(oracle->index, 0, sizeof oracle->index);
}

bool oracle_full(const struct oracle *oracle)
{
	return oracle->record_count + 64 >= ORACLE_RECORDS_MAX ||
	       oracle->shout_count + 1 >= ORACLE_SHOUTS_MAX;
}

static uint32_t slot_of(const struct position *position)
{
	return (uint32_t)draw_mix(position->seq * 31 + position->tag + position->epoch) %
	       ORACLE_INDEX_SLOTS;
}

const struct record *oracle_find(const struct oracle *oracle, const struct position *position)
{
	for (uint32_t slot = slot_of(position); oracle->index[slot];
	     slot = (slot + 1) % ORACLE_INDEX_SLOTS) {
		const struct record *record = &oracle->records[oracle->index[slot] - 1];
		if (position_equal(&record->at, position))
			return record;
	}
	return NULL;
}

/* The place before a history's first event has two names: the origin, and number 0 of its epoch. */
static bool is_start_of(const struct position *position, uint64_t epoch)
{
	return position->seq == 0 && (position->epoch == 0 || position->epoch == epoch);
}

static bool same_place(const struct position *a, const struct position *b)
{
	if (position_equal(a, b))
		return true;
	return a->seq == 0 && b->seq == 0 &&
	       (a->epoch == 0 || b->epoch == 0 || a->epoch == b->epoch);
}

bool oracle_idle(const struct oracle *oracle, uint64_t now_ms)
{
	return oracle->head >= 0 &&
	       (oracle->squeezed ||
		now_ms - oracle->records[oracle->head].born_ms > oracle->bounds.age_ms_max);
}

static const char *judge_position(const struct oracle *oracle, const struct record *record)
{
	const struct record *head = oracle->head < 0 ? NULL : &oracle->records[oracle->head];

	if (oracle->ended)
		return "an event was accepted after the end";
	/* Said again after it was lost, the same words behind the same past are the same event. */
	const struct record *twin = oracle_find(oracle, &record->at);
	if (twin && (!oracle->breaks || twin->parent != oracle->head))
		return "a position was given out twice";
	if (record->at.epoch == 0 || record->at.seq == 0)
		return "an event was accepted without a position";
	if (!head)
		return record->at.seq == 1 ? NULL : "a history begins with another number than 1";
	if (record->at.epoch != head->at.epoch)
		return "the epoch changed though nothing was lost";
	if (record->at.seq != head->at.seq + 1)
		return "a number was left out or given out twice";
	return NULL;
}

static void index_put(struct oracle *oracle, const struct record *record)
{
	uint32_t slot = slot_of(&record->at);

	while (oracle->index[slot])
		slot = (slot + 1) % ORACLE_INDEX_SLOTS;
	oracle->index[slot] = (uint16_t)(record - oracle->records + 1);
}

const char *oracle_append(struct oracle *oracle, const struct record *record, size_t weight)
{
	if (oracle_idle(oracle, record->born_ms) &&
	    record->at.epoch != oracle->records[oracle->head].at.epoch)
		oracle_lose(oracle);

	const char *wrong = judge_position(oracle, record);
	if (wrong)
		return wrong;

	const struct record *twin = oracle_find(oracle, &record->at);
	struct record *new = twin ? &oracle->records[twin - oracle->records]
				  : &oracle->records[oracle->record_count++];
	/* A twin's older copy may still be on a tape, and go first: it counts from there. */
	uint64_t entry_no = twin ? twin->entry_no : oracle->entries;
	uint64_t weight_before = twin ? twin->weight_before : oracle->weight;
	uint64_t born_ms = twin ? twin->born_ms : record->born_ms;
	*new = *record;
	new->parent = oracle->head;
	new->before = oracle->head < 0 ? (struct position){ .epoch = record->at.epoch }
				       : oracle->records[oracle->head].at;
	new->entry_no = entry_no;
	new->weight_before = weight_before;
	new->born_ms = born_ms;
	oracle->entries++;
	oracle->weight += weight;
	oracle->head = (int32_t)(new - oracle->records);
	oracle->ended = record->end != END_NONE;
	if (!twin)
		index_put(oracle, new);
	return NULL;
}

void oracle_shout(struct oracle *oracle, const struct saying *saying, size_t weight)
{
	oracle->shouts[oracle->shout_count++] = *saying;
	oracle->entries++;
	oracle->weight += weight;
}

/* A tape that finds its past broken may take up again all that is left of the history, behind a
 * fork: this pushes older entries out, though nobody published anything. */
static void oracle_break(struct oracle *oracle)
{
	if (oracle->head >= 0) {
		uint64_t count = oracle->records[oracle->head].at.seq;
		oracle->entries += count < oracle->bounds.events_max ? count
								     : oracle->bounds.events_max;
		oracle->weight *= 2;
	}
	oracle->entries++;
	oracle->breaks++;
}

void oracle_fork(struct oracle *oracle, uint32_t count)
{
	if (count == 0 || oracle->head < 0)
		return;
	while (count-- && oracle->head >= 0)
		oracle->head = oracle->records[oracle->head].parent;
	/* What remains never ends: an end can only be the newest. */
	oracle->ended = false;
	oracle_break(oracle);
}

void oracle_drop(struct oracle *oracle)
{
	if (oracle->head >= 0)
		oracle->dropped_no = oracle->records[oracle->head].entry_no;
}

void oracle_lose(struct oracle *oracle)
{
	oracle->head = -1;
	oracle->ended = false;
	oracle_break(oracle);
}

struct position oracle_head(const struct oracle *oracle)
{
	return oracle->head < 0 ? (struct position){ 0 } : oracle->records[oracle->head].at;
}

/* The record of that number on the present history, or NULL. */
static const struct record *at_number(const struct oracle *oracle, uint64_t seq)
{
	int32_t i = oracle->head;

	while (i >= 0 && oracle->records[i].at.seq > seq)
		i = oracle->records[i].parent;
	return i >= 0 && oracle->records[i].at.seq == seq ? &oracle->records[i] : NULL;
}

bool oracle_on_history(const struct oracle *oracle, const struct position *position)
{
	const struct record *record;

	if (position->seq == 0)
		return is_start_of(position, oracle_head(oracle).epoch);
	record = at_number(oracle, position->seq);
	return record && position_equal(&record->at, position);
}

static bool expired(const struct record *record, uint64_t now_ms)
{
	return record->ttl_ms && now_ms - record->born_ms >= record->ttl_ms;
}

/* A newer value of its key follows: who lags may be spared this one. */
static bool superseded(const struct oracle *oracle, const struct record *record)
{
	if (oracle->bounds.slow != SLOW_COALESCE || !record->saying.key || record->end != END_NONE)
		return false;
	if (oracle->breaks)
		return true; /* by what is lost since, or by itself, taken up again behind a fork */
	for (int32_t i = oracle->head; i >= 0; i = oracle->records[i].parent) {
		const struct record *newer = &oracle->records[i];
		if (newer->at.seq <= record->at.seq)
			break;
		if (newer->saying.key == record->saying.key && newer->end == END_NONE)
			return true;
	}
	return false;
}

static bool may_be_left_out(const struct oracle *oracle, const struct record *record,
			    uint64_t now_ms)
{
	return expired(record, now_ms) || superseded(oracle, record);
}

bool oracle_follows(const struct oracle *oracle, const struct position *at,
		    const struct record *record, uint64_t now_ms)
{
	while (!same_place(&record->before, at)) {
		if (record->parent < 0)
			return false;
		record = &oracle->records[record->parent];
		if (!may_be_left_out(oracle, record, now_ms))
			return false;
	}
	return true;
}

struct position oracle_put_at(const struct oracle *oracle, const struct position *at,
			      uint64_t now_ms)
{
	const struct record *record = oracle_find(oracle, at);
	struct position put_at = *at;

	while (record && may_be_left_out(oracle, record, now_ms)) {
		put_at = record->before;
		record = record->parent < 0 ? NULL : &oracle->records[record->parent];
	}
	return put_at;
}

uint64_t oracle_folded(const struct oracle *oracle, const struct position *at,
		       const struct position *to, bool shown)
{
	const struct record *record = oracle_find(oracle, to);
	uint64_t count = record && !shown && superseded(oracle, record);

	while (record && !same_place(&record->before, at) && record->parent >= 0) {
		record = &oracle->records[record->parent];
		count += superseded(oracle, record);
	}
	return count;
}

bool oracle_passed_by(const struct oracle *oracle, const struct position *at,
		      const struct position *place, uint64_t now_ms)
{
	const struct record *record = oracle_find(oracle, place);
	return record && may_be_left_out(oracle, record, now_ms) &&
	       oracle_follows(oracle, at, record, now_ms);
}

bool oracle_surely_kept(const struct oracle *oracle, const struct record *record, uint64_t now_ms)
{
	return !oracle->squeezed && record->entry_no >= oracle->dropped_no &&
	       oracle->entries - record->entry_no <= oracle->bounds.events_max &&
	       oracle->weight - record->weight_before <= oracle->bounds.bytes_max &&
	       now_ms - record->born_ms <= oracle->bounds.age_ms_max;
}

bool oracle_caught_up(const struct oracle *oracle, const struct position *at, bool told,
		      uint64_t now_ms)
{
	int32_t i = oracle->head;

	if (!told && !oracle_on_history(oracle, at))
		return true;

	for (; i >= 0 && !same_place(&oracle->records[i].at, at); i = oracle->records[i].parent) {
		const struct record *record = &oracle->records[i];
		if (may_be_left_out(oracle, record, now_ms) || record->end != END_NONE)
			continue;
		if ((told && at->seq) || oracle_surely_kept(oracle, record, now_ms))
			return false;
	}
	return i >= 0 || at->seq == 0 || oracle->head < 0;
}

uint32_t oracle_kept_count(const struct oracle *oracle, uint64_t now_ms)
{
	uint32_t count = 0;

	for (int32_t i = oracle->head; i >= 0; i = oracle->records[i].parent, count++) {
		if (!oracle_surely_kept(oracle, &oracle->records[i], now_ms))
			break;
	}
	return count;
}

/* The newest event up to a place; an end is none, unless there is nothing else. */
static const struct record *last_word(const struct oracle *oracle, const struct position *at)
{
	const struct record *record = oracle_find(oracle, at);
	if (record && record->end != END_NONE && record->parent >= 0)
		record = &oracle->records[record->parent];
	return record;
}

const char *oracle_judge_oldest(const struct oracle *oracle, const struct position *at,
				uint64_t now_ms)
{
	if (at->seq == 0)
		return NULL;
	const struct record *skipped = last_word(oracle, at);
	if (!skipped)
		return "a place that is nowhere";
	while (may_be_left_out(oracle, skipped, now_ms) && skipped->parent >= 0)
		skipped = &oracle->records[skipped->parent];
	/* It stands behind `skipped`, so that one must be gone, or never have been for it. */
	if (skipped->end == END_NONE && oracle_on_history(oracle, at) &&
	    oracle_surely_kept(oracle, skipped, now_ms) &&
	    !may_be_left_out(oracle, skipped, now_ms))
		return "history was kept back that is still there";
	return NULL;
}

const char *oracle_judge_gap(const struct oracle *oracle, const struct position *after,
			     const struct position *next, enum gap_reason reason, bool jump,
			     uint64_t now_ms)
{
	const struct record *last = last_word(oracle, next);

	if (next->seq && !last)
		return "a gap leads to a place that is nowhere";
	if (reason == GAP_EPOCH || reason == GAP_REWOUND) {
		if (oracle->breaks == 0 && !oracle_idle(oracle, now_ms))
			return "a gap tells of a loss that was none";
		if (oracle_on_history(oracle, after) && oracle_on_history(oracle, next) &&
		    after->seq && after->seq == next->seq)
			return "a gap tells a reader of the present history that it is not";
		return NULL;
	}
	if (!oracle_on_history(oracle, after) || !oracle_on_history(oracle, next) || jump)
		return NULL;
	/* Behind a fork, a tape may begin again before where a reader stood. */
	if (last && last->at.seq <= after->seq)
		return oracle->breaks ? NULL : "a gap that skips nothing";
	while (last && last->at.seq > after->seq && may_be_left_out(oracle, last, now_ms))
		last = last->parent < 0 ? NULL : &oracle->records[last->parent];
	if (last && last->at.seq > after->seq && last->end == END_NONE &&
	    oracle_surely_kept(oracle, last, now_ms))
		return "a gap skips what is still there";
	return NULL;
}

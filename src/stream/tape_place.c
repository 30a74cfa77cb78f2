/*
 * tape_place: where a reader begins: a start, as asked, turned into an ordinal and maybe a gap.
 */
#include "stream/tape_impl.h"

#include "base/must.h"

/* New readers are placed behind the newest fork, and never before the tail. */
static uint64_t base_ord(const struct tape *tape)
{
	return tape->region_ord > tape->tail_ord ? tape->region_ord : tape->tail_ord;
}

size_t tape_count(const struct tape *tape, uint64_t now_ms)
{
	size_t count = 0;
	for (uint64_t ord = base_ord(tape); ord < tape->head_ord; ord++) {
		const struct entry *entry = tape_entry(tape, ord);
		count += entry_is_event(entry) && !entry_passed_by(entry, now_ms);
	}
	return count;
}

/* The ordinal behind the position, if it is in the newest region, where numbers only grow. */
static bool find_in_region(const struct tape *tape, const struct position *position,
			   uint64_t *ret_ord)
{
	uint64_t low = base_ord(tape); /* entries before it have seq <= position's */
	uint64_t high = tape->head_ord; /* entries from it on have a greater seq */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (entry_position(tape_entry(tape, middle))->seq <= position->seq)
			low = middle + 1;
		else
			high = middle;
	}
	struct position at = tape_before(tape, low);
	if (!position_equal(&at, position))
		return false;
#ifdef MUTANT_PLACE_OFF_BY_ONE
	low += low < tape->head_ord;
#endif
	*ret_ord = low;
	return true;
}

/* Before the newest fork: a reader placed there meets the fork, and is told. Rare, so walked. */
static bool find_in_past(const struct tape *tape, const struct position *position,
			 uint64_t *ret_ord)
{
	for (uint64_t ord = base_ord(tape); ord > tape->tail_ord; ord--) {
		if (position_equal(entry_position(tape_entry(tape, ord - 1)), position)) {
			*ret_ord = ord;
			return true;
		}
	}
	if (base_ord(tape) > tape->tail_ord && position_equal(&tape->floor, position)) {
		*ret_ord = tape->tail_ord;
		return true;
	}
	return false;
}

bool tape_holds(const struct tape *tape, const struct position *position)
{
	uint64_t ord;
	return find_in_region(tape, position, &ord) || find_in_past(tape, position, &ord);
}

static uint64_t ord_of_last(const struct tape *tape, uint64_t count, uint64_t now_ms)
{
	uint64_t ord = tape->head_ord;
	while (ord > base_ord(tape) && count > 0) {
		const struct entry *entry = tape_entry(tape, --ord);
		count -= entry_is_event(entry) && !entry_passed_by(entry, now_ms);
	}
	return ord;
}

static uint64_t ord_of_time(const struct tape *tape, uint64_t wall_ms)
{
	uint64_t ord = base_ord(tape);
	while (ord < tape->head_ord) {
		const struct entry *entry = tape_entry(tape, ord);
		if (entry->event && entry->event->wall_ms >= wall_ms)
			break;
		ord++;
	}
	return ord;
}

/* Starts that cannot fail. An ended stream's end is left to be told. */
static uint64_t ord_of(const struct tape *tape, enum start_kind kind, const struct start *start,
		       uint64_t now_ms)
{
	uint64_t ord = tape->head_ord;
	if (kind == START_OLDEST)
		ord = base_ord(tape);
	else if (kind == START_LAST)
		ord = ord_of_last(tape, start->count, now_ms);
	else if (kind == START_TIME)
		ord = ord_of_time(tape, start->wall_ms);
	if (ord == tape->head_ord && ord > base_ord(tape) && tape_end(tape) != END_NONE)
		ord--;
	return ord;
}

static struct gap gap_for(const struct tape *tape, const struct position *after)
{
	struct position floor = tape_before(tape, base_ord(tape));
	struct gap gap = { .reason = GAP_REWOUND, .after = *after };
	if (position_is_origin(after) ||
	    (after->epoch == tape->head.epoch && after->seq < floor.seq)) {
		gap.reason = GAP_TRIMMED;
		gap.lost_known = true; /* counted once it is known where the reader goes on */
	} else if (after->epoch != tape->head.epoch) {
		gap.reason = GAP_EPOCH;
	}
	return gap;
}

/* Nothing is left to give behind ord but the end. */
static bool finished_from(const struct tape *tape, uint64_t ord, uint64_t now_ms)
{
	if (tape_end(tape) == END_NONE)
		return false;
	for (; ord < tape->head_ord; ord++) {
		const struct entry *entry = tape_entry(tape, ord);
		if (!entry->event)
			return false;
		if (entry_is_event(entry) && !entry_passed_by(entry, now_ms))
			return false;
	}
	return true;
}

void tape_place(const struct tape *tape, const struct start *start, uint64_t now_ms,
		struct place *ret_place)
{
	MUST_BE(tape, TAPE_TAG);
	struct place place = { 0 };
	if (start->kind == START_AFTER) {
		if (find_in_region(tape, &start->after, &place.ord) ||
		    find_in_past(tape, &start->after, &place.ord)) {
			place.at = start->after;
			place.recovered = true;
			place.finished = finished_from(tape, place.ord, now_ms);
			*ret_place = place;
			return;
		}
		place.gapped = true;
		place.gap = gap_for(tape, &start->after);
	} else if (start->kind == START_INVALID) {
		place.gapped = true;
		place.gap.reason = GAP_INVALID;
	}
	enum start_kind kind = place.gapped ? start->otherwise : start->kind;
	place.ord = ord_of(tape, kind, start, now_ms);
	place.at = tape_before(tape, place.ord);
	place.gap.next = place.at;
	if (place.gap.lost_known)
		place.gap.lost = place.at.seq - place.gap.after.seq;
	*ret_place = place;
}

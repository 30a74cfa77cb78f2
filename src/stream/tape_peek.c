/*
 * tape_peek: what lies before a reader: one run of bytes, or one thing to be told.
 */
#include "stream/tape_impl.h"

#include "base/must.h"

static struct segment *reel_find(const struct reel *reel, uint64_t ord)
{
	if (reel->last->first_ord <= ord)
		return reel->last;
	struct segment *segment = reel->first;
	while (segment->first_ord + segment->count <= ord)
		segment = segment->next;
	return segment;
}

/* The tail has passed the reader. */
static void view_overtaken(const struct tape *tape, const struct position *at, struct view *view)
{
	view->kind = VIEW_OVERTAKEN;
	view->slow = tape->bounds.slow;
	view->end_ord = tape->tail_ord;
	view->end_at = tape->floor;
	view->gap = (struct gap){ .reason = GAP_SKIPPED, .after = *at, .next = tape->floor };
	/* Numbers can be subtracted only where none was given out twice on the way. */
	if ((at->epoch == tape->floor.epoch || position_is_origin(at)) &&
	    at->seq <= tape->floor.seq && view->ord >= tape->broken_ord) {
		view->gap.lost = tape->floor.seq - at->seq;
		view->gap.lost_known = true;
	}
}

/* Entries that are told one by one. */
static void view_single(const struct entry *entry, const struct position *at, struct view *view)
{
	view->end_ord = view->ord + 1;
	view->end_at = *entry_position(entry);
	if (entry->fork) {
		view->kind = VIEW_GAP;
		view->gap = *entry->fork;
		view->gap.after = *at;
	} else {
		view->kind = VIEW_END;
		view->end = entry->event->end;
	}
}

/* The reader is spared this entry. */
static bool left_out(const struct entry *entry, const struct peek *peek)
{
	return (peek->lagging && entry_passed_by(entry, peek->now_ms)) ||
	       (peek->fold && entry->superseded);
}

static bool leaves_out(const struct tape *tape, const struct peek *peek)
{
	return (peek->lagging && tape->passing_count) || (peek->fold && tape->superseded_count);
}

/* Steps over what the reader is spared; a frame already begun is finished in any case. */
static void view_step_over(const struct tape *tape, const struct peek *peek, struct view *view)
{
	if (peek->skip || !leaves_out(tape, peek))
		return;
	while (view->ord < tape->head_ord) {
		const struct entry *entry = tape_entry(tape, view->ord);
		if (!left_out(entry, peek))
			break;
		view->folded += peek->fold && entry->superseded;
		view->end_at = *entry_position(entry);
		view->ord++;
	}
	view->end_ord = view->ord;
	if (view->ord > peek->ord)
		view->kind = VIEW_BYTES;
}

/* How far a run that begins with an event at ord may go: up to the segment's end, and not over an
 * entry that is told by itself or left out. */
static uint64_t run_end(const struct tape *tape, const struct peek *peek, uint64_t ord,
			const struct segment *segment)
{
	uint64_t end_ord = segment->first_ord + segment->count;
	if (peek->events_max && end_ord - ord > peek->events_max)
		end_ord = ord + peek->events_max;
	bool leaves = leaves_out(tape, peek);
	if (!tape->fork_count && !tape->end_count && !leaves)
		return end_ord;
	uint64_t at = ord + 1;
	while (at < end_ord) {
		const struct entry *entry = tape_entry(tape, at);
		if (!entry_is_event(entry) || (leaves && left_out(entry, peek)))
			break;
		at++;
	}
	return at;
}

void tape_peek(const struct tape *tape, const struct peek *peek, const struct position *at,
	       struct view *ret_view)
{
	MUST_BE(tape, TAPE_TAG);
	struct view view = { .kind = VIEW_NOTHING, .ord = peek->ord, .skip = peek->skip,
			     .end_ord = peek->ord, .end_at = *at };
	const struct reel *reel = &tape->reels[peek->form];
	MUST(reel->used && peek->ord <= tape->head_ord);

#ifdef MUTANT_TAPE_TAIL_OFF_BY_ONE
	if (peek->ord < tape->tail_ord && (peek->ord + 1 < tape->tail_ord || peek->skip)) {
#else
	if (peek->ord < tape->tail_ord) {
#endif
		view_overtaken(tape, at, &view);
		*ret_view = view;
		return;
	}
#ifdef MUTANT_TAPE_TAIL_OFF_BY_ONE
	if (view.ord < tape->tail_ord)
		view.ord = tape->tail_ord;
#endif
	view_step_over(tape, peek, &view);
	if (view.ord == tape->head_ord || (view.kind == VIEW_BYTES &&
					   !entry_is_event(tape_entry(tape, view.ord)))) {
		*ret_view = view;
		return;
	}
	const struct entry *entry = tape_entry(tape, view.ord);
	if (!entry_is_event(entry)) {
		view_single(entry, at, &view);
		*ret_view = view;
		return;
	}
	struct segment *segment = reel_find(reel, view.ord);
	view.kind = VIEW_BYTES;
	view.end_ord = run_end(tape, peek, view.ord, segment);
	view.end_at = *entry_position(tape_entry(tape, view.end_ord - 1));
	uint64_t first_ord = segment->first_ord;
	uint32_t from = segment_start(segment, (uint32_t)(view.ord - first_ord)) + peek->skip;
	uint32_t to = segment_start(segment, (uint32_t)(view.end_ord - first_ord));
	MUST(from < to);
	view.bytes = slice_from(segment->bytes + from, to - from);
	view.segment = segment_ref(segment);
	if (peek->events_max == 1)
		view.event = event_ref(entry->event);
	*ret_view = view;
}

void tape_partial(const struct tape *tape, const struct view *view, size_t sent,
		  struct partial *ret_partial)
{
	MUST(view->segment && sent < view->bytes.bytes);
	/* The segment is pinned and knows its frames, so this holds even if the tape was trimmed
	 * past the view meanwhile; only the positions are then no longer known. */
	const struct segment *segment = view->segment;
	uint32_t reached = (uint32_t)((size_t)(view->bytes.at - segment->bytes) + sent);
	uint32_t low = (uint32_t)(view->ord - segment->first_ord);
	uint32_t high = (uint32_t)(view->end_ord - segment->first_ord) - 1;
	while (low < high) { /* the last frame that starts at or before `reached` */
		uint32_t middle = low + (high - low + 1) / 2;
		if (segment_start(segment, middle) <= reached)
			low = middle;
		else
			high = middle - 1;
	}
	struct partial partial = { .ord = segment->first_ord + low };
	partial.skip = reached - segment_start(segment, low);
	partial.rest = segment_start(segment, low + 1) - reached;
	partial.known = partial.ord >= tape->tail_ord;
	if (partial.known) {
		partial.at = tape_before(tape, partial.ord);
		partial.after = *entry_position(tape_entry(tape, partial.ord));
	}
	*ret_partial = partial;
}

void view_done(struct view *view)
{
	segment_unref(&view->segment);
	event_unref(&view->event);
}

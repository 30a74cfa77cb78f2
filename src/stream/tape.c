#include "stream/tape_impl.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "wire/chunk.h"
#include "wire/encode.h"
#include "wire/ws.h"

enum { RING_CAPACITY_MIN = 8 };

enum err tape_new(struct slice name, struct tape_bounds bounds, struct tape **ret_tape)
{
	MUST(bounds.events_max > 0);
	struct tape *tape = mem_zalloc(sizeof *tape);
	if (!tape)
		return ERR_NOMEM;
	tape->ring = mem_zalloc_array(RING_CAPACITY_MIN, sizeof *tape->ring);
	if (!tape->ring) {
		mem_free(tape);
		return ERR_NOMEM;
	}
	tape->tag = TAPE_TAG;
	tape->name = name;
	tape->bounds = bounds;
	tape->ring_capacity = RING_CAPACITY_MIN;
	*ret_tape = tape;
	return OK;
}

/* Takes the oldest segment off the reel; views that read it hold it by their own reference. */
static void reel_shift(struct tape *tape, struct reel *reel)
{
	struct segment *gone = reel->first;
	reel->first = gone->next;
	if (!reel->first)
		reel->last = NULL;
	tape->reel_bytes -= gone->capacity;
	segment_unref(&gone);
}

static void reel_clear(struct tape *tape, struct reel *reel)
{
	while (reel->first)
		reel_shift(tape, reel);
	reel->used = false;
}

static struct slice entry_key(const void *tape, uint64_t ord)
{
	return event_key(tape_entry(tape, ord)->event);
}

/* It is in the table of keys. Passing events are not: history must not lack what they fold. */
static bool entry_has_key(const struct tape *tape, const struct event *event)
{
	return tape->bounds.slow == SLOW_COALESCE && event && event->key_bytes && !event->ephemeral;
}

static void tape_trim_one(struct tape *tape)
{
	struct entry *entry = tape_entry(tape, tape->tail_ord);
	tape->floor = *entry_position(entry);
	if (entry_has_key(tape, entry->event))
		keys_forget(&tape->keys, entry_key, tape, tape->tail_ord);
	tape->superseded_count -= entry->superseded;
	if (entry->event) {
		tape->event_bytes -= event_weight(entry->event);
		tape->end_count -= entry->event->end != END_NONE;
		tape->passing_count -= entry->event->ephemeral || entry->event->ttl_ms;
		event_unref(&entry->event);
	} else {
		tape->fork_count--;
		if (entry->fork->reason != GAP_TRIMMED)
			tape->broken_ord = tape->tail_ord + 1;
		mem_free(entry->fork);
		entry->fork = NULL;
	}
	tape->tail_ord++;
	for (int form = 0; form < FORM_COUNT; form++) {
		struct reel *reel = &tape->reels[form];
		if (reel->first && reel->first != reel->last &&
		    reel->first->first_ord + reel->first->count <= tape->tail_ord)
			reel_shift(tape, reel);
	}
}

void tape_free(struct tape **tape)
{
	if (!*tape)
		return;
	MUST_BE(*tape, TAPE_TAG);
	while ((*tape)->tail_ord < (*tape)->head_ord)
		tape_trim_one(*tape);
	for (int form = 0; form < FORM_COUNT; form++)
		reel_clear(*tape, &(*tape)->reels[form]);
	keys_fini(&(*tape)->keys);
	mem_free((*tape)->ring);
	(*tape)->tag = 0;
	mem_free(*tape);
	*tape = NULL;
}

/* The frame's head is as long as its bytes make it: they are written behind the longest. */
static enum err encode_frame(const struct encode_event *event, struct buf *buf)
{
	static const char room[WS_HEAD_BYTES_MAX];
	size_t mark = buf->bytes;
	buf_put(buf, slice_from(room, sizeof room));
	enum err err = buf_put_text(buf, "{\"op\":\"event\"");
	size_t object = buf->bytes;
	if (err == OK)
		err = encode_json(event, buf);
	if (err) {
		buf->bytes = mark;
		return err;
	}
	buf->at[object] = ','; /* where its brace was */
	size_t bytes = buf->bytes - mark - sizeof room;
	char head[WS_HEAD_BYTES_MAX];
	size_t head_bytes = ws_frame_head(WS_TEXT, bytes, head);
	memmove(buf->at + mark + head_bytes, buf->at + mark + sizeof room, bytes);
	memcpy(buf->at + mark, head, head_bytes);
	buf->bytes = mark + head_bytes + bytes;
	return OK;
}

static enum err tape_encode(const struct tape *tape, enum form form, const struct event *event,
			    struct buf *buf)
{
	const struct encode_event bytes = {
		.stream = tape->name,
		.type = event_type(event),
		.key = event_key(event),
		.data = event_data(event),
		.position = event->position,
		.has_position = !event->ephemeral,
		.json = event->json,
		.wall_ms = event->wall_ms,
	};
	enum err err;
	size_t mark = 0;
	switch (form) {
	case FORM_SSE:
		return encode_sse(&bytes, buf);
	case FORM_CHUNKED:
		err = chunk_open(buf, &mark);
		if (err == OK)
			err = encode_sse(&bytes, buf);
		return err ? err : chunk_close(buf, mark);
	case FORM_WS:
		return encode_frame(&bytes, buf);
	default:
		err = encode_json(&bytes, buf);
		return err ? err : buf_put_byte(buf, '\n');
	}
}

/* The reel has no room left at its end: a frame of its own, then a segment that takes it. */
static enum err reel_append_elsewhere(struct tape *tape, enum form form, const struct event *event,
				      uint64_t ord)
{
	struct reel *reel = &tape->reels[form];
	struct segment *segment = NULL;
	struct buf frame;
	buf_init(&frame, SIZE_MAX / 4);
	enum err err = event ? tape_encode(tape, form, event, &frame) : OK;
	if (err == OK)
		err = segment_new(reel->last, ord, frame.bytes, &segment);
	if (err == OK) {
		if (frame.bytes)
			memcpy(segment->bytes, frame.at, frame.bytes);
		segment_commit(segment, frame.bytes);
		if (reel->last)
			reel->last->next = segment;
		else
			reel->first = segment;
		reel->last = segment;
		tape->reel_bytes += segment->capacity;
	}
	buf_fini(&frame);
	return err;
}

/* Adds entry `ord` to a reel: an event's bytes, or an empty frame (event NULL). */
static enum err reel_append(struct tape *tape, enum form form, const struct event *event,
			    uint64_t ord)
{
	struct segment *last = tape->reels[form].last;
	size_t room = last ? segment_room(last) : 0;
	if (room == 0)
		return reel_append_elsewhere(tape, form, event, ord);
	if (!event) {
		segment_commit(last, 0);
		return OK;
	}
	/* Straight into the segment: the buf's bound is the room, so that it never grows. */
	struct buf frame = { .at = last->bytes + last->used, .capacity = room, .bytes_max = room };
	enum err err = tape_encode(tape, form, event, &frame);
	if (err == ERR_TOO_BIG)
		return reel_append_elsewhere(tape, form, event, ord);
	if (err == OK)
		segment_commit(last, frame.bytes);
	return err;
}

/* Takes the newest entry off a reel again, and the segment that was made for it. */
static void reel_undo(struct tape *tape, struct reel *reel)
{
	struct segment *last = reel->last;
	last->used = segment_start(last, last->count - 1);
	last->count--;
	if (last->count > 0)
		return;
	struct segment *before = reel->first == last ? NULL : reel->first;
	while (before && before->next != last)
		before = before->next;
	reel->last = before;
	if (before)
		before->next = NULL;
	else
		reel->first = NULL;
	tape->reel_bytes -= last->capacity;
	segment_unref(&last);
}

/* Puts entry head_ord on every reel in use, or on none. */
static enum err tape_reel_in(struct tape *tape, const struct event *event)
{
	const struct event *framed = event && event->end == END_NONE ? event : NULL;
	for (int form = 0; form < FORM_COUNT; form++) {
		if (!tape->reels[form].used)
			continue;
		enum err err = reel_append(tape, (enum form)form, framed, tape->head_ord);
		if (err) {
			while (form-- > 0)
				if (tape->reels[form].used)
					reel_undo(tape, &tape->reels[form]);
			return err;
		}
	}
	return OK;
}

enum err tape_use(struct tape *tape, enum form form)
{
	MUST_BE(tape, TAPE_TAG);
	struct reel *reel = &tape->reels[form];
	if (reel->used)
		return OK;
	for (uint64_t ord = tape->tail_ord; ord < tape->head_ord; ord++) {
		const struct entry *entry = tape_entry(tape, ord);
		enum err err = reel_append(tape, form, entry_is_event(entry) ? entry->event : NULL,
					   ord);
		if (err) {
			reel_clear(tape, reel);
			return err;
		}
	}
	reel->used = true;
	return OK;
}

static enum err ring_make_room(struct tape *tape)
{
	if (tape->head_ord - tape->tail_ord < tape->ring_capacity)
		return OK;
	size_t capacity = tape->ring_capacity * 2;
	struct entry *ring = mem_zalloc_array(capacity, sizeof *ring);
	if (!ring)
		return ERR_NOMEM;
	for (uint64_t ord = tape->tail_ord; ord < tape->head_ord; ord++)
		ring[ord & (capacity - 1)] = *tape_entry(tape, ord);
	mem_free(tape->ring);
	tape->ring = ring;
	tape->ring_capacity = capacity;
	return OK;
}

/* The oldest event is too old; a fork before it is at least as old, but has no time of its own. */
static bool tape_tail_is_old(const struct tape *tape, uint64_t now_ms)
{
	uint64_t ord = tape->tail_ord;
	while (ord < tape->head_ord && !tape_entry(tape, ord)->event)
		ord++;
	if (ord == tape->head_ord)
		return false;
	uint64_t born_ms = tape_entry(tape, ord)->event->born_ms;
	return now_ms > born_ms && now_ms - born_ms > tape->bounds.age_ms_max;
}

/* Trims to the bounds, but never the newest entry. */
static void tape_trim(struct tape *tape, uint64_t now_ms)
{
	while (tape->head_ord - tape->tail_ord > 1) {
		uint64_t count = tape->head_ord - tape->tail_ord;
		if (count <= tape->bounds.events_max &&
		    tape->event_bytes <= tape->bounds.bytes_max && !tape_tail_is_old(tape, now_ms))
			return;
		tape_trim_one(tape);
	}
}

enum err tape_append(struct tape *tape, struct event *event, uint64_t now_ms)
{
	MUST_BE(tape, TAPE_TAG);
	if (event->ephemeral && tape_end(tape) != END_NONE)
		return OK; /* nobody listens any more, and the end must stay the newest entry */
	bool keyed = entry_has_key(tape, event);
	enum err err = ring_make_room(tape);
	if (err == OK && keyed)
		err = keys_make_room(&tape->keys, entry_key, tape);
	if (err == OK)
		err = tape_reel_in(tape, event);
	if (err)
		return err;

	*tape_entry(tape, tape->head_ord) = (struct entry){ .event = event_ref(event) };
	uint64_t before;
	if (keyed && keys_note(&tape->keys, entry_key, tape, event_key(event), tape->head_ord,
			       &before)) {
		tape_entry(tape, before)->superseded = true;
		tape->superseded_count++;
	}
	tape->head_ord++;
	tape->event_bytes += event_weight(event);
	tape->end_count += event->end != END_NONE;
	tape->passing_count += event->ephemeral || event->ttl_ms;
	if (!event->ephemeral)
		tape->head = event->position;
	tape_trim(tape, now_ms);
	return OK;
}

enum err tape_fork(struct tape *tape, const struct gap *gap)
{
	MUST_BE(tape, TAPE_TAG);
	struct gap *fork = mem_alloc(sizeof *fork);
	enum err err = fork ? ring_make_room(tape) : ERR_NOMEM;
	if (err == OK)
		err = tape_reel_in(tape, NULL);
	if (err) {
		mem_free(fork);
		return err;
	}
	*fork = *gap;
	*tape_entry(tape, tape->head_ord) = (struct entry){ .fork = fork };
	tape->head_ord++;
	tape->fork_count++;
	tape->head = gap->next;
	tape->region_ord = tape->head_ord;
	tape_trim(tape, 0); /* to the other bounds; age has its own turn */
	return OK;
}

void tape_floor_set(struct tape *tape, struct position floor)
{
	MUST(tape->head_ord == 0);
	tape->floor = floor;
	tape->head = floor;
}

void tape_age(struct tape *tape, uint64_t now_ms)
{
	MUST_BE(tape, TAPE_TAG);
	tape_trim(tape, now_ms);
}

const struct tape_bounds *tape_bounds_of(const struct tape *tape)
{
	return &tape->bounds;
}

uint64_t tape_head_ord(const struct tape *tape)
{
	return tape->head_ord;
}

uint64_t tape_tail_ord(const struct tape *tape)
{
	return tape->tail_ord;
}

struct position tape_head(const struct tape *tape)
{
	return tape->head;
}

size_t tape_weight(const struct tape *tape)
{
	return sizeof *tape + tape->ring_capacity * sizeof *tape->ring + tape->event_bytes +
	       tape->reel_bytes + tape->keys.capacity * sizeof *tape->keys.slots;
}

enum end_state tape_end(const struct tape *tape)
{
	if (tape->head_ord == tape->tail_ord)
		return END_NONE;
	const struct entry *newest = tape_entry(tape, tape->head_ord - 1);
	return newest->event ? newest->event->end : END_NONE;
}

/*
 * Readers and places of the real tape beside the model's: what a reader is shown must be what the
 * model says. A failure names its seed; the program takes a first seed and a count as arguments.
 */
#include <stdlib.h>

#include "tape_model.h"

/* Where a run that begins with entry `ord` must have ended. */
static uint64_t run_limit(const struct peek *peek, uint64_t ord)
{
	uint64_t end = ord + 1;
	while (end < model.count && is_event(end) && !(peek->lagging && is_passed_by(end)) &&
	       (!peek->events_max || end - ord < peek->events_max))
		end++;
	return end;
}

static void check_overtaken(const struct reader *reader, const struct view *view)
{
	const struct position *at = &reader->at, *floor = &model.floor;
	bool comparable = at->epoch == floor->epoch || position_is_origin(at);
	bool known = comparable && at->seq <= floor->seq && reader->ord >= model.broken;
	HOLDS(view->kind == VIEW_OVERTAKEN);
	HOLDS(view->end_ord == model.tail && same(view->end_at, *floor));
	HOLDS(view->gap.reason == GAP_SKIPPED && same(view->gap.next, *floor));
	HOLDS(same(view->gap.after, *at));
	HOLDS(view->gap.lost_known == known);
	HOLDS(!known || view->gap.lost == floor->seq - at->seq);
}

static void check_view(const struct reader *reader, const struct peek *peek,
		       const struct view *view)
{
	if (peek->ord < model.tail) {
		check_overtaken(reader, view);
		return;
	}
	uint64_t ord = peek->ord;
	while (peek->lagging && !peek->skip && ord < model.count && is_passed_by(ord))
		ord++;
	bool stepped = ord > peek->ord;
	HOLDS(view->ord == ord);
	if (ord == model.count || (stepped && !is_event(ord))) {
		HOLDS(view->kind == (stepped ? VIEW_BYTES : VIEW_NOTHING));
		HOLDS(view->bytes.bytes == 0 && view->end_ord == ord);
		HOLDS(same(view->end_at, stepped ? before(ord) : reader->at));
		return;
	}
	const struct item *item = &model.all[ord];
	if (!is_event(ord)) {
		HOLDS(view->kind == (item->event ? VIEW_END : VIEW_GAP));
		HOLDS(view->end_ord == ord + 1 && same(view->end_at, item->position));
		HOLDS(item->event || (view->gap.reason == item->gap.reason &&
				      view->gap.lost == item->gap.lost &&
				      same(view->gap.after, reader->at) &&
				      same(view->gap.next, item->position)));
		return;
	}
	HOLDS(view->kind == VIEW_BYTES && view->skip == peek->skip);
	HOLDS(view->end_ord > ord && view->end_ord <= run_limit(peek, ord));
	HOLDS(same(view->end_at, before(view->end_ord)));
	HOLDS(view->event == (peek->events_max == 1 ? item->event : NULL));
	struct buf bytes;
	frames(peek->form, ord, view->end_ord, peek->skip, &bytes);
	HOLDS(slice_equal(view->bytes, buf_slice(&bytes)));
	buf_fini(&bytes);
}

/* Only a part went out, and the tape may have moved before anybody could say so. */
static void reader_part(struct reader *reader, struct view *view)
{
	size_t sent = draw(view->bytes.bytes);
	for (uint64_t i = draw(4); i > 0; i--)
		act_append();
	struct partial part;
	tape_partial(model.tape, view, sent, &part);

	size_t skip = view->skip + sent, frame_bytes = 0;
	uint64_t ord = view->ord;
	for (;; ord++) {
		struct buf bytes;
		frames(reader->form, ord, ord + 1, 0, &bytes);
		frame_bytes = bytes.bytes;
		buf_fini(&bytes);
		if (skip < frame_bytes)
			break;
		skip -= frame_bytes;
	}
	HOLDS(part.ord == ord && part.skip == skip && part.rest == frame_bytes - skip);
	HOLDS(part.known == (ord >= model.tail));
	HOLDS(!part.known || same(part.at, before(ord)));
	HOLDS(!part.known || same(part.after, model.all[ord].position));
	reader->ord = ord;
	reader->skip = part.skip;
	if (part.known)
		reader->at = part.at;
	if (part.skip && draw(2)) {
		reader->held = *view;
		reader->held_sent = sent;
		view->segment = NULL;
		view->event = NULL;
	}
}

static void reader_finish(struct reader *reader)
{
	struct buf rest;
	frames(reader->form, reader->ord, reader->ord + 1, reader->skip, &rest);
	HOLDS(slice_equal(slice_from(reader->held.bytes.at + reader->held_sent, rest.bytes),
			  buf_slice(&rest)));
	buf_fini(&rest);
	view_done(&reader->held);
	if (reader->ord >= model.tail)
		reader->at = model.all[reader->ord].position;
	reader->ord++;
	reader->skip = 0;
}

static void act_read(struct reader *reader)
{
	if (reader->held.segment) {
		reader_finish(reader);
		return;
	}
	if (!model.used[reader->form])
		return;
	struct peek peek = { .form = reader->form, .ord = reader->ord, .skip = reader->skip,
			     .events_max = (uint32_t)(draw(2) ? 0 : 1 + draw(3)),
			     .lagging = draw(2), .now_ms = model.now_ms };
	struct view view;
	tape_peek(model.tape, &peek, &reader->at, &view);
	check_view(reader, &peek, &view);
	if (view.bytes.bytes && view.kind == VIEW_BYTES && draw(2)) {
		reader_part(reader, &view);
	} else if (draw(4)) { /* else nothing could be sent */
		reader->ord = view.end_ord;
		reader->skip = 0;
		reader->at = view.end_at;
	}
	view_done(&view);
}

/* Newest first, so that one lies behind what has no position of its own. */
static bool find(struct position position, uint64_t *ret_ord)
{
	for (uint64_t ord = model.count;; ord--) {
		if (same(before(ord), position)) {
			*ret_ord = ord;
			return true;
		}
		if (ord == model.tail)
			return false;
	}
}

static uint64_t place_of(enum start_kind kind, const struct start *start, uint64_t base)
{
	uint64_t ord = kind == START_OLDEST || kind == START_TIME ? base : model.count;
	uint64_t left = start->count;
	while (kind == START_LAST && ord > base && left > 0) {
		ord--;
		left -= is_event(ord) && !is_passed_by(ord);
	}
	while (kind == START_TIME && ord < model.count && model.all[ord].event &&
	       model.all[ord].event->wall_ms < start->wall_ms)
		ord++;
	if (ord == model.count && ord > base && has_ended())
		ord--;
	return ord;
}

static void check_place(const struct start *start, const struct place *place)
{
	uint64_t base = model.tail, ord;
	for (ord = model.tail; ord < model.count; ord++)
		base = model.all[ord].event ? base : ord + 1;
	const struct position *after = &start->after;
	if (start->kind == START_AFTER && find(*after, &ord)) {
		HOLDS(place->ord == ord && same(place->at, *after));
		HOLDS(place->recovered && !place->gapped && tape_holds(model.tape, after));
		bool finished = has_ended();
		for (; ord < model.count; ord++)
			finished = finished && model.all[ord].event &&
				   (!is_event(ord) || is_passed_by(ord));
		HOLDS(place->finished == finished);
		return;
	}
	bool gapped = start->kind == START_AFTER || start->kind == START_INVALID;
	ord = place_of(gapped ? start->otherwise : start->kind, start, base);
	HOLDS(place->ord == ord && same(place->at, before(ord)));
	HOLDS(place->gapped == gapped && !place->recovered && !place->finished);
	HOLDS(same(place->gap.next, before(ord)));
	if (start->kind != START_AFTER) {
		HOLDS(!gapped || place->gap.reason == GAP_INVALID);
		return;
	}
	HOLDS(!tape_holds(model.tape, after) && same(place->gap.after, *after));
	bool trimmed = position_is_origin(after) || (after->epoch == model.head.epoch &&
						     after->seq < before(base).seq);
	HOLDS(place->gap.lost_known == trimmed);
	HOLDS(!trimmed || place->gap.lost == before(ord).seq - after->seq);
	HOLDS(place->gap.reason == (trimmed ? GAP_TRIMMED :
				    after->epoch == model.head.epoch ? GAP_REWOUND : GAP_EPOCH));
}

static void act_place(struct reader *reader)
{
	const enum start_kind otherwise = (enum start_kind)draw(START_TIME + 1);
	struct start start = { .kind = (enum start_kind)draw(START_INVALID + 1),
			       .otherwise = otherwise, .count = draw(9),
			       .wall_ms = 1000000 + model.now_ms - draw(200) };
	/* Mostly of the younger past. */
	uint64_t ago = model.count ? draw(model.count) / (1 + draw(9)) : 0;
	if (draw(6) > 0 && model.count > 0)
		start.after = model.all[model.count - 1 - ago].position;
	else if (draw(2))
		start.after = model.floor;
	start.after.tag ^= draw(6) == 0;
	struct place place;
	tape_place(model.tape, &start, model.now_ms, &place);
	check_place(&start, &place);
	if (reader->held.segment)
		return;
	reader->ord = place.ord;
	reader->skip = 0;
	reader->at = place.at;
}

static void act(void)
{
	uint64_t die = draw(100);
	struct reader *reader = &model.readers[draw(READER_COUNT)];
	model.now_ms += draw(10);
	if (die < 30)
		act_append();
	else if (die < 32)
		act_fork();
	else if (die < 34)
		act_use((enum form)draw(FORM_COUNT));
	else if (die < 45)
		act_place(reader);
	else if (die < 98)
		act_read(reader);
	else
		model.now_ms += draw(400);
	if (die % 16 == 0) {
		tape_age(model.tape, model.now_ms);
		model_trim(model.now_ms);
	}
	check_tape();
}

static void run_seed(uint64_t seed)
{
	memset(&model, 0, sizeof model);
	model.seed = model.chance = seed;
	model.bounds = (struct tape_bounds){
		.events_max = (uint32_t)(1 + draw(draw(2) ? 9 : 120)),
		.bytes_max = draw(3) ? SIZE_MAX : 1 + draw(300000),
		.age_ms_max = draw(3) ? UINT64_MAX : draw(1000),
	};
	model.epoch_n = 1;
	model.tape = lab_tape(model.bounds);
	if (draw(2)) {
		model.floor = model.head = position_next(1 + draw(99));
		tape_floor_set(model.tape, model.floor);
	}
	for (int i = 0; i < READER_COUNT; i++)
		model.readers[i] = (struct reader){ .form = (enum form)(i % FORM_COUNT),
						    .at = model.floor };
	for (model.step = 0; model.step < STEP_COUNT; model.step++)
		act();
	tape_free(&model.tape);
	for (int i = 0; i < READER_COUNT; i++)
		if (model.readers[i].held.segment)
			reader_finish(&model.readers[i]);
	for (uint64_t ord = 0; ord < model.count; ord++)
		event_unref(&model.all[ord].event);
	HOLDS(mem_live() == 0);
}

static uint64_t seed_first = 1, seed_count = 100;

static void the_tape_is_what_the_model_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof letters; i++)
		letters[i] = i % 71 == 70 ? '\n' : (char)('a' + i % 23);
	for (uint64_t i = 0; i < seed_count; i++)
		run_seed(seed_first + i);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seed_first = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		seed_count = strtoull(argv[2], NULL, 10);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tape_is_what_the_model_says),
	};
	return cmocka_run_group_tests_name("tape_model", tests, NULL, NULL);
}

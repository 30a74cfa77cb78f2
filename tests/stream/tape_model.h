/*
 * tape_model: a naive tape (everything that was ever appended, in a row) beside the real one, and
 * what is done to both alike, by the same chance.
 *
 * Thread  a test's own.
 */
#ifndef TAPECAST_TESTS_STREAM_TAPE_MODEL_H
#define TAPECAST_TESTS_STREAM_TAPE_MODEL_H

#include "tape_lab.h"

enum { STEP_COUNT = 500, READER_COUNT = 6, DATA_BYTES_MAX = 100000 };

struct item {
	struct event *event; /* NULL: a fork */
	struct gap gap;
	struct position position;
};

struct reader {
	enum form form;
	uint64_t ord;
	uint32_t skip;
	struct position at;
	struct view held; /* half a frame is out, and the rest will be sent from here */
	size_t held_sent;
};

struct model {
	uint64_t seed, chance;
	unsigned step;
	uint64_t now_ms;
	struct tape *tape;
	struct tape_bounds bounds;
	bool used[FORM_COUNT];
	struct item all[STEP_COUNT * 4];
	uint64_t tail, count;
	struct position floor, head;
	uint64_t branch;
	uint32_t epoch_n;
	uint64_t broken; /* the ordinal behind the newest trimmed fork that took numbers back */
	struct reader readers[READER_COUNT];
};

static struct model model;
static char letters[DATA_BYTES_MAX];

#define HOLDS(cond) model_holds((cond), __LINE__, #cond)

static inline void model_holds(bool cond, int line, const char *text)
{
	if (!cond)
		fail_msg("seed %llu, step %u, line %d: %s", (unsigned long long)model.seed,
			 model.step, line, text);
}

static inline bool same(struct position a, struct position b)
{
	return position_equal(&a, &b);
}

/* SplitMix64: 0..below-1. */
static inline uint64_t draw(uint64_t below)
{
	uint64_t mix = model.chance += 0x9e3779b97f4a7c15u;
	mix = (mix ^ (mix >> 30)) * 0xbf58476d1ce4e5b9u;
	mix = (mix ^ (mix >> 27)) * 0x94d049bb133111ebu;
	return (mix ^ (mix >> 31)) % below;
}

static inline bool is_event(uint64_t ord)
{
	return model.all[ord].event && !model.all[ord].event->end;
}

static inline bool is_passed_by(uint64_t ord)
{
	const struct event *event = model.all[ord].event;
	if (!is_event(ord))
		return false;
	return event->ephemeral ||
	       (event->ttl_ms && model.now_ms >= event->born_ms + event->ttl_ms);
}

static inline bool has_ended(void)
{
	return model.count > model.tail && model.all[model.count - 1].event &&
	       model.all[model.count - 1].event->end;
}

static inline struct position before(uint64_t ord)
{
	return ord == model.tail ? model.floor : model.all[ord - 1].position;
}

static inline bool tail_is_old(uint64_t now_ms)
{
	for (uint64_t ord = model.tail; ord < model.count; ord++) {
		const struct event *event = model.all[ord].event;
		if (event)
			return now_ms > event->born_ms &&
			       now_ms - event->born_ms > model.bounds.age_ms_max;
	}
	return false;
}

static inline void model_trim(uint64_t now_ms)
{
	while (model.count - model.tail > 1) {
		size_t bytes = 0;
		for (uint64_t ord = model.tail; ord < model.count; ord++)
			bytes += model.all[ord].event ? event_weight(model.all[ord].event) : 0;
		if (model.count - model.tail <= model.bounds.events_max &&
		    bytes <= model.bounds.bytes_max && !tail_is_old(now_ms))
			return;
		struct item *item = &model.all[model.tail++];
		model.floor = item->position;
		if (!item->event && item->gap.reason != GAP_TRIMMED)
			model.broken = model.tail;
	}
}

static inline void check_tape(void)
{
	size_t count = 0;
	uint64_t base = model.tail;
	for (uint64_t ord = model.tail; ord < model.count; ord++)
		base = model.all[ord].event ? base : ord + 1;
	for (uint64_t ord = base; ord < model.count; ord++)
		count += is_event(ord) && !is_passed_by(ord);
	HOLDS(tape_head_ord(model.tape) == model.count);
	HOLDS(tape_tail_ord(model.tape) == model.tail);
	HOLDS(same(tape_head(model.tape), model.head));
	HOLDS(tape_count(model.tape, model.now_ms) == count);
	HOLDS((tape_end(model.tape) != END_NONE) == has_ended());
}

/* Half of the calls meet a machine that may run out of memory. */
static inline void memory_may_fail(void)
{
	if (draw(2))
		mem_fail_after((long)draw(5));
}

static inline struct position position_next(uint64_t seq)
{
	return (struct position){ position_epoch(model.epoch_n, 5), seq, seq << 16 | model.branch };
}

static inline size_t draw_bytes(void)
{
	if (draw(40) == 0)
		return DATA_BYTES_MAX - draw(1000);
	return draw(2) ? draw(200) : draw(5001);
}

static inline void act_append(void)
{
	static const struct slice words[] = { { "", 0 }, { "tick", 4 }, { "a.b", 3 } };
	const struct draft draft = {
		.type = words[draw(3)],
		.key = words[draw(3)],
		.data = slice_from(letters, draw_bytes()),
		.json = draw(2),
		.ephemeral = draw(6) == 0,
		.ttl_ms = draw(6) ? 0 : 1 + draw(300),
	};
	bool ends = draw(60) == 0;
	if (has_ended() && (ends || !draft.ephemeral))
		return;
	struct event *event = NULL;
	uint64_t wall_ms = 1000000 + model.now_ms - draw(20);
	if (ends)
		assert_int_equal(event_new_end(END_FAILED, wall_ms, model.now_ms, &event), OK);
	else
		assert_int_equal(event_new(&draft, wall_ms, model.now_ms, &event), OK);
	event->position = event->ephemeral ? model.head : position_next(model.head.seq + 1);

	memory_may_fail();
	enum err err = tape_append(model.tape, event, model.now_ms);
	mem_fail_after(-1);
	HOLDS(err == OK || err == ERR_NOMEM);
	if (err || (event->ephemeral && has_ended())) {
		event_unref(&event);
		return;
	}
	model.all[model.count++] = (struct item){ .event = event, .position = event->position };
	model.head = event->position;
	model_trim(model.now_ms);
}

static inline void act_fork(void)
{
	struct gap gap = { .reason = draw(2) ? GAP_REWOUND : GAP_EPOCH, .lost = draw(9) };
	uint32_t epoch_n = model.epoch_n;
	if (draw(3) == 0) {
		gap.reason = GAP_TRIMMED;
		gap.next = position_next(model.head.seq + 1 + draw(9));
	} else if (gap.reason == GAP_REWOUND) {
		gap.next = before(model.tail + draw(model.count - model.tail + 1));
	} else {
		epoch_n++;
		gap.next = draw(2) ? (struct position){ 0 } :
				     (struct position){ position_epoch(epoch_n, 5), draw(9), 1 };
	}
	memory_may_fail();
	enum err err = tape_fork(model.tape, &gap);
	mem_fail_after(-1);
	if (err)
		return;
	model.branch++;
	model.epoch_n = epoch_n;
	model.all[model.count++] = (struct item){ .gap = gap, .position = gap.next };
	model.head = gap.next;
	model_trim(0);
}

static inline void act_use(enum form form)
{
	memory_may_fail();
	model.used[form] = tape_use(model.tape, form) == OK || model.used[form];
	mem_fail_after(-1);
}

/* Frames first..end-1, without their first `skip` bytes. */
static inline void frames(enum form form, uint64_t first, uint64_t end, size_t skip,
			  struct buf *bytes)
{
	buf_init(bytes, SIZE_MAX / 4);
	for (uint64_t ord = first; ord < end; ord++)
		lab_frame(model.all[ord].event, form, bytes);
	buf_eat(bytes, skip);
}

#endif

/*
 * feed_push: what is pushed: taken if it follows, passed over if known, else a reason to read.
 */
#include "backplane/feed_impl.h"
#include "base/mem.h"
#include "base/must.h"

/* A push held back while a read is under way. */
struct held {
	struct list link;
	struct push push;
	struct event *events[];
};

static bool same_place(const struct position *a, const struct position *b)
{
#ifdef MUTANT_FEED_NOTAG
	return a->epoch == b->epoch && a->seq == b->seq;
#else
	return position_equal(a, b);
#endif
}

static bool tape_knows(const struct tape *tape, const struct position *position)
{
	struct position head = tape_head(tape);
	if (position->epoch != head.epoch || position->seq > head.seq)
		return false;
#ifdef MUTANT_FEED_NOTAG
	return true;
#else
	return tape_holds(tape, position);
#endif
}

enum err fed_step(struct tape *tape, const struct position *parent, struct event *event,
		  uint64_t now_ms, enum step *ret_step)
{
	struct position head = tape_head(tape);
	enum err err = OK;

	if (same_place(parent, &head)) {
		err = tape_append(tape, event, now_ms);
		if (err == OK)
			*ret_step = STEP_TAKEN;
		return err;
	}
	*ret_step = tape_knows(tape, &event->position) ? STEP_KNOWN : STEP_HOLE;
#ifdef MUTANT_FEED_NODEDUPE
	if (*ret_step == STEP_KNOWN)
		err = tape_append(tape, event, now_ms);
#endif
	return err;
}

/* Takes a push event by event: a read may have ended within the group. */
static enum err hear_events(struct tape *tape, const struct push *push, uint64_t now_ms,
			    bool *ret_hole)
{
	struct position parent = push->parent;
	for (size_t i = 0; i < push->count; i++) {
		enum step step = STEP_HOLE;
		enum err err = fed_step(tape, &parent, push->events[i], now_ms, &step);
		if (err)
			return err;
		if (step == STEP_HOLE) {
			*ret_hole = true;
			return OK;
		}
		parent = push->events[i]->position;
	}
	return OK;
}

/* In LIVE or SUSPECT. In the latter a read is due anyway. */
static void hear(struct fed *fed, const struct push *push, uint64_t now_ms)
{
	struct tape *tape = stream_tape(fed->stream);
	uint64_t head_ord = tape_head_ord(tape);
	bool hole = push->fence;
	enum err err = hear_events(tape, push, now_ms, &hole);

	/* The newest entry stays, and that is the end. */
	if (err == OK && !hole && push->dropped)
		tape_age(tape, UINT64_MAX);
	if (tape_head_ord(tape) != head_ord)
		stream_moved(fed->stream);
	if ((err || hole) && fed->state == FED_LIVE)
		fed_catch(fed);
}

void fed_held_clear(struct fed *fed)
{
	while (!list_empty(&fed->held)) {
		struct held *held = CONTAINER_OF(fed->held.next, struct held, link);
		list_drop(&held->link);
		for (size_t i = 0; i < held->push.count; i++)
			event_unref(&held->events[i]);
		mem_free(held);
	}
	fed->held_count = fed->held_bytes = 0;
}

static bool hold(struct fed *fed, const struct push *push)
{
	size_t bytes = 0;
	for (size_t i = 0; i < push->count; i++)
		bytes += event_weight(push->events[i]);
	if (fed->held_count + push->count > FED_HELD_MAX ||
	    fed->held_bytes + bytes > FED_HELD_BYTES_MAX)
		return false;
	struct held *held = mem_alloc(sizeof *held + push->count * sizeof(struct event *));
	if (!held)
		return false;
	for (size_t i = 0; i < push->count; i++)
		held->events[i] = event_ref(push->events[i]);
	held->push = *push;
	held->push.name = stream_name(fed->stream);
	held->push.events = held->events;
	list_init(&held->link);
	list_push(&fed->held, &held->link);
	fed->held_count += push->count;
	fed->held_bytes += bytes;
	return true;
}

void fed_hear(struct fed *fed, const struct push *push, uint64_t now_ms)
{
	switch (fed->state) {
	case FED_COLD:
	case FED_SUBSCRIBING:
		return;
	case FED_CATCHING:
		/* Before the read begins there is no need: its answer will have them. */
		if (fed->errand == ERRAND_READ && !fed->again && !hold(fed, push)) {
			fed_held_clear(fed);
			fed->again = true;
		}
		return;
	case FED_LIVE:
	case FED_SUSPECT:
		fed->heard_ms = now_ms;
		if (fed->began)
			hear(fed, push, now_ms);
		return;
	}
}

void fed_held_hear(struct fed *fed, uint64_t now_ms)
{
	for (struct list *at = fed->held.next; at != &fed->held && fed->state == FED_LIVE;
	     at = at->next)
		hear(fed, &CONTAINER_OF(at, struct held, link)->push, now_ms);
	fed_held_clear(fed);
}

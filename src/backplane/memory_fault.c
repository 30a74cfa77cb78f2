/*
 * memory_fault: what can go wrong with a store, on demand: for tests and the simulation.
 */
#include "backplane/memory_impl.h"
#include "base/mem.h"
#include "base/must.h"

enum late_kind { LATE_PUSH, LATE_ANSWER, LATE_WATCH, LATE_UNWATCH };

/* What is on its way: by time, and in order where times are equal. */
struct late {
	struct list link;
	enum late_kind kind;
	uint64_t due_ms;
	struct read *read;
	struct push push; /* its name is that of a watch, too */
	struct event **events;
	void (*watched)(void *arg, struct slice name);
	void *watched_arg;
	char name[];
};

void memory_faults_allow(struct backplane *backplane)
{
	struct memory *memory = memory_of(backplane);
	memory->faulty_ops = *backplane->ops;
	memory->faulty_ops.pushes_can_fail = true;
	backplane->ops = &memory->faulty_ops;
}

void memory_fault_drop(struct backplane *backplane, uint32_t count)
{
	atomic_store(&memory_of(backplane)->drop_count, count);
}

void memory_fault_delay(struct backplane *backplane, uint32_t delay_ms)
{
	atomic_store(&memory_of(backplane)->delay_ms, delay_ms);
}

/* Counted until it has been delivered: nothing newer may go straight to the sink before. */
static void late_free(struct memory *memory, struct late *late)
{
	atomic_fetch_sub(&memory->late_count, 1);
	for (size_t i = 0; i < late->push.count; i++)
		event_unref(&late->events[i]);
	mem_free(late->events);
	mem_free(late);
}

/* Sorted by time; equals stay in order. All but answers keep their order whatever the delay is. */
static void late_put(struct memory *memory, struct late *late)
{
	uint64_t due_ms = memory_now(memory) + atomic_load(&memory->delay_ms);
	pthread_mutex_lock(&memory->late_lock);
	if (late->kind != LATE_ANSWER) {
		if (due_ms < memory->late_push_due_ms)
			due_ms = memory->late_push_due_ms;
		memory->late_push_due_ms = due_ms;
	}
	late->due_ms = due_ms;
	struct list *at = &memory->late;
	while (at->prev != &memory->late &&
	       CONTAINER_OF(at->prev, struct late, link)->due_ms > due_ms)
		at = at->prev;
	list_push(at, &late->link);
	atomic_fetch_add(&memory->late_count, 1);
	pthread_mutex_unlock(&memory->late_lock);
}

static bool memory_is_late(struct memory *memory)
{
	return atomic_load_explicit(&memory->delay_ms, memory_order_relaxed) ||
	       atomic_load_explicit(&memory->late_count, memory_order_relaxed);
}

static bool push_is_dropped(struct memory *memory)
{
	uint32_t left = atomic_load_explicit(&memory->drop_count, memory_order_relaxed);
	while (left > 0) {
		if (atomic_compare_exchange_weak(&memory->drop_count, &left, left - 1))
			return true;
	}
	return false;
}

static struct late *late_new(enum late_kind kind, struct slice name)
{
	struct late *late = mem_zalloc(sizeof *late + name.bytes);
	if (!late)
		return NULL;
	late->kind = kind;
	if (name.bytes)
		memcpy(late->name, name.at, name.bytes);
	late->push.name = slice_from(late->name, name.bytes);
	return late;
}

static struct late *late_of_push(const struct push *push)
{
	struct late *late = late_new(LATE_PUSH, push->name);
	struct event **events = mem_zalloc_array(push->count, sizeof *events);
	if (!late || !events) {
		mem_free(late);
		mem_free(events);
		return NULL;
	}
	for (size_t i = 0; i < push->count; i++)
		events[i] = event_ref(push->events[i]);
	late->events = events;
	late->push = *push;
	late->push.name = slice_from(late->name, push->name.bytes);
	late->push.events = events;
	return late;
}

void memory_push(struct memory *memory, const struct push *push)
{
	struct backplane_sink *sink = &memory->backplane.sink;
	if (!sink->pushed || push_is_dropped(memory))
		return;
	if (!memory_is_late(memory)) {
		sink->pushed(sink->arg, push);
		return;
	}
	/* Without memory for it, it is one more push that got lost. */
	struct late *late = late_of_push(push);
	if (late)
		late_put(memory, late);
}

void memory_answer(struct memory *memory, struct read *read)
{
	struct late *late = memory_is_late(memory) ? late_new(LATE_ANSWER, SLICE("")) : NULL;
	if (!late) {
		read->done(read);
		return;
	}
	late->read = read;
	late_put(memory, late);
}

void memory_watch_late(struct memory *memory, struct slice name,
		       void (*watched)(void *arg, struct slice name), void *arg)
{
	enum late_kind kind = watched ? LATE_WATCH : LATE_UNWATCH;
	struct late *late = memory_is_late(memory) ? late_new(kind, name) : NULL;
	if (late) {
		late->watched = watched;
		late->watched_arg = arg;
		late_put(memory, late);
	} else if (watched) {
		memory_watch_add(memory, name);
		watched(arg, name);
	} else {
		memory_watch_drop(memory, name);
	}
}

static struct late *late_take(struct memory *memory, uint64_t now_ms, uint64_t *ret_due_ms)
{
	struct late *late = NULL;
	*ret_due_ms = UINT64_MAX;
	pthread_mutex_lock(&memory->late_lock);
	if (!list_empty(&memory->late)) {
		late = CONTAINER_OF(memory->late.next, struct late, link);
		if (late->due_ms <= now_ms) {
			list_drop(&late->link);
		} else {
			*ret_due_ms = late->due_ms;
			late = NULL;
		}
	}
	pthread_mutex_unlock(&memory->late_lock);
	return late;
}

static void read_forget(struct read *read)
{
	for (size_t i = 0; i < read->count; i++)
		event_unref(&read->events[i]);
	mem_free(read->events);
	read->events = NULL;
	read->count = 0;
	read->err = ERR_UNAVAILABLE;
}

/* A push or an answer is lost if the store is away. */
static void late_deliver(struct memory *memory, struct late *late, bool away)
{
	struct backplane_sink *sink = &memory->backplane.sink;
	switch (late->kind) {
	case LATE_PUSH:
		if (!away)
			sink->pushed(sink->arg, &late->push);
		break;
	case LATE_ANSWER:
		if (away)
			read_forget(late->read);
		late->read->done(late->read);
		break;
	case LATE_WATCH:
		memory_watch_add(memory, late->push.name);
		late->watched(late->watched_arg, late->push.name);
		break;
	case LATE_UNWATCH:
		memory_watch_drop(memory, late->push.name);
		break;
	}
	late_free(memory, late);
}

uint64_t memory_late_turn(struct memory *memory, uint64_t now_ms)
{
	struct late *late;
	uint64_t due_ms = UINT64_MAX;

	while (atomic_load(&memory->late_count) && (late = late_take(memory, now_ms, &due_ms)))
		late_deliver(memory, late, false);
	return due_ms;
}

void memory_late_drop(struct memory *memory)
{
	struct late *late;
	uint64_t due_ms;
	while ((late = late_take(memory, UINT64_MAX, &due_ms)))
		late_deliver(memory, late, true);
}

void memory_late_clear(struct memory *memory)
{
	struct late *late;
	uint64_t due_ms;
	while ((late = late_take(memory, UINT64_MAX, &due_ms))) {
		if (late->kind == LATE_ANSWER)
			late_deliver(memory, late, true);
		else
			late_free(memory, late);
	}
}

void memory_fault_fork(struct backplane *backplane, struct slice name, uint32_t count)
{
	struct memory *memory = memory_of(backplane);
	struct record *record = memory_find(memory, name);
	if (!record)
		return;
	pthread_mutex_lock(&record->lock);
	record_rewind(record, count);
	memory_account(memory, record);
	pthread_mutex_unlock(&record->lock);
	memory_release(record);
}

void memory_fault_lose(struct backplane *backplane, struct slice name)
{
	struct memory *memory = memory_of(backplane);
	struct record *record = memory_find(memory, name);
	if (!record)
		return;
	pthread_mutex_lock(&record->lock);
	record_reset(record);
	memory_account(memory, record);
	pthread_mutex_unlock(&record->lock);
	memory_release_blank(memory, record);
}

void memory_fault_away(struct backplane *backplane, bool away)
{
	struct memory *memory = memory_of(backplane);
	bool was_away = atomic_exchange(&memory->away, away);
	struct backplane_sink *sink = &backplane->sink;
	if (away)
		memory_late_drop(memory);
	if (!away && was_away && sink->doubt)
		sink->doubt(sink->arg);
	const struct backplane_ear *ear = &memory->config.ear;
	if (!away && was_away && ear->missed)
		ear->missed(ear->arg);
}

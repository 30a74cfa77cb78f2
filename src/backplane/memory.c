#include "backplane/memory.h"

#include <stdio.h>

#include "backplane/memory_impl.h"
#include "base/mem.h"
#include "base/must.h"

#define MEMORY_TAG 0x3e3027b9u

struct memory *memory_of(struct backplane *backplane)
{
	struct memory *memory = (struct memory *)backplane;
	MUST_BE(memory, MEMORY_TAG);
	return memory;
}

uint64_t memory_now(const struct memory *memory)
{
	return memory->config.world->ops->now_ms(memory->config.world);
}

bool memory_is_away(struct memory *memory)
{
	return atomic_load_explicit(&memory->away, memory_order_relaxed);
}

enum err memory_away_note(void)
{
	return err_note(ERR_UNAVAILABLE, "the store does not answer");
}

/* Under its lock. What has been idle for too long is gone, if the walk has been there or not. */
static void record_enter(struct record *record, uint64_t now_ms)
{
	pthread_mutex_lock(&record->lock);
	if (record_idle(record, now_ms))
		record_reset(record);
}

/* After the push: what was pushed may be trimmed now. */
static void record_leave(struct memory *memory, struct record *record, uint64_t now_ms)
{
	record_trim(record, now_ms);
	memory_account(memory, record);
	pthread_mutex_unlock(&record->lock);
}

static bool record_watched(const struct record *record)
{
	return atomic_load_explicit(&record->watched, memory_order_acquire);
}

/* Publishes into the record. The events are the record's afterwards, or still the request's. */
static enum err publish_into(struct memory *memory, struct record *record, struct publish *publish,
			     uint64_t now_ms)
{
	record_enter(record, now_ms);
	struct position parent = record->head;
	enum err err = record_publish(record, &memory->config, publish, now_ms);
	if (err == OK && !publish->duplicate && record_watched(record)) {
		/* Under the lock, so that the pushes' order is the history's. */
		memory_push(memory, &(struct push){ .name = publish->name, .parent = parent,
						    .events = publish->events,
						    .count = publish->count });
	}
	if (err == OK && !publish->duplicate) {
		atomic_fetch_add_explicit(&memory->commits, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&memory->committed_events, publish->count,
					  memory_order_relaxed);
	}
	record_leave(memory, record, now_ms);
	return err;
}

static void memory_publish(struct backplane *backplane, struct publish *publish)
{
	struct memory *memory = memory_of(backplane);
	struct record *record = NULL;
	uint64_t now_ms = memory_now(memory);
	enum err err;

	publish->duplicate = false;
	publish->note[0] = '\0';
	if (memory_is_away(memory))
		err = memory_away_note();
	else
		err = memory_find_or_make(memory, publish->name, now_ms, &record);
	if (err == OK) {
		err = publish_into(memory, record, publish, now_ms);
		if (err == OK)
			memory_release(record);
		else
			memory_release_blank(memory, record);
		memory_squeeze(memory, record);
	}
	if (err != OK || publish->duplicate) {
		for (size_t i = 0; i < publish->count; i++)
			event_unref(&publish->events[i]);
	}
	if (err != OK && err != ERR_NOMEM)
		(void)snprintf(publish->note, sizeof publish->note, "%s", err_note_text());
	publish->err = err;
	publish->done(publish);
}

static void memory_read(struct backplane *backplane, struct read *read)
{
	struct memory *memory = memory_of(backplane);
	uint64_t now_ms = memory_now(memory);
	struct record *record = NULL;

	read_clear(read);
	if (memory_is_away(memory))
		read->err = ERR_UNAVAILABLE;
	else
		record = memory_find(memory, read->name);
	if (record) {
		record_enter(record, now_ms);
		record_trim(record, now_ms);
		read->err = record_read(record, read);
		record_leave(memory, record, now_ms);
		memory_release(record);
	}
	memory_answer(memory, read);
}

/* Ends the stream as cancelled if it goes on; keeps of the history the end alone, so that readers
 * who come back are told. */
static enum err drop_from(struct memory *memory, struct record *record, struct event *end,
			  struct drop *drop, uint64_t now_ms)
{
	struct publish publish = { .name = drop->name, .events = &end, .count = 1 };
	struct position parent = record->head;
	enum err err = OK;

	if (record->head.epoch == 0 || record->dropped) {
		event_unref(&end);
		return err_note(ERR_NOT_FOUND, "there is no such stream");
	}
	if (record->end != END_NONE) {
		event_unref(&end);
	} else {
		err = record_publish(record, &memory->config, &publish, now_ms);
		if (err) {
			event_unref(&end);
			return err;
		}
		if (record_watched(record))
			memory_push(memory, &(struct push){ .name = drop->name, .parent = parent,
							    .events = &end, .count = 1,
							    .dropped = true });
	}
	record_trim_to(record, 1);
	record->dropped = true;
	drop->last = record->head;
	return OK;
}

static void memory_drop(struct backplane *backplane, struct drop *drop)
{
	struct memory *memory = memory_of(backplane);
	struct world *world = memory->config.world;
	uint64_t now_ms = memory_now(memory);
	struct record *record = NULL;
	struct event *end = NULL;

	drop->err = ERR_NOT_FOUND;
	if (memory_is_away(memory))
		drop->err = memory_away_note();
	else
		record = memory_find(memory, drop->name);
	if (record) {
		drop->err = event_new_end(END_CANCELLED, world->ops->wall_ms(world), now_ms, &end);
		if (drop->err == OK) {
			record_enter(record, now_ms);
			drop->err = drop_from(memory, record, end, drop, now_ms);
			record_leave(memory, record, now_ms);
		}
		memory_release(record);
	}
	drop->done(drop);
}

static enum err memory_shout(struct backplane *backplane, struct slice name, struct event *event)
{
	struct memory *memory = memory_of(backplane);
	uint64_t now_ms = memory_now(memory);
	struct record *record = NULL;
	enum err err = OK;

	MUST(event->ephemeral && event->end == END_NONE);
	if (memory_is_away(memory)) {
		event_unref(&event);
		return memory_away_note();
	}
	record = memory_find(memory, name);
	if (record)
		record_enter(record, now_ms);
	event->position = record ? record->head : (struct position){ 0 };
	if (record && record->end != END_NONE)
		err = err_note(ERR_ENDED, "the stream has ended: %s",
			       end_state_text(record->end));
	else if (record ? record_watched(record) : memory_watches(memory, name))
		memory_push(memory, &(struct push){ .name = name, .parent = event->position,
						    .events = &event, .count = 1 });
	if (record) {
		record_leave(memory, record, now_ms);
		memory_release(record);
	}
	event_unref(&event);
	return err;
}

static void memory_watch(struct backplane *backplane, struct slice name,
			 void (*watched)(void *arg, struct slice name), void *arg)
{
	memory_watch_late(memory_of(backplane), name, watched, arg);
}

static void memory_unwatch(struct backplane *backplane, struct slice name)
{
	memory_watch_late(memory_of(backplane), name, NULL, NULL);
}

static uint64_t memory_turn(struct backplane *backplane, uint64_t now_ms)
{
	struct memory *memory = memory_of(backplane);
	if (now_ms >= memory->walk_due_ms)
		memory->walk_due_ms = memory_walk(memory, now_ms);
	memory_squeeze(memory, NULL);
	uint64_t late_due_ms = memory_late_turn(memory, now_ms);
	return late_due_ms < memory->walk_due_ms ? late_due_ms : memory->walk_due_ms;
}

static bool memory_ready(struct backplane *backplane)
{
	return !memory_is_away(memory_of(backplane));
}

static void memory_health(struct backplane *backplane, struct backplane_health *ret_health)
{
	bool away = memory_is_away(memory_of(backplane));
	*ret_health = (struct backplane_health){ .ready = !away,
						 .echo_age_ms = away ? UINT64_MAX : 0,
						 .echo_us = away ? UINT64_MAX : 0 };
}

static void memory_counts(struct backplane *backplane, struct backplane_counts *ret_counts)
{
	struct memory *memory = memory_of(backplane);
	*ret_counts = (struct backplane_counts){
		.commits = atomic_load_explicit(&memory->commits, memory_order_relaxed),
		.committed_events =
			atomic_load_explicit(&memory->committed_events, memory_order_relaxed),
	};
}

static struct slice record_name_of(const void *object)
{
	return record_name(object);
}

static void memory_free(struct backplane **backplane)
{
	if (!*backplane)
		return;
	struct memory *memory = memory_of(*backplane);
	void *object;

	memory_late_clear(memory);
	memory_facts_clear(memory);
	for (size_t at = 0; memory->records && (object = map_next(memory->records, &at));) {
		struct record *record = map_take(memory->records, record_name_of(object));
		list_drop(&record->recent);
		record_free(&record);
	}
	for (size_t at = 0; memory->watched && (object = map_next(memory->watched, &at));)
		mem_free(map_take(memory->watched, watched_name_of(object)));
	map_free(&memory->records);
	map_free(&memory->watched);
	pthread_mutex_destroy(&memory->table_lock);
	pthread_mutex_destroy(&memory->late_lock);
	pthread_mutex_destroy(&memory->facts_lock);
	memory->tag = 0;
	mem_free(memory);
	*backplane = NULL;
}

static const struct backplane_ops memory_ops = {
	.name = "memory",
	.pushes_can_fail = false,
	.publish = memory_publish,
	.read = memory_read,
	.drop = memory_drop,
	.shout = memory_shout,
	.watch = memory_watch,
	.unwatch = memory_unwatch,
	.tell = memory_tell,
	.fact_put = memory_fact_put,
	.fact_list = memory_fact_list,
	.list = memory_list,
	.turn = memory_turn,
	.ready = memory_ready,
	.health = memory_health,
	.counts = memory_counts,
	.free = memory_free,
};

enum err memory_new(const struct memory_config *config, struct backplane **ret_backplane)
{
	struct memory *memory = mem_zalloc(sizeof *memory);
	if (!memory)
		return ERR_NOMEM;
	struct backplane *backplane = &memory->backplane;
	memory->tag = MEMORY_TAG;
	memory->config = *config;
	backplane->ops = &memory_ops;
	pthread_mutex_init(&memory->table_lock, NULL);
	pthread_mutex_init(&memory->late_lock, NULL);
	pthread_mutex_init(&memory->facts_lock, NULL);
	list_init(&memory->recent);
	list_init(&memory->late);
	enum err err = map_new(record_name_of, config->streams_max, &memory->records);
	if (err == OK)
		err = map_new(watched_name_of, UINT32_MAX, &memory->watched);
	if (err == OK)
		err = map_new(fact_set_name_of, MEMORY_FACT_SETS_MAX, &memory->fact_sets);
	if (err)
		memory_free(&backplane);
	else
		*ret_backplane = backplane;
	return err;
}

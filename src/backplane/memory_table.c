/*
 * memory_table: the streams by name, who wants pushes of them, and which have to go.
 */
#include "backplane/memory_impl.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"

enum {
	WALK_RECORDS = 256, /* of one turn */
	WALK_ROUND_MS = 60000, /* in which every record's turn comes */
	WALK_MS_MAX = 1000,
	SQUEEZE_ROUNDS = 16,
	SQUEEZE_LOOKS = 32,
};

struct record *memory_find(struct memory *memory, struct slice name)
{
	pthread_mutex_lock(&memory->table_lock);
	struct record *record = map_get(memory->records, name);
	if (record) {
		atomic_fetch_add_explicit(&record->user_count, 1, memory_order_relaxed);
		list_drop(&record->recent);
		list_push(&memory->recent, &record->recent);
	}
	pthread_mutex_unlock(&memory->table_lock);
	return record;
}

void memory_release(struct record *record)
{
	MUST(atomic_fetch_sub_explicit(&record->user_count, 1, memory_order_release) > 0);
}

void memory_account(struct memory *memory, struct record *record)
{
	size_t bytes = record_weight(record);
	if (bytes == record->accounted_bytes)
		return;
	atomic_fetch_add_explicit(&memory->bytes, bytes - record->accounted_bytes,
				  memory_order_relaxed);
	record->accounted_bytes = bytes;
}

/* Nobody uses it, and nobody can come to: under the table's lock. */
static bool record_is_free(const struct record *record)
{
	return atomic_load_explicit(&record->user_count, memory_order_acquire) == 0;
}

static void table_take(struct memory *memory, struct record *record)
{
	list_drop(&record->recent);
	MUST(map_take(memory->records, record_name(record)) == record);
}

static void memory_bury(struct memory *memory, struct record *record)
{
	atomic_fetch_sub_explicit(&memory->bytes, record->accounted_bytes, memory_order_relaxed);
	record_free(&record);
}

enum err memory_find_or_make(struct memory *memory, struct slice name, uint64_t now_ms,
			     struct record **ret_record)
{
	struct record *found = memory_find(memory, name);
	if (found) {
		*ret_record = found;
		return OK;
	}

	struct tape_bounds bounds = memory->config.bounds_of(memory->config.bounds_arg, name);
	struct record *fresh = NULL;
	enum err err = record_new(name, bounds, now_ms, &fresh);
	if (err)
		return err;
	pthread_mutex_lock(&memory->table_lock);
	found = map_get(memory->records, name);
	if (!found) {
		err = map_put(memory->records, fresh);
		if (err == OK) {
			found = fresh;
			list_push(&memory->recent, &fresh->recent);
			bool watched = memory->watch_all || map_get(memory->watched, name);
			atomic_store(&fresh->watched, watched);
		}
	}
	if (found)
		atomic_fetch_add_explicit(&found->user_count, 1, memory_order_relaxed);
	pthread_mutex_unlock(&memory->table_lock);
	if (found != fresh)
		record_free(&fresh);
	if (err == ERR_FULL) {
		metric_up(METRIC_LIMITS, LIMIT_STREAM_MAX);
		err = err_note(ERR_FULL, "the store holds %zu streams, its bound",
			       memory->config.streams_max);
	}
	if (err == OK)
		*ret_record = found;
	return err;
}

void memory_release_blank(struct memory *memory, struct record *record)
{
	pthread_mutex_lock(&memory->table_lock);
	/* Alone with it, nobody else can be changing it. */
	bool alone = atomic_load_explicit(&record->user_count, memory_order_acquire) == 1;
	memory_release(record);
	if (alone && record->head.epoch == 0)
		table_take(memory, record);
	else
		record = NULL;
	pthread_mutex_unlock(&memory->table_lock);
	if (record)
		memory_bury(memory, record);
}

/* --- who wants pushes --- */

struct slice watched_name_of(const void *object)
{
	const struct watched_name *watched = object;
	return slice_from(watched->name, watched->name_bytes);
}

static enum err watched_add(struct memory *memory, struct slice name)
{
	struct watched_name *watched = map_get(memory->watched, name);
	if (!watched) {
		watched = mem_zalloc(sizeof *watched + name.bytes);
		if (!watched)
			return ERR_NOMEM;
		watched->name_bytes = name.bytes;
		memcpy(watched->name, name.at, name.bytes);
		enum err err = map_put(memory->watched, watched);
		if (err) {
			mem_free(watched);
			return err;
		}
	}
	watched->count++;
	return OK;
}

void memory_watch_add(struct memory *memory, struct slice name)
{
	pthread_mutex_lock(&memory->table_lock);
	if (watched_add(memory, name) != OK && !memory->watch_all) {
		memory->watch_all = true;
		for (struct list *at = memory->recent.next; at != &memory->recent; at = at->next)
			atomic_store(&CONTAINER_OF(at, struct record, recent)->watched, true);
	}
	struct record *record = map_get(memory->records, name);
	if (record)
		atomic_store(&record->watched, true);
	pthread_mutex_unlock(&memory->table_lock);
}

void memory_watch_drop(struct memory *memory, struct slice name)
{
	pthread_mutex_lock(&memory->table_lock);
	struct watched_name *watched = map_get(memory->watched, name);
	if (watched && --watched->count == 0) {
		MUST(map_take(memory->watched, name) == watched);
		mem_free(watched);
		struct record *record = map_get(memory->records, name);
		if (record && !memory->watch_all)
			atomic_store(&record->watched, false);
	}
	pthread_mutex_unlock(&memory->table_lock);
}

bool memory_watches(struct memory *memory, struct slice name)
{
	pthread_mutex_lock(&memory->table_lock);
	bool watched = memory->watch_all || map_get(memory->watched, name);
	pthread_mutex_unlock(&memory->table_lock);
	return watched;
}

/* --- bounds --- */

/* Takes the record out if its time is over, else ages it. It is the caller's to use until then. */
static void walk_one(struct memory *memory, struct record *record, uint64_t now_ms)
{
	pthread_mutex_lock(&record->lock);
	record_trim(record, now_ms);
	idem_age(&record->idem, memory->config.idem_window_ms, now_ms);
	memory_account(memory, record);
	bool gone = record->head.epoch == 0 || record_idle(record, now_ms);
	pthread_mutex_unlock(&record->lock);
	if (!gone) {
		memory_release(record);
		return;
	}
	pthread_mutex_lock(&memory->table_lock);
	memory_release(record);
	gone = record_is_free(record) &&
	       (record->head.epoch == 0 || record_idle(record, now_ms));
	if (gone)
		table_take(memory, record);
	pthread_mutex_unlock(&memory->table_lock);
	if (gone)
		memory_bury(memory, record);
}

uint64_t memory_walk(struct memory *memory, uint64_t now_ms)
{
	struct record *records[WALK_RECORDS];
	size_t count = 0;

	pthread_mutex_lock(&memory->table_lock);
	while (count < WALK_RECORDS) {
		struct record *record = map_next(memory->records, &memory->walk_at);
		if (!record) {
			memory->walk_at = 0;
			break;
		}
		atomic_fetch_add_explicit(&record->user_count, 1, memory_order_relaxed);
		records[count++] = record;
	}
	size_t rounds = map_count(memory->records) / WALK_RECORDS + 1;
	pthread_mutex_unlock(&memory->table_lock);

	for (size_t i = 0; i < count; i++)
		walk_one(memory, records[i], now_ms);
	uint64_t pause_ms = WALK_ROUND_MS / rounds;
	return now_ms + (pause_ms < WALK_MS_MAX ? pause_ms + 1 : WALK_MS_MAX);
}

/* The next to give up something, the longest unused first: taken out, if nobody would notice before
 * coming back; else only in use, to be shortened. NULL: there is nobody. */
static struct record *squeeze_next(struct memory *memory, const struct record *kept,
				   bool *ret_taken)
{
	pthread_mutex_lock(&memory->table_lock);
	struct list *at = memory->recent.next;
	for (int i = 0; i < SQUEEZE_LOOKS && at != &memory->recent; i++, at = at->next) {
		struct record *record = CONTAINER_OF(at, struct record, recent);
		if (record == kept || atomic_load(&record->watched) || !record_is_free(record))
			continue;
		table_take(memory, record);
		pthread_mutex_unlock(&memory->table_lock);
		*ret_taken = true;
		return record;
	}
	struct record *record = NULL;
	if (!list_empty(&memory->recent)) {
		record = CONTAINER_OF(memory->recent.next, struct record, recent);
		atomic_fetch_add_explicit(&record->user_count, 1, memory_order_relaxed);
		list_drop(&record->recent);
		list_push(&memory->recent, &record->recent);
	}
	pthread_mutex_unlock(&memory->table_lock);
	*ret_taken = false;
	return record;
}

void memory_squeeze(struct memory *memory, const struct record *kept)
{
	for (int i = 0; i < SQUEEZE_ROUNDS; i++) {
		if (atomic_load_explicit(&memory->bytes, memory_order_relaxed) <=
		    memory->config.bytes_max)
			return;
		bool taken = false;
		struct record *record = squeeze_next(memory, kept, &taken);
		if (!record)
			return;
		if (taken) {
			memory_bury(memory, record);
			continue;
		}
		/* Listeners are told what the head is, so its epoch and newest event stay. */
		pthread_mutex_lock(&record->lock);
		record_trim_to(record, record_count(record) / 2 + 1);
		memory_account(memory, record);
		pthread_mutex_unlock(&record->lock);
		memory_release(record);
	}
}

/*
 * memory_list: which streams the memory backplane keeps.
 */
#include "backplane/memory_impl.h"

enum { LIST_STEP = 64, MINUTE_MS = 60000 };

/* Events stand in the order in which they came: how many came at or after since_ms. */
static uint64_t record_count_since(struct record *record, uint64_t since_ms)
{
	uint64_t low = record->floor.seq + 1;
	uint64_t high = record->head.seq + 1;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if ((*record_slot(record, middle))->born_ms < since_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return record->head.seq + 1 - low;
}

/* False: it has no history. */
static bool record_list(struct record *record, uint64_t now_ms, struct listed *ret_listed)
{
	uint64_t since_ms = now_ms > MINUTE_MS ? now_ms - MINUTE_MS : 0;
	pthread_mutex_lock(&record->lock);
	bool has_history = record->head.epoch != 0;
	if (has_history)
		*ret_listed = (struct listed){
			.name = record_name(record),
			.head = record->head,
			.count = record_count(record),
			.bytes = record->events_bytes,
			.minute_count = record_count_since(record, since_ms),
			.end = record->end,
		};
	pthread_mutex_unlock(&record->lock);
	return has_history;
}

/* The next few that match, kept until memory_release: a record's lock is not for under the
 * table's. */
static size_t memory_next(struct memory *memory, struct slice prefix, size_t *at,
			  struct record *records[LIST_STEP])
{
	size_t count = 0;
	struct record *record;
	pthread_mutex_lock(&memory->table_lock);
	while (count < LIST_STEP && (record = map_next(memory->records, at))) {
		if (!slice_starts(record_name(record), prefix))
			continue;
		atomic_fetch_add_explicit(&record->user_count, 1, memory_order_relaxed);
		records[count++] = record;
	}
	pthread_mutex_unlock(&memory->table_lock);
	return count;
}

bool memory_list(struct backplane *backplane, struct slice prefix, size_t count_max, listed_fn *fn,
		 void *arg)
{
	struct memory *memory = memory_of(backplane);
	struct record *records[LIST_STEP];
	uint64_t now_ms = memory_now(memory);
	size_t told = 0;
	size_t at = 0;
	size_t count;
	bool all = true;
	do {
		count = memory_next(memory, prefix, &at, records);
		for (size_t i = 0; i < count; i++) {
			struct listed listed;
			if (record_list(records[i], now_ms, &listed)) {
				all = told < count_max;
				if (all)
					fn(arg, &listed);
				told++;
			}
			memory_release(records[i]);
		}
	} while (count == LIST_STEP && all);
	return all;
}

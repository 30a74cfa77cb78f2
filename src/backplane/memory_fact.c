/*
 * memory_fact: facts and words of a store that has one node: itself.
 */
#include "backplane/memory_impl.h"
#include "base/mem.h"
#include "base/must.h"

/* One fact; the key's bytes, then the value's. */
struct fact_kept {
	uint64_t until_ms;
	size_t key_bytes, value_bytes;
	char bytes[];
};

struct fact_set {
	struct map *facts;
	size_t name_bytes;
	char name[BACKPLANE_FACT_SET_MAX];
};

struct slice fact_set_name_of(const void *object)
{
	const struct fact_set *set = object;
	return slice_from(set->name, set->name_bytes);
}

static struct slice fact_key_of(const void *object)
{
	const struct fact_kept *kept = object;
	return slice_from(kept->bytes, kept->key_bytes);
}

static enum err set_find_or_make(struct memory *memory, struct slice name,
				 struct fact_set **ret_set)
{
	struct fact_set *set = map_get(memory->fact_sets, name);
	if (set) {
		*ret_set = set;
		return OK;
	}
	set = mem_zalloc(sizeof *set);
	if (!set)
		return ERR_NOMEM;
	set->name_bytes = name.bytes;
	memcpy(set->name, name.at, name.bytes);
	enum err err = map_new(fact_key_of, BACKPLANE_FACTS_MAX, &set->facts);
	if (err == OK)
		err = map_put(memory->fact_sets, set);
	if (err) {
		map_free(&set->facts);
		mem_free(set);
		return err;
	}
	*ret_set = set;
	return OK;
}

/* Walked through only when a set is full: facts are few, and most live for long. */
static void set_expire(struct fact_set *set, uint64_t now_ms)
{
	struct fact_kept *kept;
	for (size_t at = 0; (kept = map_next(set->facts, &at));) {
		if (kept->until_ms <= now_ms)
			mem_free(map_take(set->facts, fact_key_of(kept)));
	}
}

static enum err fact_keep(struct fact_set *set, const struct fact *fact, uint64_t now_ms)
{
	struct fact_kept *fresh = mem_alloc(sizeof *fresh + fact->key.bytes + fact->value.bytes);
	if (!fresh)
		return ERR_NOMEM;
	fresh->until_ms = fact->ttl_ms < UINT64_MAX - now_ms ? now_ms + fact->ttl_ms : UINT64_MAX;
	fresh->key_bytes = fact->key.bytes;
	fresh->value_bytes = fact->value.bytes;
	memcpy(fresh->bytes, fact->key.at, fact->key.bytes);
	if (fact->value.bytes)
		memcpy(fresh->bytes + fact->key.bytes, fact->value.at, fact->value.bytes);
	mem_free(map_take(set->facts, fact->key));
	if (map_count(set->facts) >= BACKPLANE_FACTS_MAX)
		set_expire(set, now_ms);
	enum err err = map_put(set->facts, fresh);
	if (err)
		mem_free(fresh);
	return err == ERR_FULL ? err_note(ERR_FULL, "there are %d facts of this kind already",
					  BACKPLANE_FACTS_MAX)
			       : err;
}

void memory_fact_put(struct backplane *backplane, struct fact *fact)
{
	struct memory *memory = memory_of(backplane);
	struct fact_set *set = NULL;
	enum err err = fact_check(fact);

	if (err == OK && memory_is_away(memory))
		err = memory_away_note();
	if (err == OK) {
		pthread_mutex_lock(&memory->facts_lock);
		err = set_find_or_make(memory, fact->set, &set);
		if (err == OK && fact->ttl_ms == 0)
			mem_free(map_take(set->facts, fact->key));
		else if (err == OK)
			err = fact_keep(set, fact, memory_now(memory));
		pthread_mutex_unlock(&memory->facts_lock);
	}
	fact->err = err;
	fact->done(fact);
}

/* Under the lock, which is a leaf: `each` calls no backplane. */
void memory_fact_list(struct backplane *backplane, struct fact_list *list)
{
	struct memory *memory = memory_of(backplane);

	fact_set_must_be_good(list->set);
	list->err = memory_is_away(memory) ? memory_away_note() : OK;
	if (list->err == OK) {
		uint64_t now_ms = memory_now(memory);
		pthread_mutex_lock(&memory->facts_lock);
		const struct fact_set *set = map_get(memory->fact_sets, list->set);
		const struct fact_kept *kept;
		for (size_t at = 0; set && (kept = map_next(set->facts, &at));) {
			if (kept->until_ms > now_ms)
				list->each(list, fact_key_of(kept),
					   slice_from(kept->bytes + kept->key_bytes,
						      kept->value_bytes),
					   kept->until_ms - now_ms);
		}
		pthread_mutex_unlock(&memory->facts_lock);
	}
	list->done(list);
}

enum err memory_tell(struct backplane *backplane, struct slice bytes)
{
	struct memory *memory = memory_of(backplane);
	const struct backplane_ear *ear = &memory->config.ear;

	if (bytes.bytes > BACKPLANE_TELL_BYTES_MAX)
		return err_note(ERR_TOO_BIG, "a word has at most %d bytes",
				BACKPLANE_TELL_BYTES_MAX);
	if (memory_is_away(memory))
		return memory_away_note();
	if (ear->heard)
		ear->heard(ear->arg, bytes);
	return OK;
}

void memory_facts_clear(struct memory *memory)
{
	struct fact_set *set;
	for (size_t at = 0; memory->fact_sets && (set = map_next(memory->fact_sets, &at));) {
		struct fact_kept *kept;
		for (size_t in = 0; (kept = map_next(set->facts, &in));)
			mem_free(map_take(set->facts, fact_key_of(kept)));
		map_free(&set->facts);
		mem_free(map_take(memory->fact_sets, fact_set_name_of(set)));
	}
	map_free(&memory->fact_sets);
}

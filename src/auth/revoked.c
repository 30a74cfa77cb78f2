#include "auth/revoked.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/must.h"

#define REVOKED_TAG 0x2e70eedau

struct entry {
	uint64_t until_ms;
	size_t bytes;
	char name[]; /* "s" or "j", and the text */
};

struct revoked {
	uint32_t tag;
	pthread_rwlock_t lock;
	struct map *entries;
	_Atomic size_t count; /* read without the lock: mostly there are none */
};

static struct slice entry_name(const void *object)
{
	const struct entry *entry = object;
	return slice_from(entry->name, entry->bytes);
}

enum err revoked_new(struct revoked **ret_revoked)
{
	struct revoked *revoked = mem_zalloc(sizeof *revoked);
	if (!revoked)
		return ERR_NOMEM;
	revoked->tag = REVOKED_TAG;
	MUST(pthread_rwlock_init(&revoked->lock, NULL) == 0);
	enum err err = map_new(entry_name, REVOKED_MAX, &revoked->entries);
	if (err)
		revoked_free(&revoked);
	else
		*ret_revoked = revoked;
	return err;
}

/* Those that have run out by now_ms; all of them at UINT64_MAX. */
static void purge(struct revoked *revoked, uint64_t now_ms)
{
	struct entry *entry;
	size_t at = 0;
	while ((entry = map_next(revoked->entries, &at)) != NULL) {
		if (entry->until_ms > now_ms)
			continue;
		(void)map_take(revoked->entries, entry_name(entry));
		mem_free(entry);
	}
	atomic_store(&revoked->count, map_count(revoked->entries));
}

void revoked_free(struct revoked **revoked)
{
	if (!*revoked)
		return;
	MUST_BE(*revoked, REVOKED_TAG);
	if ((*revoked)->entries)
		purge(*revoked, UINT64_MAX);
	map_free(&(*revoked)->entries);
	(void)pthread_rwlock_destroy(&(*revoked)->lock);
	(*revoked)->tag = 0;
	mem_free(*revoked);
	*revoked = NULL;
}

static struct slice name_of(enum revoked_kind kind, struct slice text,
			    char name[REVOKED_TEXT_MAX + 1])
{
	name[0] = kind == REVOKED_SUB ? 's' : 'j';
	memcpy(name + 1, text.at, text.bytes);
	return slice_from(name, text.bytes + 1);
}

static enum err put(struct revoked *revoked, struct slice name, uint64_t until_ms, uint64_t now_ms)
{
	struct entry *entry = map_get(revoked->entries, name);
	if (entry) {
		if (entry->until_ms < until_ms)
			entry->until_ms = until_ms;
		return OK;
	}
	if (map_count(revoked->entries) == REVOKED_MAX)
		purge(revoked, now_ms);
	entry = mem_zalloc(sizeof *entry + name.bytes);
	if (!entry)
		return ERR_NOMEM;
	entry->until_ms = until_ms;
	entry->bytes = name.bytes;
	memcpy(entry->name, name.at, name.bytes);
	enum err err = map_put(revoked->entries, entry);
	if (err)
		mem_free(entry);
	atomic_store(&revoked->count, map_count(revoked->entries));
	return err == ERR_FULL ? err_note(err, "more than %d revocations at a time", REVOKED_MAX) :
				 err;
}

enum err revoked_put(struct revoked *revoked, enum revoked_kind kind, struct slice text,
		     uint64_t until_ms, uint64_t now_ms)
{
	char name[REVOKED_TEXT_MAX + 1];
	MUST_BE(revoked, REVOKED_TAG);
	if (!text.bytes || text.bytes > REVOKED_TEXT_MAX)
		return err_note(ERR_TOO_BIG, "what is revoked has 1 to %d bytes", REVOKED_TEXT_MAX);
	if (until_ms <= now_ms)
		return OK;
	(void)pthread_rwlock_wrlock(&revoked->lock);
	enum err err = put(revoked, name_of(kind, text, name), until_ms, now_ms);
	(void)pthread_rwlock_unlock(&revoked->lock);
	return err;
}

bool revoked_has(struct revoked *revoked, enum revoked_kind kind, struct slice text,
		 uint64_t now_ms)
{
	char name[REVOKED_TEXT_MAX + 1];
	MUST_BE(revoked, REVOKED_TAG);
	if (!text.bytes || text.bytes > REVOKED_TEXT_MAX || !atomic_load(&revoked->count))
		return false;
	(void)pthread_rwlock_rdlock(&revoked->lock);
	const struct entry *entry = map_get(revoked->entries, name_of(kind, text, name));
	bool has = entry && entry->until_ms > now_ms;
	(void)pthread_rwlock_unlock(&revoked->lock);
	return has;
}

size_t revoked_count(struct revoked *revoked)
{
	return atomic_load(&revoked->count);
}

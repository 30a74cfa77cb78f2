#include "stream/keys.h"

#include "base/hash.h"
#include "base/mem.h"

enum { KEYS_CAPACITY_MIN = 16 };

void keys_fini(struct keys *keys)
{
	mem_free(keys->slots);
	*keys = (struct keys){ 0 };
}

static size_t home_of(const struct keys *keys, struct slice key)
{
	return (size_t)hash_name(key) & (keys->capacity - 1);
}

static size_t next_of(const struct keys *keys, size_t at)
{
	return (at + 1) & (keys->capacity - 1);
}

/* The key's slot, or the empty one where it would go. */
static size_t slot_of(const struct keys *keys, keys_name_fn *name_of, const void *tape,
		      struct slice key)
{
	size_t at = home_of(keys, key);
	while (keys->slots[at] && !slice_equal(name_of(tape, keys->slots[at] - 1), key))
		at = next_of(keys, at);
	return at;
}

enum err keys_make_room(struct keys *keys, keys_name_fn *name_of, const void *tape)
{
	if ((keys->count + 1) * 2 <= keys->capacity)
		return OK;
	struct keys grown = { .capacity = keys->capacity ? keys->capacity * 2 : KEYS_CAPACITY_MIN };
	grown.slots = mem_zalloc_array(grown.capacity, sizeof *grown.slots);
	if (!grown.slots)
		return ERR_NOMEM;
	grown.count = keys->count;
	for (size_t i = 0; i < keys->capacity; i++) {
		if (!keys->slots[i])
			continue;
		struct slice key = name_of(tape, keys->slots[i] - 1);
		grown.slots[slot_of(&grown, name_of, tape, key)] = keys->slots[i];
	}
	mem_free(keys->slots);
	*keys = grown;
	return OK;
}

bool keys_note(struct keys *keys, keys_name_fn *name_of, const void *tape, struct slice key,
	       uint64_t ord, uint64_t *ret_before)
{
	size_t at = slot_of(keys, name_of, tape, key);
	uint64_t before = keys->slots[at];
	keys->slots[at] = ord + 1;
	if (before) {
		*ret_before = before - 1;
		return true;
	}
	keys->count++;
	return false;
}

void keys_forget(struct keys *keys, keys_name_fn *name_of, const void *tape, uint64_t ord)
{
	if (!keys->capacity)
		return;
	size_t hole = slot_of(keys, name_of, tape, name_of(tape, ord));
	if (keys->slots[hole] != ord + 1)
		return;
	/* What lies behind moves up, unless it would come to lie before its home. */
	for (size_t at = next_of(keys, hole); keys->slots[at]; at = next_of(keys, at)) {
		size_t home = home_of(keys, name_of(tape, keys->slots[at] - 1));
		size_t from_home = (at - home) & (keys->capacity - 1);
		size_t from_hole = (at - hole) & (keys->capacity - 1);
		if (from_home < from_hole)
			continue;
		keys->slots[hole] = keys->slots[at];
		hole = at;
	}
	keys->slots[hole] = 0;
	keys->count--;
}

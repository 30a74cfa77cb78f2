/*
 * A slot keeps the hash beside the object, so that a probe reads a name only when it is very likely
 * the right one. What is taken out leaves a stone that probes walk over: nothing moves, so a walk
 * may take out what it was given. Stones go when the table is rebuilt.
 */
#include "base/map.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

#define MAP_TAG 0x3a9e0d17u

enum { MAP_FIRST_SLOTS = 16 };

struct slot {
	uint64_t hash;
	void *object; /* NULL: never used since the last rebuild */
};

struct map {
	uint32_t tag;
	map_name_fn *name_of;
	size_t count;
	size_t count_max;
	size_t used_count; /* objects and stones */
	size_t slot_count; /* a power of two, or 0 before the first put */
	struct slot *slots;
};

static char stone;

static bool slot_holds(const struct slot *slot)
{
	return slot->object && slot->object != &stone;
}

enum err map_new(map_name_fn *name_of, size_t count_max, struct map **ret_map)
{
	MUST(count_max < SIZE_MAX / sizeof(struct slot) / 4);
	struct map *map = mem_zalloc(sizeof *map);
	if (!map)
		return ERR_NOMEM;

	map->tag = MAP_TAG;
	map->name_of = name_of;
	map->count_max = count_max;
	*ret_map = map;
	return OK;
}

void map_free(struct map **map)
{
	if (!*map)
		return;
	MUST_BE(*map, MAP_TAG);
	(*map)->tag = 0;
	mem_free((*map)->slots);
	mem_free(*map);
	*map = NULL;
}

size_t map_count(const struct map *map)
{
	MUST_BE(map, MAP_TAG);
	return map->count;
}

static struct slot *map_find(const struct map *map, struct slice name)
{
	MUST_BE(map, MAP_TAG);
	if (map->count == 0)
		return NULL;

	uint64_t hash = hash_name(name);
	size_t mask = map->slot_count - 1;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct slot *slot = &map->slots[i];
		if (!slot->object)
			return NULL;
		if (slot->hash == hash && slot_holds(slot) &&
		    slice_equal(map->name_of(slot->object), name))
			return slot;
	}
}

void *map_get(const struct map *map, struct slice name)
{
	struct slot *slot = map_find(map, name);
	return slot ? slot->object : NULL;
}

static void slots_put(struct slot *slots, size_t slot_count, struct slot fresh)
{
	size_t i = fresh.hash & (slot_count - 1);
	while (slots[i].object)
		i = (i + 1) & (slot_count - 1);
	slots[i] = fresh;
}

/* After it, at least a quarter of the slots is free: a probe always ends. */
static enum err map_make_room(struct map *map)
{
	if (map->used_count + 1 <= map->slot_count / 4 * 3)
		return OK;

	size_t slot_count = map->slot_count ? map->slot_count : MAP_FIRST_SLOTS;
	while (map->count + 1 > slot_count / 2)
		slot_count *= 2;
	struct slot *slots = mem_zalloc_array(slot_count, sizeof *slots);
	if (!slots)
		return ERR_NOMEM;

	for (size_t i = 0; i < map->slot_count; i++) {
		if (slot_holds(&map->slots[i]))
			slots_put(slots, slot_count, map->slots[i]);
	}
	mem_free(map->slots);
	map->slots = slots;
	map->slot_count = slot_count;
	map->used_count = map->count;
	return OK;
}

enum err map_put(struct map *map, void *object)
{
	MUST_BE(map, MAP_TAG);
	MUST(object);
	struct slice name = map->name_of(object);
	MUST(!map_find(map, name));

	if (map->count >= map->count_max)
		return ERR_FULL;
	enum err err = map_make_room(map);
	if (err != OK)
		return err;

	slots_put(map->slots, map->slot_count, (struct slot){ hash_name(name), object });
	map->count++;
	map->used_count++;
	return OK;
}

void *map_take(struct map *map, struct slice name)
{
	struct slot *slot = map_find(map, name);
	if (!slot)
		return NULL;

	void *object = slot->object;
	slot->object = &stone;
	map->count--;

	/* Before a free slot no stone is needed, nor are those just before it. */
	size_t mask = map->slot_count - 1;
	size_t i = (size_t)(slot - map->slots);
	if (map->slots[(i + 1) & mask].object)
		return object;
	for (; map->slots[i].object == &stone; i = (i - 1) & mask) {
		map->slots[i].object = NULL;
		map->used_count--;
	}
	return object;
}

void *map_next(const struct map *map, size_t *at)
{
	MUST_BE(map, MAP_TAG);
	while (*at < map->slot_count) {
		struct slot *slot = &map->slots[(*at)++];
		if (slot_holds(slot))
			return slot->object;
	}
	return NULL;
}

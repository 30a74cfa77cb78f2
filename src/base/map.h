/*
 * map: from a name (bytes) to an object that holds the name. Open addressing, linear probing.
 *
 * Owns    its slots; neither the names nor the objects.
 * Thread  whoever owns the map (hub and store lock theirs).
 * Bound   count_max at birth; ERR_FULL beyond it.
 */
#ifndef TAPECAST_BASE_MAP_H
#define TAPECAST_BASE_MAP_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct map;
/* The name of an object; must not change while the object is in the map. */
typedef struct slice map_name_fn(const void *object);

enum err map_new(map_name_fn *name_of, size_t count_max, struct map **ret_map) ERR_CHECKED;
void map_free(struct map **map);
size_t map_count(const struct map *map);
/* NULL if there is none. */
void *map_get(const struct map *map, struct slice name);
/* ERR_FULL, ERR_NOMEM. The name must not be there yet (MUST). */
enum err map_put(struct map *map, void *object) ERR_CHECKED;
/* Takes it out and returns it; NULL if there is none. */
void *map_take(struct map *map, struct slice name);
/* Walks in no order: *at = 0 first; NULL at the end. Take nothing out but what it just gave. */
void *map_next(const struct map *map, size_t *at);

#endif

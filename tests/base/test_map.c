#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dies.h"

enum { ITEMS = 2000 };

struct item {
	char name[24];
	bool is_in;
	unsigned seen_count;
};

static struct item items[ITEMS];
static size_t name_calls;

static struct slice item_name(const void *object)
{
	name_calls++;
	return slice_of(((const struct item *)object)->name);
}

static void finds_what_was_put_and_nothing_else(void **state)
{
	struct map *map = *state;
	assert_null(map_get(map, SLICE("item-0")));
	assert_null(map_take(map, SLICE("item-0")));
	for (size_t i = 0; i < ITEMS / 2; i++)
		assert_int_equal(map_put(map, &items[i]), OK);
	assert_int_equal(map_count(map), ITEMS / 2);
	for (size_t i = 0; i < ITEMS; i++)
		assert_ptr_equal(map_get(map, slice_of(items[i].name)),
				 i < ITEMS / 2 ? &items[i] : NULL);
}

static void what_is_taken_is_gone_and_the_rest_stays(void **state)
{
	struct map *map = *state;
	for (size_t i = 0; i < ITEMS; i++)
		assert_int_equal(map_put(map, &items[i]), OK);
	for (size_t i = 0; i < ITEMS; i += 2)
		assert_ptr_equal(map_take(map, slice_of(items[i].name)), &items[i]);
	assert_int_equal(map_count(map), ITEMS / 2);
	for (size_t i = 0; i < ITEMS; i++)
		assert_ptr_equal(map_get(map, slice_of(items[i].name)),
				 i % 2 ? &items[i] : NULL);
}

static void agrees_with_a_plain_list_over_many_random_steps(void **state)
{
	struct map *map = *state;
	uint32_t chance = 12345;
	size_t count = 0;
	for (int step = 0; step < 60000; step++) {
		chance = chance * 1664525u + 1013904223u;
		struct item *item = &items[(chance >> 8) % (ITEMS / 10)];
		struct slice name = slice_of(item->name);
		assert_ptr_equal(map_get(map, name), item->is_in ? item : NULL);
		if (item->is_in) {
			assert_ptr_equal(map_take(map, name), item);
			count--;
		} else {
			assert_int_equal(map_put(map, item), OK);
			count++;
		}
		item->is_in = !item->is_in;
		assert_int_equal(map_count(map), count);
	}
}

static void a_walk_meets_each_once(void **state)
{
	struct map *map = *state;
	size_t at = 0;
	assert_null(map_next(map, &at));
	for (size_t i = 0; i < ITEMS; i++)
		assert_int_equal(map_put(map, &items[i]), OK);
	at = 0;
	for (struct item *item; (item = map_next(map, &at));)
		item->seen_count++;
	assert_null(map_next(map, &at));
	for (size_t i = 0; i < ITEMS; i++)
		assert_int_equal(items[i].seen_count, 1);
}

static void a_walk_may_take_out_what_it_was_given(void **state)
{
	struct map *map = *state;
	for (size_t i = 0; i < ITEMS; i++)
		assert_int_equal(map_put(map, &items[i]), OK);
	size_t at = 0;
	size_t walked = 0;
	for (struct item *item; (item = map_next(map, &at)); walked++) {
		item->seen_count++;
		if (walked % 3)
			assert_ptr_equal(map_take(map, slice_of(item->name)), item);
	}
	for (size_t i = 0; i < ITEMS; i++)
		assert_int_equal(items[i].seen_count, 1);
	assert_int_equal(map_count(map), (ITEMS + 2) / 3);
	at = 0;
	for (walked = 0; map_next(map, &at); walked++)
		;
	assert_int_equal(walked, (ITEMS + 2) / 3);
}

static void coming_and_going_neither_grows_nor_rebuilds_it_each_time(void **state)
{
	struct map *map = *state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(map_put(map, &items[i]), OK);
	size_t bytes = mem_live_bytes();
	uint64_t calls = mem_calls();
	for (size_t round = 0; round < 20000; round++) {
		struct item *item = &items[8 + round % (ITEMS - 8)];
		assert_int_equal(map_put(map, item), OK);
		assert_ptr_equal(map_take(map, slice_of(item->name)), item);
	}
	assert_in_range(mem_live_bytes(), 1, bytes * 4);
	assert_in_range(mem_calls() - calls, 0, 20000 / 40);
}

static void is_full_at_its_bound(void **state)
{
	(void)state;
	struct map *map = NULL;
	assert_int_equal(map_new(item_name, 3, &map), OK);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(map_put(map, &items[i]), OK);
	assert_int_equal(map_put(map, &items[3]), ERR_FULL);
	assert_int_equal(map_count(map), 3);
	assert_ptr_equal(map_take(map, slice_of(items[1].name)), &items[1]);
	assert_int_equal(map_put(map, &items[3]), OK);
	map_free(&map);
	assert_null(map);
	map_free(&map);
}

static void without_memory_it_stays_as_it_was(void **state)
{
	struct map *map = *state;
	struct map *none = NULL;
	mem_fail_after(0);
	assert_int_equal(map_new(item_name, 3, &none), ERR_NOMEM);
	assert_null(none);
	assert_int_equal(map_put(map, &items[0]), ERR_NOMEM);
	mem_fail_after(-1);

	size_t put_count = 0;
	while (put_count < 100) {
		mem_fail_after(0);
		enum err err = map_put(map, &items[put_count]);
		mem_fail_after(-1);
		if (err != OK) {
			assert_int_equal(err, ERR_NOMEM);
			assert_null(map_get(map, slice_of(items[put_count].name)));
			assert_int_equal(map_put(map, &items[put_count]), OK);
		}
		put_count++;
		for (size_t i = 0; i < put_count; i++)
			assert_ptr_equal(map_get(map, slice_of(items[i].name)), &items[i]);
	}
}

/* Names that all fall into one slot under one key are spread under another: what an attacker
 * prepares against a known key costs nothing under a secret one. */
static void names_chosen_to_collide_do_not_slow_it_down(void **state)
{
	struct map *map = *state;
	static struct item chosen[300];
	const struct hash_key known = { { 0 } };
	size_t found = 0;
	for (uint64_t i = 0; found < 300; i++) {
		struct item *item = &chosen[found];
		(void)snprintf(item->name, sizeof item->name, "evil-%llu", (unsigned long long)i);
		if ((hash_keyed(&known, slice_of(item->name)) & 1023) == 0)
			found++;
	}
	hash_seed(&(struct hash_key){ "a secret of ours" });
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(map_put(map, &chosen[i]), OK);

	name_calls = 0;
	for (size_t i = 0; i < 300; i++)
		assert_ptr_equal(map_get(map, slice_of(chosen[i].name)), &chosen[i]);
	assert_int_equal(name_calls, 300); /* one look at a name each: the hash told them apart */
	assert_int_equal(hash_name(slice_of(chosen[0].name)) & 1023 &&
			 hash_name(slice_of(chosen[1].name)) & 1023, 1);
}

static void put_twice(void *arg)
{
	if (map_put(arg, &items[0]) != OK || map_put(arg, &items[0]) != OK)
		_exit(1);
}

static void putting_a_name_twice_is_a_bug(void **state)
{
	assert_true(dies(put_twice, *state));
}

static int setup(void **state)
{
	hash_seed(&(struct hash_key){ { 0 } });
	for (size_t i = 0; i < ITEMS; i++) {
		items[i] = (struct item){ .seen_count = 0 };
		(void)snprintf(items[i].name, sizeof items[i].name, "item-%zu", i);
	}
	return map_new(item_name, ITEMS, (struct map **)state) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	mem_fail_after(-1);
	map_free((struct map **)state);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(finds_what_was_put_and_nothing_else),
		TEST(what_is_taken_is_gone_and_the_rest_stays),
		TEST(agrees_with_a_plain_list_over_many_random_steps),
		TEST(a_walk_meets_each_once),
		TEST(a_walk_may_take_out_what_it_was_given),
		TEST(coming_and_going_neither_grows_nor_rebuilds_it_each_time),
		TEST(is_full_at_its_bound),
		TEST(without_memory_it_stays_as_it_was),
		TEST(names_chosen_to_collide_do_not_slow_it_down),
		TEST(putting_a_name_twice_is_a_bug),
	};
	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}

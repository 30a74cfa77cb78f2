#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

struct item {
	int number;
	struct list link;
};

static struct item items[6];

/* The numbers of a list, read forwards as decimal digits; backwards must agree. */
static int digits(struct list *list)
{
	int number = 0;
	int mirror = 0;
	int weight = 1;
	for (struct list *at = list->next; at != list; at = at->next) {
		int digit = CONTAINER_OF(at, struct item, link)->number;
		number = number * 10 + digit;
	}
	for (struct list *at = list->prev; at != list; at = at->prev) {
		mirror += weight * CONTAINER_OF(at, struct item, link)->number;
		weight *= 10;
	}
	assert_int_equal(number, mirror);
	return number;
}

static void first_in_is_first_out(void **state)
{
	struct list *list = *state;
	assert_true(list_empty(list));
	list_push(list, &items[1].link);
	list_push(list, &items[2].link);
	list_push(list, &items[3].link);
	assert_int_equal(digits(list), 123);
	assert_false(list_empty(list));
}

static void a_dropped_link_is_empty_and_may_be_dropped_again(void **state)
{
	struct list *list = *state;
	list_push(list, &items[1].link);
	list_push(list, &items[2].link);
	list_push(list, &items[3].link);
	list_drop(&items[2].link);
	assert_true(list_empty(&items[2].link));
	list_drop(&items[2].link);
	assert_int_equal(digits(list), 13);
}

static void a_splice_moves_all_to_the_end(void **state)
{
	struct list *list = *state;
	struct list from;
	list_init(&from);
	list_push(list, &items[1].link);
	list_splice(list, &from);
	assert_int_equal(digits(list), 1);
	list_push(&from, &items[2].link);
	list_push(&from, &items[3].link);
	list_splice(list, &from);
	assert_int_equal(digits(list), 123);
	assert_true(list_empty(&from));
}

static int setup(void **state)
{
	static struct list list;
	list_init(&list);
	for (int i = 0; i < 6; i++) {
		items[i].number = i;
		list_init(&items[i].link);
	}
	*state = &list;
	return 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup(fn, setup)
	const struct CMUnitTest tests[] = {
		TEST(first_in_is_first_out),
		TEST(a_dropped_link_is_empty_and_may_be_dropped_again),
		TEST(a_splice_moves_all_to_the_end),
	};
	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}

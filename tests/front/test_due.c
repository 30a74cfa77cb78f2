#include "front/due.h"

#include "support.h"

static void they_come_in_order_and_never_early(void **state)
{
	(void)state;
	struct due_queue queue;
	struct due a, b;
	due_queue_init(&queue, 100);
	due_init(&a);
	due_init(&b);
	assert_int_equal(due_within(&queue, 1000, -1), -1);
	assert_int_equal(due_within(&queue, 1000, 7), 7);
	due_arm(&queue, &a, 1000);
	due_arm(&queue, &b, 1050);
	assert_int_equal(due_within(&queue, 1000, -1), 100);
	assert_int_equal(due_within(&queue, 1000, 200), 100);
	assert_int_equal(due_within(&queue, 1000, 99), 99);
	assert_int_equal(due_within(&queue, 5000, -1), 0);
	assert_null(due_next(&queue, 1099));
	assert_ptr_equal(due_next(&queue, 1100), &a);
	assert_null(due_next(&queue, 1100));
	assert_ptr_equal(due_next(&queue, 9999), &b);
	assert_null(due_next(&queue, 9999));
}

static void rearming_moves_it_to_the_end_and_between_queues(void **state)
{
	(void)state;
	struct due_queue queue, other;
	struct due a, b;
	due_queue_init(&queue, 100);
	due_queue_init(&other, 10);
	due_init(&a);
	due_init(&b);
	due_arm(&queue, &a, 0);
	due_arm(&queue, &b, 0);
	due_arm(&queue, &a, 50);
	assert_ptr_equal(due_next(&queue, 100), &b);
	assert_null(due_next(&queue, 149));
	due_arm(&other, &a, 60);
	assert_null(due_next(&queue, 1000));
	assert_ptr_equal(due_next(&other, 70), &a);
	due_disarm(&a); /* on none: nothing happens */
	due_arm(&other, &a, 60);
	due_disarm(&a);
	assert_null(due_next(&other, 1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(they_come_in_order_and_never_early),
		TEST(rearming_moves_it_to_the_end_and_between_queues),
	};
	return cmocka_run_group_tests_name("due", tests, NULL, NULL);
}

#include "backplane/redis_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"

static const struct code_rules rules = { 100, 1000000, 5000 };

static struct event *event_of(const char *data)
{
	struct event *event = NULL;
	struct draft draft = { .type = SLICE("tick"), .key = SLICE("k"), .data = slice_of(data),
			       .has_data = true, .json = true, .ttl_ms = 77 };
	assert_int_equal(event_new(&draft, 999000, 1, &event), OK);
	return event;
}

static void put_group(struct buf *buf, const char *head, size_t count)
{
	struct code_place place = { .nonce = "abcdefg", .count = (uint8_t)count };
	buf_init(buf, 65536);
	assert_int_equal(buf_put_text(buf, head), OK);
	for (; place.at < count; place.at++) {
		struct event *event = event_of("1");
		code_put(event, &place, buf);
		event_unref(&event);
	}
	assert_int_equal(buf->err, OK);
}

#define PUSH_HEAD "P" "0000010123456789" "0000000000000c" "0123456789ab" "ba9876543210"
#define ENTRY_HEAD "0123456789ab" "ba9876543210"

static void an_entry_is_taken_as_it_was_put(void **state)
{
	(void)state;
	struct code_entry entry;
	struct buf buf;
	put_group(&buf, ENTRY_HEAD, 1);
	assert_int_equal(code_take_entry(buf_slice(&buf), &rules, &entry), OK);
	assert_int_equal(entry.tag, 0x0123456789ab);
	assert_int_equal(entry.parent_tag, 0xba9876543210);
	assert_true(slice_equal(event_type(entry.event), SLICE("tick")));
	assert_true(slice_equal(event_key(entry.event), SLICE("k")));
	assert_true(slice_equal(event_data(entry.event), SLICE("1")));
	assert_true(entry.event->json);
	assert_int_equal(entry.event->ttl_ms, 77);
	assert_int_equal(entry.event->wall_ms, 999000);
	assert_int_equal(entry.event->born_ms, 4000); /* a second ago, elsewhere */
	event_unref(&entry.event);
	buf_fini(&buf);
}

static void no_part_of_an_entry_is_an_entry(void **state)
{
	(void)state;
	struct code_entry entry;
	struct buf buf;
	put_group(&buf, ENTRY_HEAD, 1);
	for (size_t bytes = 0; bytes < buf.bytes; bytes++)
		assert_int_not_equal(code_take_entry(slice_from(buf.at, bytes), &rules, &entry),
				     OK);
	assert_int_equal(buf_put_byte(&buf, 'x'), OK);
	assert_int_not_equal(code_take_entry(buf_slice(&buf), &rules, &entry), OK);
	buf_fini(&buf);
}

static void a_push_gives_its_events_their_places(void **state)
{
	(void)state;
	struct code_push push;
	struct buf buf;
	put_group(&buf, PUSH_HEAD, 3);
	assert_int_equal(code_take_push(buf_slice(&buf), &rules, &push), OK);
	assert_int_equal(push.kind, CODE_PUBLISHED);
	assert_int_equal(push.count, 3);
	assert_int_equal(push.parent.seq, 9);
	assert_int_equal(push.parent.tag, 0xba9876543210);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(push.events[i]->position.epoch, 0x0000010123456789);
		assert_int_equal(push.events[i]->position.seq, 10 + i);
		assert_int_equal(push.events[i]->position.tag, 0x0123456789ab);
		event_unref(&push.events[i]);
	}
	buf_fini(&buf);
}

static void a_push_with_a_changed_byte_is_refused_or_as_harmless(void **state)
{
	(void)state;
	struct code_push push;
	struct buf buf;
	put_group(&buf, PUSH_HEAD, 2);
	for (size_t at = 0; at < buf.bytes; at++) {
		for (int bit = 0; bit < 8; bit++) {
			buf.at[at] = (char)(buf.at[at] ^ 1 << bit);
			if (code_take_push(buf_slice(&buf), &rules, &push) == OK) {
				for (size_t i = 0; i < push.count; i++) {
					struct slice type = event_type(push.events[i]);
					assert_null(memchr(type.at, '\n', type.bytes));
					event_unref(&push.events[i]);
				}
			}
			buf.at[at] = (char)(buf.at[at] ^ 1 << bit);
		}
	}
	buf_fini(&buf);
}

static void a_group_comes_whole_or_not_at_all(void **state)
{
	(void)state;
	struct code_push push;
	struct buf buf, two;
	put_group(&buf, PUSH_HEAD, 3);
	put_group(&two, "", 2);
	size_t one_bytes = two.bytes / 2;
	struct slice less = slice_from(buf.at, buf.bytes - one_bytes);
	assert_int_not_equal(code_take_push(less, &rules, &push), OK);
	assert_int_equal(buf_put(&buf, slice_from(two.at, one_bytes)), OK);
	assert_int_not_equal(code_take_push(buf_slice(&buf), &rules, &push), OK);
	buf_fini(&buf);
	buf_fini(&two);
}

static void data_beyond_the_bound_is_not_believed(void **state)
{
	(void)state;
	struct code_rules strict = rules;
	struct code_entry entry;
	struct buf buf;
	strict.data_bytes_max = 0;
	put_group(&buf, ENTRY_HEAD, 1);
	assert_int_not_equal(code_take_entry(buf_slice(&buf), &strict, &entry), OK);
	buf_fini(&buf);
}

static void more_events_than_numbers_are_refused(void **state)
{
	(void)state;
	struct code_push push;
	struct buf buf;
	put_group(&buf, "P" "0000010123456789" "00000000000001" "0123456789ab" "000000000000", 2);
	assert_int_not_equal(code_take_push(buf_slice(&buf), &rules, &push), OK);
	buf_fini(&buf);
}

static int teardown(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_entry_is_taken_as_it_was_put),
		TEST(no_part_of_an_entry_is_an_entry),
		TEST(a_push_gives_its_events_their_places),
		TEST(a_push_with_a_changed_byte_is_refused_or_as_harmless),
		TEST(a_group_comes_whole_or_not_at_all),
		TEST(data_beyond_the_bound_is_not_believed),
		TEST(more_events_than_numbers_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

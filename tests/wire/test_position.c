#include "wire/position.h"

#include "support.h"

static const char example[] = "1.k3x9q2ab-1042-9f86d081884c";

static void the_text_is_counter_random_sequence_and_tag(void **state)
{
	(void)state;
	struct position position;
	char text[POSITION_TEXT_MAX];

	assert_ok(position_parse(slice_of(example), &position));
	assert_int_equal(position_epoch_n(position.epoch), 1);
	assert_int_equal(position.seq, 1042);
	assert_int_equal(position.tag, 0x9f86d081884c);
	assert_int_equal(position_format(&position, text), sizeof example - 1);
	assert_string_equal(text, example);

	position = (struct position){ position_epoch(3, UINT64_C(0x0102030405)), 0, 0 };
	position_format(&position, text);
	assert_string_equal(text, "3.04106105-0-000000000000");
}

static void the_origin_is_zero(void **state)
{
	(void)state;
	struct position position = { 1, 2, 3 };
	char text[POSITION_TEXT_MAX];

	assert_ok(position_parse(SLICE("0"), &position));
	assert_true(position_is_origin(&position));
	assert_int_equal(position_format(&position, text), 1);
	assert_string_equal(text, "0");
	position.tag = 1;
	assert_false(position_is_origin(&position));
	position = (struct position){ 0, 1, 0 };
	assert_false(position_is_origin(&position));
	position = (struct position){ position_epoch(1, 0), 0, 0 };
	assert_false(position_is_origin(&position));
}

static void equal_is_equal_in_all_three_parts(void **state)
{
	(void)state;
	struct position a = { position_epoch(1, 5), 2, 3 };
	struct position others[] = {
		{ position_epoch(1, 6), 2, 3 }, { position_epoch(2, 5), 2, 3 },
		{ position_epoch(1, 5), 1, 3 }, { position_epoch(1, 5), 2, 4 },
		{ position_epoch(1, 6), 1, 3 }, { position_epoch(1, 6), 2, 4 },
	};
	struct position same = a;
	assert_true(position_equal(&a, &same));
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_false(position_equal(&a, &others[i]));
}

static void any_position_comes_back_from_its_text(void **state)
{
	(void)state;
	uint64_t seed = 11;

	for (int round = 0; round < 100000; round++) {
		uint32_t n = (uint32_t)(1 + draw_sized(&seed, (1 << 24) - 2));
		struct position position = {
			position_epoch(n, draw(&seed)),
			draw_sized(&seed, POSITION_SEQ_MAX),
			draw_sized(&seed, POSITION_TAG_MAX),
		};
		struct position back = { 0 };
		char text[POSITION_TEXT_MAX];
		size_t bytes = position_format(&position, text);

		assert_true(bytes < POSITION_TEXT_MAX);
		assert_int_equal(bytes, strlen(text));
		assert_ok(position_parse(slice_from(text, bytes), &back));
		assert_true(position_equal(&position, &back));

		/* Strict: what still parses after a change is another position, in its one form. */
		struct slice digits = SLICE("0123456789abcdefklouzAK.-+ ");
		text[draw_below(&seed, bytes)] = digits.at[draw_below(&seed, digits.bytes)];
		if (position_parse(slice_from(text, bytes), &back) == OK) {
			char again[POSITION_TEXT_MAX];
			assert_slice(slice_from(again, position_format(&back, again)),
				     slice_from(text, bytes));
		}
	}
}

static void the_greatest_numbers_fit(void **state)
{
	(void)state;
	struct position position = { UINT64_MAX, POSITION_SEQ_MAX, POSITION_TAG_MAX }, back;
	char text[POSITION_TEXT_MAX];

	position_format(&position, text);
	assert_string_equal(text, "16777215.zzzzzzzz-9007199254740991-ffffffffffff");
	assert_ok(position_parse(slice_of(text), &back));
	assert_true(position_equal(&position, &back));

	/* Even numbers that should not exist do not overrun. */
	position = (struct position){ UINT64_MAX, UINT64_MAX, UINT64_MAX };
	assert_true(position_format(&position, text) < POSITION_TEXT_MAX);
}

static void only_the_canonical_text_is_taken(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "00", "0 ", " 0", "-0", "+0", "1", "1.", "0.k3x9q2ab-1-9f86d081884c",
		"01.k3x9q2ab-1-9f86d081884c", "16777216.k3x9q2ab-1-9f86d081884c",
		"-1.k3x9q2ab-1-9f86d081884c", "1.k3x9q2a-1-9f86d081884c",
		"1.k3x9q2abc-1-9f86d081884c", "1.K3x9q2ab-1-9f86d081884c",
		"1.i3x9q2ab-1-9f86d081884c", "1.l3x9q2ab-1-9f86d081884c",
		"1.o3x9q2ab-1-9f86d081884c", "1.u3x9q2ab-1-9f86d081884c",
		"1.k3x9q2ab-01-9f86d081884c", "1.k3x9q2ab--9f86d081884c",
		"1.k3x9q2ab-00-9f86d081884c", "1.k3x9q2ab-+1-9f86d081884c",
		"1.k3x9q2ab-1e3-9f86d081884c", "1.k3x9q2ab-NaN-9f86d081884c",
		"1.k3x9q2ab-9007199254740992-9f86d081884c",
		"1.k3x9q2ab-99999999999999999999999999-9f86d081884c",
		"1.k3x9q2ab-18446744073709551617-9f86d081884c", "1.k3x9q2ab-1-9F86d081884c",
		"1.k3x9q2ab-1-9f86d081884", "1.k3x9q2ab-1-9f86d081884c0",
		"1.k3x9q2ab-1-9f86d081884g", "1.k3x9q2ab-1-9f86d081884c ",
		" 1.k3x9q2ab-1-9f86d081884c", "1.k3x9q2ab-1", "1.k3x9q2ab-1-",
		"1,k3x9q2ab-1-9f86d081884c", "1.k3x9q2ab_1_9f86d081884c", "latest", "null",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct position position = { 7, 7, 7 };
		struct slice text = exact_copy(slice_of(bad[i]));
		if (position_parse(text, &position) != ERR_SYNTAX)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(position.epoch, 7);
		exact_free(text);
	}
	for (size_t bytes = 0; bytes + 1 < sizeof example; bytes++) {
		struct position position;
		struct slice text = exact_copy(slice_from(example, bytes));
		assert_int_equal(position_parse(text, &position), ERR_SYNTAX);
		exact_free(text);
	}
	struct position position;
	struct slice with_nul = SLICE("1.k3x9q\0ab-1-9f86d081884c");
	assert_int_equal(position_parse(with_nul, &position), ERR_SYNTAX);
	assert_non_null(strstr(err_note_text(), "byte 7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_text_is_counter_random_sequence_and_tag),
		TEST(the_origin_is_zero),
		TEST(equal_is_equal_in_all_three_parts),
		TEST(any_position_comes_back_from_its_text),
		TEST(the_greatest_numbers_fit),
		TEST(only_the_canonical_text_is_taken),
	};
	return cmocka_run_group_tests_name("position", tests, NULL, NULL);
}

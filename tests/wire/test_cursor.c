#include "wire/cursor.h"

#include <stdio.h>

#include "base/hash.h"
#include "support.h"

enum { NAME_TEXT_MAX = 32 };

static char name_texts[CURSOR_STREAMS_MAX][NAME_TEXT_MAX];
static struct slice names[CURSOR_STREAMS_MAX];
static struct position positions[CURSOR_STREAMS_MAX];

static struct position draw_position(uint64_t *seed)
{
	if (draw_below(seed, 8) == 0)
		return (struct position){ 0 };
	return (struct position){
		position_epoch((uint32_t)(1 + draw_sized(seed, (1 << 24) - 2)), draw(seed)),
		draw_sized(seed, POSITION_SEQ_MAX),
		draw(seed) & POSITION_TAG_MAX,
	};
}

static void draw_places(uint64_t *seed)
{
	for (size_t i = 0; i < CURSOR_STREAMS_MAX; i++) {
		snprintf(name_texts[i], NAME_TEXT_MAX, "stream-%zu:%08x", i, (unsigned)draw(seed));
		names[i] = slice_of(name_texts[i]);
		positions[i] = draw_position(seed);
	}
}

/* Of the first `count` streams; buf is begun anew. */
static struct slice format(size_t count, struct buf *buf)
{
	buf_reset(buf);
	assert_ok(cursor_format(names, positions, count, buf));
	return buf_slice(buf);
}

static void assert_place(const struct cursor_place *place, size_t stream)
{
	assert_int_equal(place->found, CURSOR_FOUND);
	assert_true(position_equal(&place->position, &positions[stream]));
}

static void assert_all(enum cursor_found found, const struct cursor_place *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(places[i].found, found);
}

static void one_stream_has_its_plain_position(void **state)
{
	struct buf *buf = *state;
	struct cursor_place place;
	char text[POSITION_TEXT_MAX];

	positions[0] = (struct position){ position_epoch(1, 5), 42, 7 };
	size_t bytes = position_format(&positions[0], text);
	assert_slice(format(1, buf), slice_from(text, bytes));
	cursor_parse(buf_slice(buf), names, 1, &place);
	assert_place(&place, 0);

	cursor_parse(SLICE("0"), names, 1, &place);
	assert_int_equal(place.found, CURSOR_FOUND);
	assert_true(position_is_origin(&place.position));

	cursor_parse(SLICE("latest"), names, 1, &place);
	assert_int_equal(place.found, CURSOR_INVALID);
}

static void any_number_of_streams_comes_back_in_any_order(void **state)
{
	struct buf *buf = *state;
	uint64_t seed = 21;

	for (int round = 0; round < 500; round++) {
		size_t count = 1 + draw_below(&seed, CURSOR_STREAMS_MAX);
		size_t order[CURSOR_STREAMS_MAX];
		struct slice asked[CURSOR_STREAMS_MAX];
		struct cursor_place places[CURSOR_STREAMS_MAX];

		draw_places(&seed);
		struct slice text = format(count, buf);
		assert_true(text.bytes <= CURSOR_TEXT_MAX);

		for (size_t i = 0; i < count; i++) {
			size_t j = draw_below(&seed, i + 1);
			order[i] = order[j];
			order[j] = i;
		}
		for (size_t i = 0; i < count; i++)
			asked[i] = names[order[i]];
		cursor_parse(text, asked, count, places);
		for (size_t i = 0; i < count; i++)
			assert_place(&places[i], order[i]);
	}
}

static void four_streams_take_at_most_128_bytes(void **state)
{
	struct buf *buf = *state;
	uint64_t seed = 22;

	draw_places(&seed);
	for (size_t i = 0; i < 4; i++)
		positions[i] = (struct position){ position_epoch(16383, draw(&seed)), 1000000000,
						  POSITION_TAG_MAX };
	assert_true(format(4, buf).bytes <= 128);
	for (size_t i = 0; i < 4; i++)
		positions[i].epoch = position_epoch(100, draw(&seed));
	assert_true(format(4, buf).bytes <= 120);
}

static void only_bytes_that_need_no_preflight_are_used(void **state)
{
	static const char may[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789-._,";
	struct buf *buf = *state;
	uint64_t seed = 23;

	for (int round = 0; round < 100; round++) {
		draw_places(&seed);
		struct slice text = format(CURSOR_STREAMS_MAX, buf);
		for (size_t i = 0; i < text.bytes; i++)
			assert_non_null(memchr(may, text.at[i], sizeof may - 1));
	}
}

static void added_streams_are_absent_and_dropped_ones_do_no_harm(void **state)
{
	struct buf *buf = *state;
	uint64_t seed = 24;
	struct cursor_place places[6];

	draw_places(&seed);
	struct slice text = format(5, buf);
	struct slice asked[] = { names[9], names[4], names[10], names[1] };
	cursor_parse(text, asked, 4, places);
	assert_int_equal(places[0].found, CURSOR_ABSENT);
	assert_place(&places[1], 4);
	assert_int_equal(places[2].found, CURSOR_ABSENT);
	assert_place(&places[3], 1);

	cursor_parse(text, &names[2], 1, places);
	assert_place(&places[0], 2);
	cursor_parse(text, &names[20], 1, places);
	assert_int_equal(places[0].found, CURSOR_ABSENT);
}

static void an_empty_text_says_nothing_of_any_stream(void **state)
{
	(void)state;
	struct cursor_place places[3];
	cursor_parse(SLICE(""), names, 3, places);
	assert_all(CURSOR_ABSENT, places, 3);
	cursor_parse((struct slice){ 0 }, names, 3, places);
	assert_all(CURSOR_ABSENT, places, 3);
	cursor_parse(SLICE("m1.."), names, 1, places);
	assert_all(CURSOR_ABSENT, places, 1);
}

static void a_plain_position_cannot_be_laid_to_one_of_several_streams(void **state)
{
	(void)state;
	struct cursor_place places[2];
	cursor_parse(SLICE("1.k3x9q2ab-1042-9f86d081884c"), names, 2, places);
	assert_all(CURSOR_INVALID, places, 2);
}

/* The item in which the byte at `at` lies; its separator behind it belongs to both neighbours. */
static size_t item_of(struct slice text, size_t at)
{
	size_t item = 0;
	for (size_t i = 0; i < at; i++)
		item += text.at[i] == ',';
	return item;
}

static void any_changed_byte_disturbs_only_its_own_item(void **state)
{
	struct buf *buf = *state;
	uint64_t seed = 25;
	enum { COUNT = 5 };
	struct cursor_place places[COUNT];

	for (int round = 0; round < 20; round++) {
		draw_places(&seed);
		struct slice text = format(COUNT, buf);
		for (size_t at = 3; at < text.bytes; at++) {
			char was = buf->at[at];
			size_t item = item_of(text, at);
			size_t last_hit = item + (was == ',' ? 1 : 0);
			for (int byte = 0; byte < 256; byte++) {
				if ((char)byte == was)
					continue;
				buf->at[at] = (char)byte;
				struct slice copy = exact_copy(text);
				cursor_parse(copy, names, COUNT, places);
				exact_free(copy);
				for (size_t i = 0; i < COUNT; i++) {
					if (i < item || i > last_hit)
						assert_place(&places[i], i);
					else if (was != '.')
						assert_int_equal(places[i].found, CURSOR_INVALID);
				}
			}
			buf->at[at] = was;
		}
	}
}

static void a_text_cut_anywhere_loses_only_what_was_cut_and_says_so(void **state)
{
	struct buf *buf = *state;
	uint64_t seed = 26;
	enum { COUNT = 5 };
	struct cursor_place places[COUNT];

	for (int round = 0; round < 50; round++) {
		draw_places(&seed);
		struct slice text = format(COUNT, buf);
		for (size_t bytes = 1; bytes < text.bytes; bytes++) {
			struct slice cut = exact_copy(slice_from(text.at, bytes));
			/* Items that lie in it whole; behind the last comes the end mark. */
			size_t whole = bytes == text.bytes - 1 ? COUNT : item_of(text, bytes + 1);
			if (bytes < 3)
				whole = 0;
			cursor_parse(cut, names, COUNT, places);
			for (size_t i = 0; i < COUNT; i++) {
				if (i < whole)
					assert_place(&places[i], i);
				else
					assert_int_equal(places[i].found, CURSOR_INVALID);
			}
			exact_free(cut);
		}
		/* The beginning is cut: its form is unknown, so nothing is believed. */
		for (size_t at = 1; at < text.bytes; at++) {
			struct slice rest = slice_from(text.at + at, text.bytes - at);
			cursor_parse(rest, names, COUNT, places);
			assert_all(CURSOR_INVALID, places, COUNT);
		}
	}
}

static void a_wrong_form_is_invalid_for_every_stream(void **state)
{
	(void)state;
	static const char *const bad[] = { "m2..",  "m1",	"m",	    "M1..",
					   "m1.",   "m1.,.",	"m1.A.",    "m1.AAAA.",
					   "x",	    "m1. .",	"m1.====.", "0,0" };
	struct cursor_place places[3];
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct slice text = exact_copy(slice_of(bad[i]));
		cursor_parse(text, names, 3, places);
		assert_all(CURSOR_INVALID, places, 3);
		exact_free(text);
	}
}

static void texts_beyond_the_bounds_are_invalid(void **state)
{
	struct buf *buf = *state;
	uint64_t seed = 27;
	struct cursor_place places[CURSOR_STREAMS_MAX];

	/* 64 whole items and one more: what was read stands, what was not is not silently new. */
	draw_places(&seed);
	format(CURSOR_STREAMS_MAX, buf);
	buf->bytes--;
	assert_ok(buf_put_text(buf, ",AAAA."));
	struct slice asked[] = { names[0], SLICE("new") };
	cursor_parse(buf_slice(buf), asked, 2, places);
	assert_place(&places[0], 0);
	assert_int_equal(places[1].found, CURSOR_INVALID);

	while (buf->bytes <= CURSOR_TEXT_MAX)
		assert_ok(buf_put_text(buf, ",AAAA."));
	cursor_parse(buf_slice(buf), names, CURSOR_STREAMS_MAX, places);
	assert_all(CURSOR_INVALID, places, CURSOR_STREAMS_MAX);

	enum { TOO_MANY = CURSOR_STREAMS_MAX + 1 };
	buf_reset(buf);
	assert_int_equal(cursor_format(names, positions, TOO_MANY, buf), ERR_TOO_MANY);
	assert_int_equal(buf->bytes, 0);
}

/* Two names with the same 24 bits of hash are found by birthday among a few thousand. */
static void names_of_the_same_hash_are_told_apart_by_their_order(void **state)
{
	struct buf *buf = *state;
	enum { TRIES = 20000 };
	struct try {
		char text[NAME_TEXT_MAX];
		char item[5]; /* of the origin: begins with the hash */
	} *tries = mem_zalloc_array(TRIES, sizeof *tries);
	size_t a = 0, b = 0;
	assert_non_null(tries);

	for (size_t i = 0; i < TRIES && !b; i++) {
		struct position origin[2] = { { 0 }, { 0 } };
		snprintf(tries[i].text, NAME_TEXT_MAX, "n%zu", i);
		struct slice pair[] = { slice_of(tries[i].text), SLICE("x") };
		buf_reset(buf);
		assert_ok(cursor_format(pair, origin, 2, buf));
		memcpy(tries[i].item, buf->at + 3, 4);
		for (size_t k = 0; k < i && !b; k++) {
			if (memcmp(tries[k].item, tries[i].item, 4) == 0) {
				a = k;
				b = i;
			}
		}
	}
	assert_int_not_equal(b, 0);

	uint64_t seed = 28;
	draw_places(&seed);
	names[1] = slice_of(tries[a].text);
	names[3] = slice_of(tries[b].text);
	positions[1] = (struct position){ position_epoch(1, 1), 1, 1 };
	positions[3] = (struct position){ position_epoch(2, 2), 2, 2 };
	struct cursor_place places[5];
	cursor_parse(format(5, buf), names, 5, places);
	for (size_t i = 0; i < 5; i++)
		assert_place(&places[i], i);
	mem_free(tries);
}

static void the_text_is_the_same_for_ever(void **state)
{
	struct buf *buf = *state;
	struct slice two[] = { SLICE("a"), SLICE("news/eu") };
	struct position places[] = { { position_epoch(1, UINT64_C(0x123456789a)), 1042,
				       UINT64_C(0x9f86d081884c) },
				     { 0 } };

	/* Browsers keep ids over upgrades of the server. */
	buf_reset(buf);
	assert_ok(cursor_format(two, places, 2, buf));
	assert_slice(buf_slice(buf), SLICE("m1.0VxMARI0VniakgifhtCBiEwr,fLIjAKY."));
}

static void format_fails_whole(void **state)
{
	struct buf *buf = *state;
	uint64_t seed = 29;

	draw_places(&seed);
	size_t bytes = format(8, buf).bytes;
	for (size_t max = 0; max <= bytes; max++) {
		struct buf small;
		buf_init(&small, max);
		enum err err = cursor_format(names, positions, 8, &small);
		assert_int_equal(err, max < bytes ? ERR_TOO_BIG : OK);
		assert_int_equal(small.bytes, max < bytes ? 0 : bytes);
		buf_fini(&small);
	}
	struct buf empty;
	buf_init(&empty, 4096);
	mem_fail_after(0);
	assert_int_equal(cursor_format(names, positions, 8, &empty), ERR_NOMEM);
	assert_int_equal(empty.bytes, 0);
	buf_fini(&empty);
}

static int setup(void **state)
{
	static struct buf buf;
	uint64_t seed = 20;
	buf_init(&buf, 2 * CURSOR_TEXT_MAX);
	draw_places(&seed);
	*state = &buf;
	return 0;
}

static int teardown(void **state)
{
	buf_fini(*state);
	return memory_is_back(state);
}

int main(void)
{
#define CURSOR_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CURSOR_TEST(one_stream_has_its_plain_position),
		CURSOR_TEST(any_number_of_streams_comes_back_in_any_order),
		CURSOR_TEST(four_streams_take_at_most_128_bytes),
		CURSOR_TEST(only_bytes_that_need_no_preflight_are_used),
		CURSOR_TEST(added_streams_are_absent_and_dropped_ones_do_no_harm),
		CURSOR_TEST(an_empty_text_says_nothing_of_any_stream),
		CURSOR_TEST(a_plain_position_cannot_be_laid_to_one_of_several_streams),
		CURSOR_TEST(any_changed_byte_disturbs_only_its_own_item),
		CURSOR_TEST(a_text_cut_anywhere_loses_only_what_was_cut_and_says_so),
		CURSOR_TEST(a_wrong_form_is_invalid_for_every_stream),
		CURSOR_TEST(texts_beyond_the_bounds_are_invalid),
		CURSOR_TEST(names_of_the_same_hash_are_told_apart_by_their_order),
		CURSOR_TEST(the_text_is_the_same_for_ever),
		CURSOR_TEST(format_fails_whole),
	};
	return cmocka_run_group_tests_name("cursor", tests, NULL, NULL);
}

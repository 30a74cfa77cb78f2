#include "wire/utf8.h"

#include "naive.h"
#include "support.h"

/* After Markus Kuhn's decoder stress test, class by class. */
static const struct sample {
	const char *text;
	size_t bytes;
	size_t bad_at; /* GOOD, or where it goes wrong */
} samples[] = {
#define GOOD ((size_t)-1)
#define S(literal, bad_at) { literal, sizeof(literal) - 1, bad_at }
	/* 1 and 2: correct text, first and last of each length */
	S("", GOOD),
	S("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", GOOD),
	S("\x01", GOOD),
	S("\x7f", GOOD),
	S("\xc2\x80", GOOD),
	S("\xdf\xbf", GOOD),
	S("\xe0\xa0\x80", GOOD),
	S("\xef\xbf\xbf", GOOD),
	S("\xf0\x90\x80\x80", GOOD),
	S("\xf4\x8f\xbf\xbf", GOOD),
	S("\xed\x9f\xbf", GOOD),
	S("\xee\x80\x80", GOOD),
	S("\xef\xbf\xbd", GOOD),
	S("\xef\xbb\xbf", GOOD),
	S("\xf4\x90\x80\x80", 1), /* U+110000 */
	S("\xf7\xbf\xbf\xbf", 0),
	S("\xf8\x88\x80\x80\x80", 0),
	S("\xfb\xbf\xbf\xbf\xbf", 0),
	S("\xfc\x84\x80\x80\x80\x80", 0),
	S("\xfd\xbf\xbf\xbf\xbf\xbf", 0),
	/* 3.1: continuation bytes alone */
	S("\x80", 0),
	S("\xbf", 0),
	S("ab\x80\xbf", 2),
	S("abcdefghij\xbfklmnop", 10),
	/* 3.2: lead bytes alone */
	S("\xc2 ", 1),
	S("\xdf ", 1),
	S("\xe0 ", 1),
	S("\xef ", 1),
	S("\xf0 ", 1),
	S("\xf4 ", 1),
	S("\xf5 ", 0),
	/* 3.3: the last byte is missing */
	S("\xc3", 1),
	S("\xe0\xa0", 2),
	S("\xf0\x90\x80", 3),
	S("\xef\xbf", 2),
	S("\xf4\x8f\xbf", 3),
	S("\xf0\x90", 2),
	S("\xe1\x80\xc3\xa4", 2),
	/* 3.5: impossible bytes */
	S("\xfe", 0),
	S("\xff", 0),
	S("\xfe\xfe\xff\xff", 0),
	/* 4: overlong forms, the longest ones, and of NUL */
	S("\xc0\xaf", 0),
	S("\xe0\x80\xaf", 1),
	S("\xf0\x80\x80\xaf", 1),
	S("\xf8\x80\x80\x80\xaf", 0),
	S("\xc1\xbf", 0),
	S("\xe0\x9f\xbf", 1),
	S("\xf0\x8f\xbf\xbf", 1),
	S("\xc0\x80", 0),
	S("\xe0\x80\x80", 1),
	/* 5: surrogates, single and paired */
	S("\xed\xa0\x80", 1),
	S("\xed\xad\xbf", 1),
	S("\xed\xae\x80", 1),
	S("\xed\xaf\xbf", 1),
	S("\xed\xb0\x80", 1),
	S("\xed\xbf\xbf", 1),
	S("\xed\xa0\x80\xed\xb0\x80", 1),
	/* NUL, at each end of the fast path */
	S("\0", 0),
	S("abc\0", 3),
	S("abcdefgh\0ijklmno", 8),
	S("abcdefghi\0jklmno", 9),
	S("abcdefghijklmno\0p", 15),
#undef S
};

static void every_class_of_good_and_bad_text_is_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		struct slice text = exact_copy(slice_from(samples[i].text, samples[i].bytes));
		size_t bad_at = GOOD;
		enum err err = utf8_check(text, &bad_at);
		enum err wanted = samples[i].bad_at == GOOD ? OK : ERR_UTF8;
		if (err != wanted || bad_at != samples[i].bad_at)
			fail_msg("sample %zu: err %d at %zu", i, err, bad_at);
		exact_free(text);
	}
}

static void assert_agrees(struct slice text)
{
	assert_int_equal(utf8_check(text, NULL), naive_is_text(text) ? OK : ERR_UTF8);
}

static void every_text_of_two_bytes_and_many_of_four_agree_with_a_naive_decoder(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 0x10000; pair++) {
		unsigned char text[] = { (unsigned char)(pair >> 8), (unsigned char)pair };
		assert_agrees(slice_from((char *)text, 2));
	}

	/* Leads and continuations at the edges, four deep. */
	static const unsigned char edges[] = { 0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
					       0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
					       0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff };
	enum { N = COUNT_OF(edges) };
	for (unsigned i = 0; i < N * N * N * N; i++) {
		unsigned char text[] = { edges[i % N], edges[i / N % N], edges[i / N / N % N],
					 edges[i / N / N / N] };
		assert_agrees(slice_from((char *)text, 4));
	}
}

static void chunks_cut_anywhere_come_to_the_same(void **state)
{
	(void)state;
	uint64_t seed = 7;
	static const char pieces[][5] = { "a",		  "~",	  "\xc3\xa4",	 "\xe2\x82\xac",
					  "\xf0\x9f\x98\x80", "\xff", "\xed\xa0\x80" };

	for (int round = 0; round < 20000; round++) {
		char text[64];
		size_t bytes = 0, wanted_at = GOOD, at = 0, got_at = GOOD;
		while (bytes < 40 && draw_below(&seed, 16)) {
			/* The broken pieces are rare, so that most texts get far. */
			size_t pick = draw_below(&seed, draw_below(&seed, 16) ? 5 : 7);
			memcpy(text + bytes, pieces[pick], strlen(pieces[pick]));
			bytes += strlen(pieces[pick]);
		}
		if (bytes && !draw_below(&seed, 4))
			bytes--;
		enum err wanted = utf8_check(slice_from(text, bytes), &wanted_at);

		struct utf8 utf8 = { 0 };
		enum err got = OK;
		while (got == OK && at < bytes) {
			size_t take = 1 + draw_below(&seed, bytes - at);
			got = utf8_feed(&utf8, slice_from(text + at, take), &got_at);
			if (got)
				got_at += at;
			at += take;
		}
		if (got == OK) {
			got = utf8_end(&utf8);
			got_at = got ? bytes : GOOD;
		}
		assert_int_equal(got, wanted);
		assert_int_equal(got_at, wanted_at);
	}
}

static void a_refusal_leaves_the_state_as_it_was(void **state)
{
	(void)state;
	struct utf8 utf8 = { 0 };
	assert_ok(utf8_feed(&utf8, SLICE("\xe2\x82"), NULL));
	assert_int_equal(utf8_end(&utf8), ERR_UTF8);
	assert_int_equal(utf8_feed(&utf8, SLICE("x"), NULL), ERR_UTF8);
	assert_non_null(strstr(err_note_text(), "byte 0 (0x78)"));
	assert_ok(utf8_feed(&utf8, SLICE("\xac"), NULL));
	assert_ok(utf8_end(&utf8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_class_of_good_and_bad_text_is_told_apart),
		TEST(every_text_of_two_bytes_and_many_of_four_agree_with_a_naive_decoder),
		TEST(chunks_cut_anywhere_come_to_the_same),
		TEST(a_refusal_leaves_the_state_as_it_was),
	};
	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}

#include "wire/word.h"

#include "support.h"

enum question { ASCII_TEXT, PLAIN, LINE_END };

/* The same question about one byte, asked plainly; `yes` about a word needs every byte (or, of line
 * ends, any byte). */
static bool byte_is(enum question question, unsigned char byte)
{
	switch (question) {
	case ASCII_TEXT:
		return byte >= 0x01 && byte <= 0x7f;
	case PLAIN:
		return byte >= 0x20 && byte != '"' && byte != '\\';
	default:
		return byte == '\n' || byte == '\r';
	}
}

static void assert_answers(const unsigned char bytes[WORD_BYTES])
{
	unsigned count[3] = { 0 };
	for (int i = 0; i < WORD_BYTES; i++) {
		for (enum question question = ASCII_TEXT; question <= LINE_END; question++)
			count[question] += byte_is(question, bytes[i]);
	}
	uint64_t word = word_load((const char *)bytes);
	assert_int_equal(word_is_ascii_text(word), count[ASCII_TEXT] == WORD_BYTES);
	assert_int_equal(word_is_plain(word), count[PLAIN] == WORD_BYTES);
	assert_int_equal(word_has_line_end(word), count[LINE_END] > 0);
}

static void any_byte_at_any_place_is_seen(void **state)
{
	(void)state;
	static const unsigned char fillers[] = { 0x01, 0x20, 'a', 0x7f, 0x80, 0xff, 0x0b, 0x0e };
	for (size_t f = 0; f < COUNT_OF(fillers); f++) {
		for (int place = 0; place < WORD_BYTES; place++) {
			for (int byte = 0; byte < 256; byte++) {
				unsigned char bytes[WORD_BYTES];
				memset(bytes, fillers[f], sizeof bytes);
				bytes[place] = (unsigned char)byte;
				assert_answers(bytes);
			}
		}
	}
}

/* A borrow runs from one byte into the next; pairs at the edges show whether it does harm. */
static void neighbours_do_not_disturb_each_other(void **state)
{
	(void)state;
	static const unsigned char edges[] = { 0x00, 0x01, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x1f,
					       0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80,
					       0x81, 0x8a, 0x8d, 0xa0, 0xa2, 0xdc, 0xff };
	uint64_t seed = 81;
	for (int round = 0; round < 300000; round++) {
		unsigned char bytes[WORD_BYTES];
		for (int i = 0; i < WORD_BYTES; i++) {
			size_t pick = draw_below(&seed, 3 * COUNT_OF(edges));
			bytes[i] = pick < COUNT_OF(edges) ? edges[pick] : 'x';
		}
		assert_answers(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_byte_at_any_place_is_seen),
		TEST(neighbours_do_not_disturb_each_other),
	};
	return cmocka_run_group_tests_name("word", tests, NULL, NULL);
}

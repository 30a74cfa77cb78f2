#include "wire/name.h"

#include "support.h"

static char long_text[300];

static const char *const good_names[] = {
	"a", "Z", "0", "news", "user:42", "a/b/c", "a.b", "a..b", "a/.b", "a/b.", "a/..b", "a/...",
	"x@y+z~w_v-u:t.s", "chat/room-7/~me", "1", "a.", "a-",
};

static const struct bad_name {
	const char *name;
	const char *note; /* what the note must say */
} bad_names[] = {
	{ "", "empty" },
	{ "-a", "byte 0 ('-')" },
	{ ".a", "byte 0 ('.')" },
	{ ".", "byte 0 ('.')" },
	{ "..", "byte 0 ('.')" },
	{ "/a", "byte 0 ('/')" },
	{ "~a", "byte 0 ('~')" },
	{ "a//b", "byte 2 ('/')" },
	{ "a/", "byte 1 ('/')" },
	{ "a/./b", "byte 3 ('/')" },
	{ "a/../b", "byte 4 ('/')" },
	{ "a/..", "segment" },
	{ "a/.", "segment" },
	{ "a b", "byte 1 (' ')" },
	{ "a\n", "byte 1 (0x0a)" },
	{ "a%2f", "byte 1 ('%')" },
	{ "caf\xc3\xa9", "byte 3 (0xc3)" },
	{ "a?b", "byte 1 ('?')" },
	{ "a#b", "byte 1 ('#')" },
	{ "a*", "byte 1 ('*')" },
	{ "a\\b", "byte 1 ('\\')" },
	{ "a{b}", "byte 1 ('{')" },
	{ "a\x7f", "byte 1 (0x7f)" },
};

static void good_names_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good_names); i++)
		assert_ok(name_check(slice_of(good_names[i])));
}

static void each_rule_refuses_and_the_note_names_the_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_names); i++) {
		struct slice name = exact_copy(slice_of(bad_names[i].name));
		assert_int_equal(name_check(name), ERR_NAME);
		if (!strstr(err_note_text(), bad_names[i].note))
			fail_msg("\"%s\": note \"%s\" lacks \"%s\"", bad_names[i].name,
				 err_note_text(), bad_names[i].note);
		exact_free(name);
	}
}

static void exactly_the_listed_bytes_may_stand_in_a_name(void **state)
{
	(void)state;
	static const char listed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789-._~:@+/";
	for (int byte = 0; byte < 256; byte++) {
		char name[] = { 'a', (char)byte, 'b' };
		bool may = byte && strchr(listed, byte);
		assert_int_equal(name_check(slice_from(name, 3)), may ? OK : ERR_NAME);

		bool first = may && !strchr("-._~:@+/", byte);
		assert_int_equal(name_check(slice_from(name + 1, 2)), first ? OK : ERR_NAME);
	}
}

static void a_name_has_at_most_200_bytes(void **state)
{
	(void)state;
	assert_ok(name_check(slice_from(long_text, 200)));
	assert_int_equal(name_check(slice_from(long_text, 201)), ERR_NAME);
	assert_non_null(strstr(err_note_text(), "200"));
}

static void types_are_short_and_plain(void **state)
{
	(void)state;
	static const char listed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789._:-";
	for (int byte = 0; byte < 256; byte++) {
		char type = (char)byte;
		bool may = byte && strchr(listed, byte);
		assert_int_equal(type_check(slice_from(&type, 1)), may ? OK : ERR_SYNTAX);
	}
	assert_ok(type_check(slice_from(long_text, 64)));
	assert_int_equal(type_check(slice_from(long_text, 65)), ERR_SYNTAX);
	assert_int_equal(type_check(SLICE("")), ERR_SYNTAX);
	assert_int_equal(type_check(SLICE("a\rid: 1")), ERR_SYNTAX);
}

static void types_of_the_server_cannot_be_forged(void **state)
{
	(void)state;
	assert_int_equal(type_check(SLICE("tapecast.gap")), ERR_SYNTAX);
	assert_int_equal(type_check(SLICE("tapecast.")), ERR_SYNTAX);
	assert_ok(type_check(SLICE("tapecast")));
	assert_ok(type_check(SLICE("tapecast-x")));
	assert_ok(type_check(SLICE("my.tapecast.gap")));
}

static void keys_are_text_without_control_characters(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		enum err err;
	} keys[] = {
		{ "k", OK },
		{ "two words", OK },
		{ "gr\xc3\xbc\xc3\x9f", OK },
		{ "\xf0\x9f\x98\x80", OK },
		{ "\xc2\xa0", OK }, /* U+00A0, the first after the C1 controls */
		{ "\xe2\x80\xa8", OK },
		{ "", ERR_SYNTAX },
		{ "a\nb", ERR_SYNTAX },
		{ "a\tb", ERR_SYNTAX },
		{ "\x1f", ERR_SYNTAX },
		{ "\x7f", ERR_SYNTAX },
		{ "\xc2\x80", ERR_SYNTAX },
		{ "a\xc2\x9f", ERR_SYNTAX },
		{ "\xc2", ERR_UTF8 },
		{ "\xff", ERR_UTF8 },
		{ "\xed\xa0\x80", ERR_UTF8 },
	};
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct slice key = exact_copy(slice_of(keys[i].key));
		assert_int_equal(key_check(key), keys[i].err);
		exact_free(key);
	}
	assert_int_equal(key_check(slice_from("a\0b", 3)), ERR_UTF8);
	assert_ok(key_check(slice_from(long_text, 200)));
	assert_int_equal(key_check(slice_from(long_text, 201)), ERR_TOO_BIG);
}

static void idempotency_keys_are_printable_ascii(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		char idem = (char)byte;
		bool may = byte >= 0x21 && byte <= 0x7e;
		assert_int_equal(idem_check(slice_from(&idem, 1)), may ? OK : ERR_SYNTAX);
	}
	assert_int_equal(idem_check(SLICE("")), ERR_SYNTAX);
	assert_ok(idem_check(slice_from(long_text, 200)));
	assert_int_equal(idem_check(slice_from(long_text, 201)), ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_names_pass),
		TEST(each_rule_refuses_and_the_note_names_the_byte),
		TEST(exactly_the_listed_bytes_may_stand_in_a_name),
		TEST(a_name_has_at_most_200_bytes),
		TEST(types_are_short_and_plain),
		TEST(types_of_the_server_cannot_be_forged),
		TEST(keys_are_text_without_control_characters),
		TEST(idempotency_keys_are_printable_ascii),
	};
	memset(long_text, 'a', sizeof long_text);
	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}

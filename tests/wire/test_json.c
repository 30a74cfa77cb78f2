#include "wire/json.h"

#include "naive.h"
#include "support.h"

static const char *const good[] = {
	"null", "true", "false", "0", "-0", "1", "-1", "42", "0.5", "-0.5", "1.25e10", "1E400",
	"1e-9", "1E+2", "123456789012345678901234567890123456789012345678901234567890", "0e0",
	"0.000001", "\"\"", "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0000\"", "\"\\u001F\"",
	"\"\\uD834\\udd1e\"", "\"\\uDBFF\\uDFFF\"", "\"\\uE000\"", "\"caf\xc3\xa9\"",
	"\"\xf0\x9f\x98\x80\"", "\"\xe2\x80\xa8\"", "\"\x7f\"", "\"// no comment\"", "[]", "{}",
	"[ ]", "{ }", "[1]", "[1,2]", "[[],[[]],{}]", " [ 1 , 2 ] ", "\t\r\n {\"a\":1} \t\r\n",
	"{\"a\":{\"b\":[{}]}}", "{\"\":0}", "{\"a\":1,\"a\":2}", "{\"\\u0061\":1}",
	"[null,true,false]", "[\"[\",\"{\",\"]}\"]", "[-1.5e-3,\"x\",{\"k\":[]}]",
	"{\"a\\\"b\":\"c\\\\\"}", "\"12345678\"", "\"1234567\\n\"",
};

static const char *const bad[] = {
	"", " ", "nul", "nulll", "True", "NaN", "Infinity", "-Infinity", "undefined", "'a'", "01",
	"-01", "00", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "1e1.5", "0x10", "1 2", "1,",
	"--1", "1.2.3", "2a", "\"", "\"a", "\"a\\\"", "\"\\", "\"\\x\"", "\"\\a\"", "\"\\u\"",
	"\"\\u12\"", "\"\\u123g\"", "\"\\uD800\"", "\"\\uD800x\"", "\"\\uD800\\n\"",
	"\"\\uD800\\u0041\"", "\"\\uD800\\uD800\"", "\"\\uDC00\"", "\"\\uDC00\\uD800\"",
	"\"\\uD83d\\ude0\"", "\"a\nb\"", "\"a\tb\"", "\"\x1f\"", "\"a\" \"b\"", "[", "]", "[1",
	"[1,", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1}", "[\"a\"", "[}", "{", "}", "{\"a\"}",
	"{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{1:1}",
	"{\"a\":1 \"b\":2}", "{\"a\":1]", "{\"a\"::1}", "{\"a\":1}}", "[]]", "[] []", "{}{}",
	"/**/1", "1//", "[1]x", "\xef\xbb\xbf[]", "\xc2\xa0" "1", "\f1", "\v1", "tru\xc3\xa9",
	"[1,\n2,\n]", "{\"a\":\"b\",\"c\"}", "\"\\U0041\"", "truefalse", "[true false]", "-a",
	"1e1e1", "{\"a\":1,2}", "\"\\uD800", "{\"\\u12,\"b\":1}", "{\"\\u12}", "[\"a\":1]", ":",
	",",
};

static const struct slice bad_utf8[] = {
	{ "\"\xff\"", 3 },
	{ "\"\xc3\"", 3 },
	{ "\"\xed\xa0\x80\"", 5 },
	{ "\"\xc0\x80\"", 4 },
	{ "\"\xf4\x90\x80\x80\"", 6 },
	{ "\"a\0b\"", 5 },
	{ "1\0", 2 },
	{ "\"\xe2\x82", 3 },
};

static enum err check_copy(struct slice text)
{
	struct json_value value = { JSON_NULL, { NULL, 0 } };
	struct slice copy = exact_copy(text);
	enum err err = json_check(copy, &value);
	if (err == OK) {
		/* The value is the text without the space around it. */
		size_t start = 0;
		while (memchr(" \t\r\n", text.at[start], 4))
			start++;
		assert_ptr_equal(value.text.at, copy.at + start);
		assert_true(value.text.bytes >= 1);
		assert_null(memchr(" \t\r\n", value.text.at[value.text.bytes - 1], 4));
	} else {
		assert_null(value.text.at);
	}
	exact_free(copy);
	return err;
}

static void what_the_rfc_allows_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (check_copy(slice_of(good[i])) != OK)
			fail_msg("%s was refused: %s", good[i], err_note_text());
	}
}

static void what_the_rfc_forbids_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (check_copy(slice_of(bad[i])) != ERR_SYNTAX)
			fail_msg("%s was taken", bad[i]);
		assert_non_null(strstr(err_note_text(), "byte "));
	}
	for (size_t i = 0; i < COUNT_OF(bad_utf8); i++)
		assert_int_equal(check_copy(bad_utf8[i]), ERR_UTF8);
}

static void a_good_text_cut_anywhere_is_refused(void **state)
{
	(void)state;
	struct slice text = SLICE("{\"a\":[1.5e3,\"\\ud834\\udd1e\\n\",true,{\"b\":null}],"
				  "\"c\":false}");
	assert_ok(check_copy(text));
	for (size_t bytes = 0; bytes < text.bytes; bytes++)
		assert_int_equal(check_copy(slice_from(text.at, bytes)), ERR_SYNTAX);
}

/* Pieces that nearly fit make texts at the edge of the grammar. */
static void texts_made_at_random_are_judged_as_by_the_grammar(void **state)
{
	(void)state;
	static const char *const pieces[] = {
		"{", "}", "[", "]", ",", ":", "\"a\"", "\"\\u12aF\"", "\"\"", "1", "0", "-", ".5",
		"e+1", "true", "\"\\ud83d\\ude00\"", "null", "false", " ", "\n", "\"\\ud83d\"",
		"\"abcdefgh\\n\"", "\"\xc3\xa9\"", "\"\\\"\"", "[1,2]", "{\"a\":1}", "\t", "\"",
		"\xff", "x", "\\", "\x01",
	};
	uint64_t seed = 32;
	unsigned taken = 0;

	for (int round = 0; round < 100000; round++) {
		char text[200];
		size_t bytes = 0, count = 1 + draw_below(&seed, 9);
		/* The last few pieces break nearly anything: only some texts may have them. */
		size_t kinds = COUNT_OF(pieces) - (draw_below(&seed, 4) ? 5 : 0);
		for (size_t i = 0; i < count; i++) {
			const char *piece = pieces[draw_below(&seed, kinds)];
			memcpy(text + bytes, piece, strlen(piece));
			bytes += strlen(piece);
		}
		enum err err = check_copy(slice_from(text, bytes));
		taken += err == OK;
		if ((err == OK) != naive_is_json(slice_from(text, bytes)))
			fail_msg("%.*s: %s", (int)bytes, text, err ? err_note_text() : "taken");
	}
	assert_true(taken > 1000);
}

static void the_note_names_the_byte(void **state)
{
	(void)state;
	assert_int_equal(check_copy(SLICE("[1,2,x]")), ERR_SYNTAX);
	assert_non_null(strstr(err_note_text(), "byte 5"));
	assert_int_equal(check_copy(SLICE("{\"a\":1,}")), ERR_SYNTAX);
	assert_non_null(strstr(err_note_text(), "byte 7"));
	assert_int_equal(check_copy(SLICE("\"abcdefghijk\n\"")), ERR_SYNTAX);
	assert_non_null(strstr(err_note_text(), "byte 12"));
}

/* `depth` levels, of arrays and objects in turn. */
static struct slice nested(size_t depth, char *text)
{
	size_t bytes = 0;
	for (size_t i = 0; i < depth; i++) {
		struct slice open = i % 2 ? SLICE("{\"a\":") : SLICE("[");
		memcpy(text + bytes, open.at, open.bytes);
		bytes += open.bytes;
	}
	text[bytes++] = '1';
	for (size_t i = depth; i-- > 0;)
		text[bytes++] = i % 2 ? '}' : ']';
	return slice_from(text, bytes);
}

static void values_nest_128_deep_and_no_deeper(void **state)
{
	(void)state;
	char text[2048];
	assert_ok(check_copy(nested(128, text)));
	assert_int_equal(check_copy(nested(129, text)), ERR_SYNTAX);
	assert_non_null(strstr(err_note_text(), "deep"));

	/* Breadth is no depth. */
	size_t bytes = 0;
	for (int i = 0; i < 300; i++) {
		memcpy(text + bytes, i ? ",[]" : "[[]", 3);
		bytes += 3;
	}
	text[bytes++] = ']';
	assert_ok(check_copy(slice_from(text, bytes)));
}

static void sixty_four_kilobytes_of_brackets_are_refused(void **state)
{
	(void)state;
	static char text[65536];
	memset(text, '[', sizeof text);
	assert_int_equal(check_copy(slice_from(text, sizeof text)), ERR_SYNTAX);
	memset(text, '{', sizeof text);
	assert_int_equal(check_copy(slice_from(text, sizeof text)), ERR_SYNTAX);
	for (size_t i = 0; i + 5 <= sizeof text; i += 5)
		memcpy(text + i, "{\"\":[", 5);
	assert_int_equal(check_copy(slice_from(text, sizeof text)), ERR_SYNTAX);
}

static struct json_value checked(struct slice text)
{
	struct json_value value = { JSON_NULL, { NULL, 0 } };
	assert_ok(json_check(text, &value));
	return value;
}

static void a_walk_gives_each_member_in_order(void **state)
{
	(void)state;
	struct json_value object = checked(SLICE(
		" { \"a\" : 1 , \"b\\n\":[ {\"x\":\"]\"} , 2 ],\"c\":{}, \"\":\"q\\\"}\" ,"
		"\"e\": true\n,\"f\":-1.5e3,\"g\":null } "));
	static const struct {
		const char *name;
		enum json_kind kind;
		const char *text;
	} wanted[] = {
		{ "a", JSON_NUMBER, "1" },
		{ "b\\n", JSON_ARRAY, "[ {\"x\":\"]\"} , 2 ]" },
		{ "c", JSON_OBJECT, "{}" },
		{ "", JSON_STRING, "\"q\\\"}\"" },
		{ "e", JSON_TRUE, "true" },
		{ "f", JSON_NUMBER, "-1.5e3" },
		{ "g", JSON_NULL, "null" },
	};
	size_t at = 0, count = 0;
	struct slice name;
	struct json_value value;

	while (json_next(object, &at, &name, &value)) {
		assert_in_range(count, 0, COUNT_OF(wanted) - 1);
		assert_slice(name, slice_of(wanted[count].name));
		assert_int_equal(value.kind, wanted[count].kind);
		assert_slice(value.text, slice_of(wanted[count].text));
		count++;
	}
	assert_int_equal(count, COUNT_OF(wanted));
	assert_false(json_next(object, &at, &name, &value));
}

static void a_walk_of_an_array_gives_no_names(void **state)
{
	(void)state;
	struct json_value array = checked(SLICE("[false,[],\"\" , 0]"));
	static const enum json_kind kinds[] = { JSON_FALSE, JSON_ARRAY, JSON_STRING, JSON_NUMBER };
	size_t at = 0, count = 0;
	struct slice name;
	struct json_value value;

	while (json_next(array, &at, &name, &value)) {
		assert_int_equal(name.bytes, 0);
		assert_int_equal(value.kind, kinds[count++]);
	}
	assert_int_equal(count, COUNT_OF(kinds));

	static const char *const none[] = { "[]", "{}", "[ ]", "{\n}", "1", "\"[1]\"", "null" };
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		at = 0;
		assert_false(json_next(checked(slice_of(none[i])), &at, &name, &value));
	}
}

static void names_compare_unescaped_and_with_case(void **state)
{
	(void)state;
	assert_true(json_name_is(SLICE("data"), "data"));
	assert_true(json_name_is(SLICE("d\\u0061t\\u0061"), "data"));
	assert_true(json_name_is(SLICE("a\\/b\\n\\\"\\\\"), "a/b\n\"\\"));
	assert_true(json_name_is(SLICE("\\ud83d\\ude00"), "\xf0\x9f\x98\x80"));
	assert_true(json_name_is(SLICE("\\u20AC\\u00e9"), "\xe2\x82\xac\xc3\xa9"));
	assert_true(json_name_is(SLICE(""), ""));
	assert_false(json_name_is(SLICE("Data"), "data"));
	assert_false(json_name_is(SLICE("dat"), "data"));
	assert_false(json_name_is(SLICE("datas"), "data"));
	assert_false(json_name_is(SLICE("data\\u0000"), "data"));
	assert_false(json_name_is(SLICE("data\\u0000x"), "data"));
}

static void strings_come_back_unescaped(void **state)
{
	(void)state;
	static const char *const pairs[][2] = {
		{ "\"\"", "" },
		{ "\"plain\"", "plain" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
		{ "\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
		  "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"",
		  "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
		{ "\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
		{ "\"a\\nb\xc3\xa9\\n\"", "a\nb\xc3\xa9\n" },
	};
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		struct buf buf;
		buf_init(&buf, 100);
		assert_ok(buf_put_text(&buf, ">"));
		assert_ok(json_string(checked(slice_of(pairs[i][0])), &buf));
		assert_slice(slice_from(buf.at + 1, buf.bytes - 1), slice_of(pairs[i][1]));
		buf_fini(&buf);
	}
}

static void what_cannot_be_text_is_refused_and_leaves_the_buffer_alone(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 8);
	assert_ok(buf_put_text(&buf, "ab"));
	assert_int_equal(json_string(checked(SLICE("\"x\\u0000y\"")), &buf), ERR_SYNTAX);
	assert_int_equal(json_string(checked(SLICE("7")), &buf), ERR_SYNTAX);
	assert_int_equal(json_string(checked(SLICE("\"abc\\ndefgh\"")), &buf), ERR_TOO_BIG);
	assert_slice(buf_slice(&buf), SLICE("ab"));
	/* Escapes may be long if what they stand for fits. */
	struct slice escapes = SLICE("\"\\u0061\\u0062\\u0063\\u0064\\u0065\\u0066\"");
	assert_ok(json_string(checked(escapes), &buf));
	assert_slice(buf_slice(&buf), SLICE("ababcdef"));
	buf_fini(&buf);
}

static void any_text_survives_quoting(void **state)
{
	(void)state;
	uint64_t seed = 31;
	struct buf quoted, back;
	buf_init(&quoted, 4096);
	buf_init(&back, 4096);

	for (int round = 0; round < 20000; round++) {
		char text[80];
		size_t bytes = draw_below(&seed, 60);
		for (size_t i = 0; i < bytes;) {
			static const char *const some[] = { "a",    "\"",	 "\\",	"\x1f",
							    "\x7f", "\xc3\xa9", "\xe2\x80\xa8",
							    " ",    "/",	 "\x01" };
			const char *piece = some[draw_below(&seed, 1 + draw_below(&seed, 10))];
			memcpy(text + i, piece, strlen(piece));
			i += strlen(piece);
			bytes = i > bytes ? i : bytes;
		}
		if (bytes)
			text[draw_below(&seed, bytes)] &= 0x7f;
		struct slice plain = slice_from(text, bytes);
		buf_reset(&quoted);
		buf_reset(&back);
		struct slice copy = exact_copy(plain);
		assert_ok(json_quote(copy, &quoted));
		exact_free(copy);
		for (size_t i = 0; i < quoted.bytes; i++)
			assert_true((unsigned char)quoted.at[i] >= 0x20);

		struct json_value value;
		enum err err = json_check(buf_slice(&quoted), &value);
		if (err == ERR_UTF8) /* a letter has taken the place of half a character */
			continue;
		assert_ok(err);
		err = json_string(value, &back);
		assert_int_equal(err, memchr(text, 0, bytes) ? ERR_SYNTAX : OK);
		if (err == OK)
			assert_slice(buf_slice(&back), plain);
	}
	buf_fini(&quoted);
	buf_fini(&back);
}

static void quotes_are_as_short_as_they_can_be(void **state)
{
	(void)state;
	struct buf buf;
	buf_init(&buf, 100);
	assert_ok(json_quote(slice_from("\0\x1f\b\t\n\f\r\"\\/\x7f", 11), &buf));
	assert_slice(buf_slice(&buf), SLICE("\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/\x7f\""));
	buf_fini(&buf);

	buf_init(&buf, 5);
	assert_int_equal(json_quote(SLICE("ab\n"), &buf), ERR_TOO_BIG);
	assert_int_equal(buf.bytes, 0);
	assert_ok(json_quote(SLICE("abc"), &buf));
	buf_fini(&buf);

	/* Room for exactly what is written is enough. */
	for (int byte = 0; byte < 256; byte++) {
		char text = (char)byte;
		buf_init(&buf, 100);
		assert_ok(json_quote(slice_from(&text, 1), &buf));
		size_t exact = buf.bytes;
		buf_fini(&buf);
		buf_init(&buf, exact);
		assert_ok(json_quote(slice_from(&text, 1), &buf));
		buf_fini(&buf);
	}
}

static void whole_numbers_are_read_exactly_or_not_at_all(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum err err;
		uint64_t number;
	} numbers[] = {
		{ "0", OK, 0 },
		{ "9007199254740991", OK, (UINT64_C(1) << 53) - 1 },
		{ "9007199254740992", ERR_RANGE, 0 },
		{ "18446744073709551617", ERR_RANGE, 0 },
		{ "-0", ERR_RANGE, 0 },
		{ "-1", ERR_RANGE, 0 },
		{ "1.0", ERR_RANGE, 0 },
		{ "1e2", ERR_RANGE, 0 },
		{ "\"1\"", ERR_RANGE, 0 },
		{ "true", ERR_RANGE, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		uint64_t number = 7;
		enum err err = json_u64(checked(slice_of(numbers[i].text)), &number);
		assert_int_equal(err, numbers[i].err);
		assert_int_equal(number, err ? 7 : numbers[i].number);
	}
}

static void no_memory_is_an_error_and_no_loss(void **state)
{
	(void)state;
	struct json_value value = checked(SLICE("\"a\\nb\""));
	struct buf buf;
	buf_init(&buf, 100);
	mem_fail_after(0);
	assert_int_equal(json_string(value, &buf), ERR_NOMEM);
	assert_int_equal(json_quote(SLICE("x"), &buf), ERR_NOMEM);
	mem_fail_after(-1);
	assert_int_equal(buf.bytes, 0);
	assert_ok(json_string(value, &buf));
	buf_fini(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_rfc_allows_is_taken),
		TEST(what_the_rfc_forbids_is_refused),
		TEST(a_good_text_cut_anywhere_is_refused),
		TEST(texts_made_at_random_are_judged_as_by_the_grammar),
		TEST(the_note_names_the_byte),
		TEST(values_nest_128_deep_and_no_deeper),
		TEST(sixty_four_kilobytes_of_brackets_are_refused),
		TEST(a_walk_gives_each_member_in_order),
		TEST(a_walk_of_an_array_gives_no_names),
		TEST(names_compare_unescaped_and_with_case),
		TEST(strings_come_back_unescaped),
		TEST(what_cannot_be_text_is_refused_and_leaves_the_buffer_alone),
		TEST(any_text_survives_quoting),
		TEST(quotes_are_as_short_as_they_can_be),
		TEST(whole_numbers_are_read_exactly_or_not_at_all),
		TEST(no_memory_is_an_error_and_no_loss),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

#include "wire/query.h"

#include "support.h"

static void a_uri_splits_at_the_first_question_mark(void **state)
{
	(void)state;
	static const char *const uris[][3] = {
		{ "/a/b?x=1", "/a/b", "x=1" },	{ "/a", "/a", "" }, { "/a?", "/a", "" },
		{ "/a?b?c", "/a", "b?c" },	{ "?x", "", "x" },  { "", "", "" },
		{ "/a%3fb?c", "/a%3fb", "c" },
	};
	for (size_t i = 0; i < COUNT_OF(uris); i++) {
		struct slice path, query;
		query_split(slice_of(uris[i][0]), &path, &query);
		assert_slice(path, slice_of(uris[i][1]));
		assert_slice(query, slice_of(uris[i][2]));
	}
}

static const struct decoding {
	const char *text;
	enum err err;
	const char *path; /* what it comes to */
} decodings[] = {
	{ "", OK, "" },
	{ "/v1/streams/a", OK, "/v1/streams/a" },
	{ "a+b", OK, "a+b" },
	{ "a%20b", OK, "a b" },
	{ "%41%5a%2F%2f%2B", OK, "AZ//+" },
	{ "%C3%A9", OK, "\xc3\xa9" },
	{ "%25%32%30", OK, "%20" },
	{ "\xc3\xa9", OK, "\xc3\xa9" },
	{ "%", ERR_SYNTAX, NULL },
	{ "a%", ERR_SYNTAX, NULL },
	{ "%4", ERR_SYNTAX, NULL },
	{ "%4g", ERR_SYNTAX, NULL },
	{ "%g4", ERR_SYNTAX, NULL },
	{ "%%41", ERR_SYNTAX, NULL },
	{ "% 1", ERR_SYNTAX, NULL },
	{ "%u0041", ERR_SYNTAX, NULL },
	{ "a%00", ERR_SYNTAX, NULL },
	{ "%ff", ERR_UTF8, NULL },
	{ "%C3", ERR_UTF8, NULL },
	{ "\xc3", ERR_UTF8, NULL },
	{ "%C0%80", ERR_UTF8, NULL },
	{ "%ED%A0%80", ERR_UTF8, NULL },
};

static void a_path_is_decoded_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(decodings); i++) {
		struct buf buf;
		struct slice text = exact_copy(slice_of(decodings[i].text));
		buf_init(&buf, 100);
		assert_ok(buf_put_text(&buf, ">"));
		assert_int_equal(query_decode_path(text, &buf), decodings[i].err);
		const char *wanted = decodings[i].path ? decodings[i].path : "";
		assert_int_equal(buf.at[0], '>');
		assert_slice(slice_from(buf.at + 1, buf.bytes - 1), slice_of(wanted));
		exact_free(text);
		buf_fini(&buf);
	}
}

static void parameters_come_in_order_and_decoded(void **state)
{
	(void)state;
	struct slice query = SLICE("stream=a&&stream=b%2Fc&x=1+2%2B3&flag&empty=&a=b=c&=v&"
				   "%6bey=%C3%A9&");
	static const char *const wanted[][2] = {
		{ "stream", "a" }, { "stream", "b/c" }, { "x", "1 2+3" }, { "flag", "" },
		{ "empty", "" },   { "a", "b=c" },	{ "", "v" },	  { "key", "\xc3\xa9" },
	};
	struct slice name, value, names[COUNT_OF(wanted)], values[COUNT_OF(wanted)];
	struct buf scratch;
	size_t at = 0, count = 0;
	enum err err;

	buf_init(&scratch, query.bytes);
	while ((err = query_next(query, &at, &scratch, &name, &value)) == OK) {
		assert_in_range(count, 0, COUNT_OF(wanted) - 1);
		names[count] = name;
		values[count++] = value;
	}
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_int_equal(count, COUNT_OF(wanted));
	/* All slices hold to the end. */
	for (size_t i = 0; i < count; i++) {
		assert_slice(names[i], slice_of(wanted[i][0]));
		assert_slice(values[i], slice_of(wanted[i][1]));
	}
	buf_fini(&scratch);
}

static void a_broken_parameter_names_its_byte(void **state)
{
	(void)state;
	static const struct {
		const char *query;
		enum err err;
		const char *note;
	} broken[] = {
		{ "a=1&b=%zz", ERR_SYNTAX, "byte 6" },
		{ "a=1&b%=2", ERR_SYNTAX, "byte 5" },
		{ "a=1&b=x%0", ERR_SYNTAX, "byte 7" },
		{ "a=1&b=%00", ERR_SYNTAX, "byte 6" },
		{ "a=1&b=%ff", ERR_UTF8, "byte 6" },
		{ "a=1&b=\xff", ERR_UTF8, "byte 6" },
		{ "a=1&\xff=b", ERR_UTF8, "byte 4" },
	};
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		struct slice query = exact_copy(slice_of(broken[i].query)), name, value;
		struct buf scratch;
		size_t at = 0;
		buf_init(&scratch, 100);
		assert_ok(query_next(query, &at, &scratch, &name, &value));
		assert_int_equal(query_next(query, &at, &scratch, &name, &value), broken[i].err);
		assert_non_null(strstr(err_note_text(), broken[i].note));
		exact_free(query);
		buf_fini(&scratch);
	}
}

/* Escapes at random what may be escaped, and always what must be. */
static void put_escaped(struct buf *buf, uint64_t *seed, struct slice text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		char byte = text.at[i];
		if (byte == ' ' && draw_below(seed, 2))
			assert_ok(buf_put_byte(buf, '+'));
		else if (strchr("%&=+ ", byte) || !draw_below(seed, 3))
			assert_ok(buf_putf(buf, draw_below(seed, 2) ? "%%%02x" : "%%%02X",
					   (unsigned)(unsigned char)byte));
		else
			assert_ok(buf_put_byte(buf, byte));
	}
}

static void any_parameters_come_back(void **state)
{
	(void)state;
	uint64_t seed = 61;
	struct slice alphabet = SLICE("abcXYZ019 %&=+/?#\x01~-._");

	for (int round = 0; round < 5000; round++) {
		char texts[8][16];
		struct slice wanted[8], name, value;
		struct buf query, scratch;
		size_t pairs = draw_below(&seed, 5), at = 0;

		buf_init(&query, 4096);
		buf_init(&scratch, 4096);
		for (size_t i = 0; i < 2 * pairs; i++) {
			/* A parameter of nothing at all would not be one. */
			size_t bytes = draw_below(&seed, 15) + (i % 2 ? 0 : 1);
			wanted[i] = draw_text(&seed, alphabet, texts[i], bytes);
			put_escaped(&query, &seed, wanted[i]);
			assert_ok(buf_put_byte(&query, i % 2 ? '&' : '='));
		}
			struct slice copy = exact_copy(buf_slice(&query));
		for (size_t i = 0; i < pairs; i++) {
			assert_ok(query_next(copy, &at, &scratch, &name, &value));
			assert_slice(name, wanted[2 * i]);
			assert_slice(value, wanted[2 * i + 1]);
		}
		assert_int_equal(query_next(copy, &at, &scratch, &name, &value), ERR_NOT_FOUND);
		exact_free(copy);
		buf_fini(&query);
		buf_fini(&scratch);
	}
}

static void too_little_room_is_an_error(void **state)
{
	(void)state;
	struct slice name, value;
	struct buf scratch;
	size_t at = 0;

	buf_init(&scratch, 3);
	assert_int_equal(query_decode_path(SLICE("abcd"), &scratch), ERR_TOO_BIG);
	assert_int_equal(query_next(SLICE("a=b+c%20d"), &at, &scratch, &name, &value), ERR_TOO_BIG);
	assert_int_equal(scratch.bytes, 0);
	mem_fail_after(0);
	at = 0;
	buf_fini(&scratch);
	assert_int_equal(query_decode_path(SLICE("ab"), &scratch), ERR_NOMEM);
	assert_int_equal(query_next(SLICE("b+"), &at, &scratch, &name, &value), ERR_NOMEM);
	buf_fini(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_uri_splits_at_the_first_question_mark),
		TEST(a_path_is_decoded_or_refused),
		TEST(parameters_come_in_order_and_decoded),
		TEST(a_broken_parameter_names_its_byte),
		TEST(any_parameters_come_back),
		TEST(too_little_room_is_an_error),
	};
	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}

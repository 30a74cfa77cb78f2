#include "wire/sse.h"

#include "support.h"
#include "whatwg.h"

static struct sse_reader reader;

/* What the whole body in one chunk must give. NULL data: a block without. */
struct wanted {
	const char *type, *data, *id;
};

static void assert_events(struct slice body, const struct wanted *wanted, size_t count)
{
	struct slice chunk = exact_copy(body), rest = chunk;
	struct sse_event event;

	sse_reader_init(&reader, 1000);
	for (size_t i = 0; i < count; i++) {
		assert_ok(sse_next(&reader, &rest, &event));
		assert_slice(event.type, slice_of(wanted[i].type));
		assert_int_equal(event.has_data, wanted[i].data != NULL);
		assert_slice(event.data, slice_of(wanted[i].data ? wanted[i].data : ""));
		assert_slice(event.id, slice_of(wanted[i].id));
		assert_int_equal(reader.events, i + 1);
	}
	assert_int_equal(sse_next(&reader, &rest, &event), ERR_AGAIN);
	assert_int_equal(rest.bytes, 0);
	exact_free(chunk);
	sse_reader_fini(&reader);
}

#define EVENTS(body, ...)                                                                          \
	do {                                                                                       \
		const struct wanted wanted_[] = { __VA_ARGS__ };                                   \
		assert_events(SLICE(body), wanted_, COUNT_OF(wanted_));                            \
	} while (0)

static void the_examples_of_the_standard_come_out_as_it_says(void **state)
{
	(void)state;
	EVENTS("data: YHOO\ndata: +2\ndata: 10\n\n", { "", "YHOO\n+2\n10", "" });
	EVENTS(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n"
	       "data:  third event\n",
	       { "", "first event", "1" }, { "", "second event", "" });
	EVENTS("data\n\ndata\ndata\n\ndata:", { "", "", "" }, { "", "\n", "" });
	EVENTS("data:test\n\ndata: test\n\n", { "", "test", "" }, { "", "test", "" });
	EVENTS("event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
	       { "add", "73857293", "" }, { "remove", "2153", "" });
}

static void fields_are_read_by_their_exact_names(void **state)
{
	(void)state;
	EVENTS("Data: x\nDATA: y\ndata : z\n data: w\ndatas: v\nfoo: bar\ndata: ok\n\n",
	       { "", "ok", "" });
	EVENTS("event\ndata: a\n\nevent: x\nevent: y\ndata: b\n\n", { "", "a", "" },
	       { "y", "b", "" });
	EVENTS("data:a:b: c\n\n", { "", "a:b: c", "" });
	EVENTS("data: \xff\n\n", { "", "\xff", "" });
}

static void ids_last_and_ids_with_nul_are_none(void **state)
{
	(void)state;
	EVENTS("id: 1\ndata: a\n\ndata: b\n\nid: 2\0\ndata: c\n\nid:\ndata: d\n\n",
	       { "", "a", "1" }, { "", "b", "1" }, { "", "c", "1" }, { "", "d", "" });
}

static void blocks_without_data_are_given_if_they_set_something(void **state)
{
	(void)state;
	EVENTS("id: 7\n\n\n\n: c\n\nretry: 5\n\nevent: x\n\ndata: a\n\n", { "", NULL, "7" },
	       { "x", NULL, "7" }, { "", "a", "7" });
}

static void has_id_tells_which_block_set_it(void **state)
{
	(void)state;
	struct slice body = SLICE("id: 1\ndata: a\n\ndata: b\n\n");
	struct sse_event event;
	sse_reader_init(&reader, 100);
	assert_ok(sse_next(&reader, &body, &event));
	assert_true(event.has_id);
	assert_ok(sse_next(&reader, &body, &event));
	assert_false(event.has_id);
	sse_reader_fini(&reader);
}

static void the_last_retry_of_digits_counts(void **state)
{
	(void)state;
	struct slice body = SLICE("retry: 10\nretry: 3000\nretry: 5s\nretry: -1\nretry:\n"
				  "retry: 1.5\n"
				  "retry: 99999999999999999999999\nretry: 9999999999999999999\n");
	struct sse_event event;
	sse_reader_init(&reader, 100);
	assert_int_equal(reader.retry_ms, -1);
	assert_int_equal(sse_next(&reader, &body, &event), ERR_AGAIN);
	assert_int_equal(reader.retry_ms, 3000);
	sse_reader_fini(&reader);
}

static void one_bom_at_the_start_is_dropped(void **state)
{
	(void)state;
	EVENTS("\xef\xbb\xbf" "data: a\n\n\xef\xbb\xbf" "data: b\n\n", { "", "a", "" });
	EVENTS("\xef\xbb\xbf\xef\xbb\xbf" "data: a\n\ndata: b\n\n", { "", "b", "" });
	EVENTS("\xef\xbb\xbf\n\xef\xbb\xbf" "data: a\n\ndata: b\n\n", { "", "b", "" });
	EVENTS("\xef\xbb\xbf:c\ndata: b\n\n", { "", "b", "" });
}

/* Feeds body in chunks cut at random and compares with the standard's reading of the whole. */
static void assert_agrees(struct slice body, uint64_t *seed, size_t chunk_bytes_max)
{
	struct whatwg whatwg;
	struct sse_event event;
	size_t at = 0, count = 0;

	whatwg_read(&whatwg, body);
	sse_reader_init(&reader, 1000);
	while (at < body.bytes) {
		size_t take = 1 + draw_below(seed, chunk_bytes_max);
		take = take > body.bytes - at ? body.bytes - at : take;
		struct slice chunk = exact_copy(slice_from(body.at + at, take)), rest = chunk;
		enum err err;

		while ((err = sse_next(&reader, &rest, &event)) == OK) {
			if (!event.has_data)
				continue;
			assert_true(count < whatwg.count);
			assert_slice(event.type, whatwg.events[count].type);
			assert_slice(event.data, whatwg.events[count].data);
			assert_slice(event.id, whatwg.events[count].id);
			count++;
		}
		assert_int_equal(err, ERR_AGAIN);
		exact_free(chunk);
		at += take;
	}
	assert_int_equal(count, whatwg.count);
	sse_reader_fini(&reader);
	whatwg_free(&whatwg);
}

static void any_body_in_any_chunks_is_read_as_the_standard_says(void **state)
{
	(void)state;
	static const char *const pieces[] = {
		"data",	 ":",	   " ",	    "\n",	     "\r",	    "\r\n",
		"\n\n",	 "x",	   "id",    "event",	     "data: ",	    "\r\r",
		"id: 4", "event:", "id: 5", "\xef\xbb\xbf", "retry: 5\n", "more than a word",
	};
	uint64_t seed = 71;

	for (int round = 0; round < 20000; round++) {
		char text[600];
		size_t bytes = 0, count = draw_below(&seed, 14);
		for (size_t i = 0; i < count; i++) {
			const char *piece = pieces[draw_below(&seed, COUNT_OF(pieces))];
			memcpy(text + bytes, piece, strlen(piece));
			bytes += strlen(piece);
			if (!draw_below(&seed, 40))
				text[bytes++] = (char)draw(&seed);
		}
		assert_agrees(slice_from(text, bytes), &seed, 1 + draw_below(&seed, 20));
	}
}

static enum err read_all(struct slice body, size_t bytes_max)
{
	struct sse_event event;
	enum err err;
	sse_reader_init(&reader, bytes_max);
	while ((err = sse_next(&reader, &body, &event)) == OK)
		;
	if (err != ERR_AGAIN) {
		/* An error is for good, and another block does not mend it. */
		struct slice more = SLICE("\n\ndata: x\n\n");
		assert_int_equal(sse_next(&reader, &more, &event), err);
	}
	sse_reader_fini(&reader);
	return err;
}

static void an_event_is_bounded_and_comments_are_not(void **state)
{
	(void)state;
	assert_int_equal(read_all(SLICE("data: 12345\n\ndata: 67890\n\n"), 5), ERR_AGAIN);
	assert_int_equal(read_all(SLICE("data: 123456\n\n"), 5), ERR_TOO_BIG);
	assert_non_null(strstr(err_note_text(), "event 1 "));
	assert_int_equal(read_all(SLICE("data: 12\ndata: 34\n\n"), 5), ERR_AGAIN);
	assert_int_equal(read_all(SLICE("data: 12\ndata: 345\n\n"), 5), ERR_TOO_BIG);
	assert_int_equal(read_all(SLICE("event: ab\ndata: 123\n\n"), 5), ERR_AGAIN);
	assert_int_equal(read_all(SLICE("event: abc\ndata: 123\n\n"), 5), ERR_TOO_BIG);
	assert_int_equal(read_all(SLICE("id: abc\ndata: 123\n\n"), 5), ERR_TOO_BIG);
	assert_int_equal(read_all(SLICE("id: abcde\n\ndata: 12345\n\n"), 5), ERR_AGAIN);
	assert_int_equal(read_all(SLICE("data\ndata\ndata\ndata\ndata\ndata\n\n"), 5), ERR_AGAIN);
	struct slice seven = SLICE("data\ndata\ndata\ndata\ndata\ndata\ndata\n\n");
	assert_int_equal(read_all(seven, 5), ERR_TOO_BIG);

	/* Cut so that lines must be held: a comment is not, a line of unknown name is. */
	char text[4096];
	memset(text, 'x', sizeof text);
	struct sse_event event;
	struct slice half = slice_from(text, sizeof text), colon = SLICE(":");
	sse_reader_init(&reader, 50);
	assert_int_equal(sse_next(&reader, &colon, &event), ERR_AGAIN);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(sse_next(&reader, &half, &event), ERR_AGAIN);
		half = slice_from(text, sizeof text);
	}
	struct slice rest = SLICE("\ndata: a\n\n");
	assert_ok(sse_next(&reader, &rest, &event));
	assert_slice(event.data, SLICE("a"));
	assert_int_equal(sse_next(&reader, &half, &event), ERR_TOO_BIG);
	sse_reader_fini(&reader);
}

static void no_memory_at_any_place_is_an_error(void **state)
{
	(void)state;
	struct slice body = SLICE("event: a\nid: 1\ndata: b\ndata: c\n\nda");
	for (long n = 0;; n++) {
		assert_in_range(n, 0, 20);
		mem_fail_after(n);
		enum err err = read_all(body, 100);
		mem_fail_after(-1);
		assert_int_equal(mem_live(), 0);
		if (err == ERR_AGAIN)
			return;
		assert_int_equal(err, ERR_NOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_examples_of_the_standard_come_out_as_it_says),
		TEST(fields_are_read_by_their_exact_names),
		TEST(ids_last_and_ids_with_nul_are_none),
		TEST(blocks_without_data_are_given_if_they_set_something),
		TEST(has_id_tells_which_block_set_it),
		TEST(the_last_retry_of_digits_counts),
		TEST(one_bom_at_the_start_is_dropped),
		TEST(any_body_in_any_chunks_is_read_as_the_standard_says),
		TEST(an_event_is_bounded_and_comments_are_not),
		TEST(no_memory_at_any_place_is_an_error),
	};
	return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}

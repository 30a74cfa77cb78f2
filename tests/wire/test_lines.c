#include "wire/lines.h"

#include "support.h"

static void lines_of_one_chunk_are_not_copied(void **state)
{
	(void)state;
	struct lines lines;
	struct slice chunk = SLICE("a\nbb\r\n\n\r\nc\rd\n"), line;
	static const char *const wanted[] = { "a", "bb", "", "", "c\rd" };

	uint64_t calls_before = mem_calls();
	lines_init(&lines, 100);
	const char *start = chunk.at, *end = chunk.at + chunk.bytes;
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		assert_ok(lines_next(&lines, &chunk, &line));
		assert_slice(line, slice_of(wanted[i]));
		assert_true(line.at >= start && line.at < end);
		assert_int_equal(lines.number, i + 1);
	}
	assert_int_equal(lines_next(&lines, &chunk, &line), ERR_AGAIN);
	assert_int_equal(lines_last(&lines, &line), ERR_AGAIN);
	assert_int_equal(mem_calls(), calls_before);
	lines_fini(&lines);
}

static void any_chunking_gives_the_same_lines(void **state)
{
	(void)state;
	uint64_t seed = 51;

	for (int round = 0; round < 20000; round++) {
		char text[64] = "";
		size_t bytes_drawn = draw_below(&seed, 60);
		struct slice body = draw_text(&seed, SLICE("ab\r\n\n"), text, bytes_drawn);
		struct lines lines;
		size_t at = 0, wanted_at = 0;
		uint64_t number = 0;

		lines_init(&lines, 60);
		while (at < body.bytes) {
			size_t take = 1 + draw_below(&seed, body.bytes - at);
			struct slice chunk = exact_copy(slice_from(body.at + at, take)), line;
			struct slice rest = chunk;
			enum err err;

			while ((err = lines_next(&lines, &rest, &line)) == OK) {
				size_t bytes = 0;
				while (text[wanted_at + bytes] != '\n')
					bytes++;
				assert_true(wanted_at + bytes < body.bytes);
				size_t next_at = wanted_at + bytes + 1;
				if (bytes && text[wanted_at + bytes - 1] == '\r')
					bytes--;
				assert_slice(line, slice_from(text + wanted_at, bytes));
				assert_int_equal(lines.number, ++number);
				wanted_at = next_at;
			}
			assert_int_equal(err, ERR_AGAIN);
			assert_int_equal(rest.bytes, 0);
			exact_free(chunk);
			at += take;
		}

		struct slice line;
		enum err err = lines_last(&lines, &line);
		assert_int_equal(err, wanted_at < body.bytes ? OK : ERR_AGAIN);
		if (err == OK) {
			size_t bytes = body.bytes - wanted_at;
			if (text[body.bytes - 1] == '\r')
				bytes--;
			assert_slice(line, slice_from(text + wanted_at, bytes));
			assert_int_equal(lines_last(&lines, &line), ERR_AGAIN);
		}
		lines_fini(&lines);
	}
}

static void a_line_may_be_as_long_as_the_bound_and_no_longer(void **state)
{
	(void)state;
	static const char *const fits[] = { "12345\n", "12345\r\n" };
	static const char *const too_long[] = { "123456\n", "123456\r\n", "12345\r6\n", "1234567" };

	for (size_t i = 0; i < COUNT_OF(fits) + COUNT_OF(too_long); i++) {
		bool fit = i < COUNT_OF(fits);
		struct slice body = slice_of(fit ? fits[i] : too_long[i - COUNT_OF(fits)]);
		for (size_t cut = 0; cut <= body.bytes; cut++) {
			struct lines lines;
			struct slice line, chunk = slice_from(body.at, cut);
			lines_init(&lines, 5);
			enum err err = lines_next(&lines, &chunk, &line);
			chunk = slice_from(body.at + cut, body.bytes - cut);
			if (err == ERR_AGAIN && chunk.bytes)
				err = lines_next(&lines, &chunk, &line);
			assert_int_equal(err, fit ? OK : ERR_TOO_BIG);
			if (!fit) {
				assert_non_null(strstr(err_note_text(), "line 1 "));
				chunk = SLICE("\nok\n");
				assert_int_equal(lines_next(&lines, &chunk, &line), ERR_TOO_BIG);
				assert_int_equal(lines_last(&lines, &line), ERR_TOO_BIG);
			}
			lines_fini(&lines);
		}
	}
}

static void no_memory_ends_the_reading(void **state)
{
	(void)state;
	struct lines lines;
	struct slice chunk = SLICE("abc"), line;

	lines_init(&lines, 1000);
	mem_fail_after(0);
	assert_int_equal(lines_next(&lines, &chunk, &line), ERR_NOMEM);
	mem_fail_after(-1);
	chunk = SLICE("d\n");
	assert_int_equal(lines_next(&lines, &chunk, &line), ERR_NOMEM);
	lines_fini(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_of_one_chunk_are_not_copied),
		TEST(any_chunking_gives_the_same_lines),
		TEST(a_line_may_be_as_long_as_the_bound_and_no_longer),
		TEST(no_memory_ends_the_reading),
	};
	return cmocka_run_group_tests_name("lines", tests, NULL, NULL);
}

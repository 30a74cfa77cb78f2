#include "wire/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"

static void texts_of_the_standard_go_both_ways(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes, text;
	} rows[] = { /* RFC 4648, section 10, and the two digits of this alphabet */
		{ { "", 0 }, { "", 0 } },	      { { "f", 1 }, { "Zg", 2 } },
		{ { "fo", 2 }, { "Zm8", 3 } },	      { { "foo", 3 }, { "Zm9v", 4 } },
		{ { "foob", 4 }, { "Zm9vYg", 6 } },   { { "fooba", 5 }, { "Zm9vYmE", 7 } },
		{ { "foobar", 6 }, { "Zm9vYmFy", 8 } }, { { "\xfb\xff\xbf", 3 }, { "-_-_", 4 } },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf buf;
		buf_init(&buf, 100);
		assert_int_equal(buf_put(&buf, SLICE("before ")), OK);
		assert_int_equal(base64url_encode(rows[i].bytes, &buf), OK);
		assert_int_equal(buf.bytes - 7, BASE64URL_TEXT(rows[i].bytes.bytes));
		assert_true(slice_equal(slice_from(buf.at + 7, buf.bytes - 7), rows[i].text));
		buf_reset(&buf);
		assert_int_equal(base64url_decode(rows[i].text, &buf), OK);
		assert_true(slice_equal(buf_slice(&buf), rows[i].bytes));
		buf_fini(&buf);
	}
}

static void every_byte_survives_at_every_length(void **state)
{
	(void)state;
	uint8_t bytes[300], again[BASE64URL_BYTES(BASE64URL_TEXT(300))];
	char text[BASE64URL_TEXT(300)];
	for (size_t count = 0; count <= sizeof bytes; count++) {
		for (size_t i = 0; i < count; i++)
			bytes[i] = (uint8_t)(i * 151 + count);
		size_t text_bytes = (size_t)(base64url_write(bytes, count, text) - text);
		assert_int_equal(text_bytes, BASE64URL_TEXT(count));
		size_t again_count = SIZE_MAX;
		assert_int_equal(base64url_read(slice_from(text, text_bytes), again, &again_count),
				 OK);
		assert_int_equal(again_count, count);
		assert_memory_equal(again, bytes, count);
	}
}

static void what_could_be_written_otherwise_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "Z", "Zm9vY", "Zg==", "Zm8=", "Z g", "Zg\n", "Zm+v",
					   "Zm/v", "Zh", "Zm9", "Zm9vYh" };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf buf;
		buf_init(&buf, 100);
		assert_int_equal(buf_put(&buf, SLICE("kept")), OK);
		assert_int_equal(base64url_decode(slice_of(bad[i]), &buf), ERR_SYNTAX);
		assert_true(slice_equal(buf_slice(&buf), SLICE("kept")));
		buf_fini(&buf);
	}
}

static int nothing_lives(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, nothing_lives)
	const struct CMUnitTest tests[] = {
		TEST(texts_of_the_standard_go_both_ways),
		TEST(every_byte_survives_at_every_length),
		TEST(what_could_be_written_otherwise_is_refused),
	};
	return cmocka_run_group_tests_name("base64url", tests, NULL, NULL);
}

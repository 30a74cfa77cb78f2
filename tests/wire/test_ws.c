#include "wire/ws.h"

#include "support.h"

#include "wire/ws_key.h"

enum { MESSAGE_MAX = 70000, FRAGMENTS_MAX = 5 };

static const uint8_t mask[WS_MASK_BYTES] = { 0x37, 0xfa, 0x21, 0x3d };

/* Everything that a stream holds, written down: "kind code payload|" for each thing found. */
static void write_down(struct buf *log, enum ws_found found, unsigned code, struct slice payload)
{
	bool coded = found == WS_FOUND_CLOSE || found == WS_FOUND_BROKEN;
	assert_ok(buf_putf(log, "%d %u ", (int)found, coded ? code : 0));
	if (found != WS_FOUND_BROKEN)
		assert_ok(buf_put(log, payload));
	assert_ok(buf_put_text(log, "|"));
}

static void read_piece(struct ws_reader *reader, struct slice piece, struct buf *log)
{
	struct slice payload = SLICE("");
	enum ws_found found;
	while ((found = ws_read(reader, &piece, &payload)) != WS_FOUND_NOTHING) {
		write_down(log, found, reader->code, payload);
		if (found == WS_FOUND_CLOSE || found == WS_FOUND_BROKEN)
			assert_int_equal(piece.bytes, 0);
	}
	assert_int_equal(piece.bytes, 0);
}

/* step 0: pieces of random lengths. */
static void read_stepwise(struct slice stream, enum ws_side side, size_t step, struct buf *log)
{
	struct ws_reader reader;
	uint64_t seed = stream.bytes;
	ws_reader_init(&reader, side, MESSAGE_MAX, FRAGMENTS_MAX);
	for (size_t at = 0; at < stream.bytes;) {
		size_t count = step ? step : 1 + draw_below(&seed, 4000);
		count = count < stream.bytes - at ? count : stream.bytes - at;
		struct slice piece = exact_copy(slice_from(stream.at + at, count));
		read_piece(&reader, piece, log);
		exact_free(piece);
		at += count;
	}
	ws_reader_fini(&reader);
}

/* However it is cut, `wanted` is found in the stream. */
static void assert_found(struct slice stream, enum ws_side side, struct slice wanted)
{
	static const size_t steps[] = { 1, 2, 3, 7, 0, MESSAGE_MAX * 2 };
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		struct buf log;
		buf_init(&log, 1 << 20);
		read_stepwise(stream, side, steps[i], &log);
		assert_slice(buf_slice(&log), wanted);
		buf_fini(&log);
	}
}

/* A client's frame, whose first byte is given whole. */
static void put_raw(struct buf *stream, unsigned first, struct slice payload)
{
	size_t at = stream->bytes;
	assert_ok(ws_frame_masked(WS_TEXT, payload, mask, stream));
	stream->at[at] = (char)first;
}

struct raw {
	unsigned first;
	struct slice payload;
};

static void assert_raws(const struct raw *raws, size_t count, const char *wanted)
{
	struct buf stream;
	buf_init(&stream, 1 << 20);
	for (size_t i = 0; i < count; i++)
		put_raw(&stream, raws[i].first, raws[i].payload);
	assert_found(buf_slice(&stream), WS_SERVER, slice_of(wanted));
	buf_fini(&stream);
}

#define ASSERT_RAWS(wanted, ...)                                                                   \
	do {                                                                                       \
		const struct raw raws_[] = { __VA_ARGS__ };                                        \
		assert_raws(raws_, COUNT_OF(raws_), wanted);                                       \
	} while (0)

static void the_examples_of_the_standard_are_read_and_written(void **state)
{
	(void)state;
	assert_found(SLICE("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), WS_SERVER,
		     SLICE("1 0 Hello|"));
	assert_found(SLICE("\x81\x05Hello"), WS_CLIENT, SLICE("1 0 Hello|"));
	assert_found(SLICE("\x01\x03Hel\x80\x02lo"), WS_CLIENT, SLICE("1 0 Hello|"));
	assert_found(SLICE("\x89\x05Hello"), WS_CLIENT, SLICE("3 0 Hello|"));

	struct buf buf;
	buf_init(&buf, 100);
	assert_ok(ws_frame(WS_TEXT, SLICE("Hello"), &buf));
	assert_ok(ws_frame_masked(WS_TEXT, SLICE("Hello"), mask, &buf));
	assert_slice(buf_slice(&buf),
		     SLICE("\x81\x05Hello\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
	buf_fini(&buf);

	char accept[WS_ACCEPT_TEXT_BYTES], key[WS_KEY_TEXT_BYTES];
	assert_ok(ws_key_accept(SLICE("dGhlIHNhbXBsZSBub25jZQ=="), accept));
	assert_memory_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", sizeof accept);
	ws_key_write((const uint8_t *)"the sample nonce", key);
	assert_memory_equal(key, "dGhlIHNhbXBsZSBub25jZQ==", sizeof key);
}

static void a_head_has_the_shortest_length_there_is(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		struct slice head;
	} rows[] = {
		{ 0, { "\x82\x00", 2 } },
		{ 125, { "\x82\x7d", 2 } },
		{ 126, { "\x82\x7e\x00\x7e", 4 } },
		{ 65535, { "\x82\x7e\xff\xff", 4 } },
		{ 65536, { "\x82\x7f\0\0\0\0\0\x01\0\0", 10 } },
		{ UINT64_C(0x0102030405060708), { "\x82\x7f\1\2\3\4\5\6\7\x08", 10 } },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char head[WS_HEAD_BYTES_MAX];
		size_t bytes = ws_frame_head(WS_BINARY, rows[i].bytes, head);
		assert_slice(slice_from(head, bytes), rows[i].head);
	}
}

static void every_length_comes_through_masked_and_plain(void **state)
{
	(void)state;
	static const size_t lengths[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 124,
					  125, 126, 127, 128, 1000, 65535, 65536, MESSAGE_MAX };
	uint64_t seed = 7;
	char *bytes = mem_alloc(MESSAGE_MAX + 8);
	assert_non_null(bytes);
	for (size_t i = 0; i < MESSAGE_MAX + 8; i++)
		bytes[i] = (char)draw(&seed);
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		struct slice payload = slice_from(bytes + i % 8, lengths[i]);
		struct buf wanted, plain, masked;
		buf_init(&wanted, 1 << 20);
		buf_init(&plain, 1 << 20);
		buf_init(&masked, 1 << 20);
		write_down(&wanted, WS_FOUND_BINARY, 0, payload);
		assert_ok(ws_frame(WS_BINARY, payload, &plain));
		assert_ok(ws_frame_masked(WS_BINARY, payload, mask, &masked));
		assert_found(buf_slice(&plain), WS_CLIENT, buf_slice(&wanted));
		assert_found(buf_slice(&masked), WS_SERVER, buf_slice(&wanted));
		buf_fini(&wanted);
		buf_fini(&plain);
		buf_fini(&masked);
	}
	mem_free(bytes);
}

static void control_frames_come_between_fragments(void **state)
{
	(void)state;
	/* The pings come inside a character. */
	ASSERT_RAWS("3 0 p|3 0 |4 0 q|1 0 K\xc3\xb6ln\xe2\x82\xac|2 0 \xff|",
		    { 0x01, SLICE("K\xc3") }, { 0x89, SLICE("p") }, { 0x00, SLICE("\xb6ln\xe2") },
		    { 0x89, SLICE("") }, { 0x00, SLICE("\x82") }, { 0x8a, SLICE("q") },
		    { 0x80, SLICE("\xac") }, { 0x82, SLICE("\xff") });
	ASSERT_RAWS("1 0 |1 0 |2 0 x|", { 0x01, SLICE("") }, { 0x00, SLICE("") },
		    { 0x80, SLICE("") }, { 0x81, SLICE("") }, { 0x82, SLICE("x") });
	/* A close ends it all, and what follows is not looked at. */
	ASSERT_RAWS("1 0 one|5 1000 bye|", { 0x81, SLICE("one") }, { 0x01, SLICE("half") },
		    { 0x88, SLICE("\x03\xe8" "bye") }, { 0x81, SLICE("two") });
}

static void what_the_standard_forbids_is_refused_with_its_code(void **state)
{
	(void)state;
	static const unsigned reserved[] = { 0xc1, 0xa1, 0x91, 0xf1, 0xc9, 0x83, 0x84, 0x85, 0x86,
					     0x87, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x80, 0x00, 0x08,
					     0x09, 0x0a };
	for (size_t i = 0; i < COUNT_OF(reserved); i++)
		ASSERT_RAWS("1 0 a|6 1002 |", { 0x81, SLICE("a") }, { reserved[i], SLICE("b") },
			    { 0x81, SLICE("c") });
	ASSERT_RAWS("6 1002 |", { 0x01, SLICE("a") }, { 0x81, SLICE("b") });
	ASSERT_RAWS("6 1002 |", { 0x02, SLICE("a") }, { 0x01, SLICE("b") });
	ASSERT_RAWS("3 0 \x03\xe8|6 1002 |", { 0x89, SLICE("\x03\xe8") }, { 0x88, SLICE("\x03") });
	ASSERT_RAWS("6 1007 |", { 0x88, SLICE("\x03\xe8\xff") });
	ASSERT_RAWS("6 1007 |", { 0x88, SLICE("\x03\xe8\xc3") });
	ASSERT_RAWS("5 1005 |", { 0x88, SLICE("") });
	ASSERT_RAWS("6 1007 |", { 0x81, SLICE("a\xc3") });
	ASSERT_RAWS("6 1007 |", { 0x01, SLICE("\xed") }, { 0x80, SLICE("\xa0\x80") });
	ASSERT_RAWS("6 1007 |", { 0x81, SLICE("\xc0\x80") });
	ASSERT_RAWS("2 0 \xc3|", { 0x82, SLICE("\xc3") });
	assert_found(SLICE("\x81\x05Hello"), WS_SERVER, SLICE("6 1002 |"));
	assert_found(SLICE("\x81\x81\1\2\3\4\5"), WS_CLIENT, SLICE("6 1002 |"));
	/* Lengths that could be shorter; the top bit; a control frame of 126 bytes. */
	assert_found(SLICE("\x82\xfe\x00\x7d\0\0\0\0"), WS_SERVER, SLICE("6 1002 |"));
	assert_found(SLICE("\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0"), WS_SERVER, SLICE("6 1002 |"));
	assert_found(SLICE("\x82\xff\x80\0\0\0\0\0\0\x01\0\0\0\0"), WS_SERVER, SLICE("6 1002 |"));
	assert_found(SLICE("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), WS_SERVER,
		     SLICE("6 1002 |"));
	assert_found(SLICE("\x89\xfe\x00\x7e\0\0\0\0"), WS_SERVER, SLICE("6 1002 |"));
	assert_found(SLICE("\x88\xfe\x00\x7e\0\0\0\0"), WS_SERVER, SLICE("6 1002 |"));
	assert_found(SLICE("\x89\xff\0\0\0\0\0\1\0\0\0\0\0\0"), WS_SERVER, SLICE("6 1002 |"));
}

static void text_may_hold_nul(void **state)
{
	(void)state;
	assert_found(SLICE("\x81\x03" "a\0b"), WS_CLIENT, SLICE("1 0 a\0b|"));
}

static void bad_text_is_refused_before_the_frame_has_ended(void **state)
{
	(void)state;
	struct ws_reader reader;
	struct slice bytes = SLICE("\x81\x7e\x10\x00" "fine\xff"), payload;
	ws_reader_init(&reader, WS_CLIENT, MESSAGE_MAX, FRAGMENTS_MAX);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_BROKEN);
	assert_int_equal(reader.code, WS_CODE_UTF8);
	ws_reader_fini(&reader);
}

static void bounds_hold_at_the_head(void **state)
{
	(void)state;
	struct ws_reader reader;
	/* 70,001 bytes are announced, and none of them is waited for. */
	struct slice bytes = SLICE("\x82\xff\0\0\0\0\0\x01\x11\x71\0\0\0\0"), payload;
	ws_reader_init(&reader, WS_SERVER, MESSAGE_MAX, FRAGMENTS_MAX);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_BROKEN);
	assert_int_equal(reader.code, WS_CODE_TOO_BIG);
	ws_reader_fini(&reader);

	/* Nor does a length that is only announced take memory. */
	bytes = SLICE("\x82\xff\0\0\0\0\0\x01\x11\x70\0\0\0\0");
	ws_reader_init(&reader, WS_SERVER, MESSAGE_MAX, FRAGMENTS_MAX);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_NOTHING);
	assert_int_equal(mem_live(), 0);
	ws_reader_fini(&reader);
}

static void a_message_is_bounded_in_all_its_fragments(void **state)
{
	(void)state;
	char *half = mem_zalloc(MESSAGE_MAX / 2 + 1);
	assert_non_null(half);
	ASSERT_RAWS("3 0 |6 1009 |", { 0x02, slice_from(half, MESSAGE_MAX / 2) },
		    { 0x89, SLICE("") }, { 0x80, slice_from(half, MESSAGE_MAX / 2 + 1) });
	mem_free(half);
	ASSERT_RAWS("1 0 abcde|1 0 fghij|6 1008 |",
		    { 0x01, SLICE("a") }, { 0x00, SLICE("b") }, { 0x00, SLICE("c") },
		    { 0x00, SLICE("d") }, { 0x80, SLICE("e") }, { 0x01, SLICE("f") },
		    { 0x00, SLICE("g") }, { 0x00, SLICE("h") }, { 0x00, SLICE("i") },
		    { 0x80, SLICE("j") }, { 0x01, SLICE("k") }, { 0x00, SLICE("l") },
		    { 0x00, SLICE("m") }, { 0x00, SLICE("n") }, { 0x00, SLICE("o") },
		    { 0x80, SLICE("p") });
}

static void close_codes_are_those_that_may_be_sent(void **state)
{
	(void)state;
	static const unsigned registered[] = { 1000, 1001, 1002, 1003, 1007, 1008,
					       1009, 1010, 1011, 1012, 1013, 1014 };
	for (unsigned code = 0; code <= UINT16_MAX; code++) {
		bool good = code >= 3000 && code <= 4999;
		for (size_t i = 0; i < COUNT_OF(registered); i++)
			good = good || code == registered[i];
		assert_int_equal(ws_code_is_sendable(code), good);
	}
	ASSERT_RAWS("6 1002 |", { 0x88, SLICE("\x03\xed") });
	ASSERT_RAWS("5 4999 |", { 0x88, SLICE("\x13\x87") });
}

static void a_close_reason_is_cut_between_characters(void **state)
{
	(void)state;
	char payload[WS_CONTROL_BYTES_MAX];
	char reason[200];
	assert_int_equal(ws_close_payload(WS_CODE_NONE, SLICE("x"), payload), 0);
	assert_slice(slice_from(payload, ws_close_payload(WS_CODE_SLOW, SLICE("slow"), payload)),
		     SLICE("\x11\x38slow"));
	memset(reason, 'a', sizeof reason);
	assert_int_equal(ws_close_payload(WS_CODE_DONE, slice_from(reason, 123), payload), 125);
	assert_int_equal(ws_close_payload(WS_CODE_DONE, slice_from(reason, 200), payload), 125);
	memcpy(reason + 121, "\xe2\x82\xac", 3);
	assert_int_equal(ws_close_payload(WS_CODE_DONE, slice_from(reason, 200), payload), 123);
	assert_int_equal(ws_close_payload(WS_CODE_DONE, slice_from(reason, 124), payload), 123);
}

static void nothing_is_kept_for_one_that_is_silent(void **state)
{
	(void)state;
	struct ws_reader reader;
	struct slice bytes = SLICE("\x81\x05Hello\x89\x01p\x01\x01" "a\x80\x01" "b"), payload;
	ws_reader_init(&reader, WS_CLIENT, MESSAGE_MAX, FRAGMENTS_MAX);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_TEXT);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_PING);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_TEXT);
	assert_int_not_equal(mem_live(), 0);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_NOTHING);
	assert_int_equal(mem_live(), 0);
	assert_true(sizeof reader <= 128);
}

static void without_memory_it_breaks_in_an_orderly_way(void **state)
{
	(void)state;
	struct ws_reader reader;
	struct slice bytes = SLICE("\x81\x05Hello"), payload;
	ws_reader_init(&reader, WS_CLIENT, MESSAGE_MAX, FRAGMENTS_MAX);
	mem_fail_after(0);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_BROKEN);
	mem_fail_after(-1);
	assert_int_equal(reader.code, WS_CODE_INTERNAL);
	assert_int_equal(ws_read(&reader, &bytes, &payload), WS_FOUND_NOTHING);
	ws_reader_fini(&reader);
}

static void a_key_is_base64_of_sixteen_bytes(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=",
					   "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZ===",
					   "dGhlIHNhbXBsZSBub25j ZQ=", "dGhlIHNhbXBsZSBub25_ZQ==",
					   "dGhlIHNhbXBsZSBub25jZQ=a" };
	char accept[WS_ACCEPT_TEXT_BYTES];
	assert_ok(ws_key_check(SLICE("dGhlIHNhbXBsZSBub25jZQ==")));
	assert_ok(ws_key_check(SLICE("+/+/+/+/+/+/+/+/+/+/+w==")));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(ws_key_check(slice_of(bad[i])), ERR_SYNTAX);
	assert_int_equal(ws_key_accept(SLICE("short"), accept), ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_examples_of_the_standard_are_read_and_written),
		TEST(a_head_has_the_shortest_length_there_is),
		TEST(every_length_comes_through_masked_and_plain),
		TEST(control_frames_come_between_fragments),
		TEST(what_the_standard_forbids_is_refused_with_its_code),
		TEST(text_may_hold_nul),
		TEST(bad_text_is_refused_before_the_frame_has_ended),
		TEST(bounds_hold_at_the_head),
		TEST(a_message_is_bounded_in_all_its_fragments),
		TEST(close_codes_are_those_that_may_be_sent),
		TEST(a_close_reason_is_cut_between_characters),
		TEST(nothing_is_kept_for_one_that_is_silent),
		TEST(without_memory_it_breaks_in_an_orderly_way),
		TEST(a_key_is_base64_of_sixteen_bytes),
	};
	return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}

#include "wire/encode.h"

#include "support.h"
#include "whatwg.h"
#include "wire/json.h"
#include "wire/sse.h"
#include "wire/utf8.h"
#include "wire/when.h"

static const struct position example = { UINT64_C(1) << 40 | UINT64_C(0x123456789a), 1042,
					 UINT64_C(0x9f86d081884c) };

static struct encode_event plain_event(struct slice data)
{
	return (struct encode_event){
		.stream = SLICE("a/b"),
		.data = data,
		.position = example,
		.has_position = true,
		.wall_ms = UINT64_C(1795525200250),
	};
}

static void assert_sse(const struct encode_event *event, const char *wanted)
{
	struct buf buf;
	buf_init(&buf, 1000);
	assert_ok(encode_sse(event, &buf));
	assert_slice(buf_slice(&buf), slice_of(wanted));
	buf_fini(&buf);
}

static void assert_json(const struct encode_event *event, const char *wanted)
{
	struct buf buf;
	buf_init(&buf, 1000);
	assert_ok(encode_json(event, &buf));
	assert_slice(buf_slice(&buf), slice_of(wanted));
	buf_fini(&buf);
}

#define ID "1.28t5cy4t-1042-9f86d081884c"

static void an_sse_frame_has_type_data_and_the_id_last(void **state)
{
	(void)state;
	struct encode_event event = plain_event(SLICE("hello"));
	assert_sse(&event, "data: hello\nid: " ID "\n\n");
	event.type = SLICE("token");
	event.key = SLICE("k");
	assert_sse(&event, "event: token\ndata: hello\nid: " ID "\n\n");
	event.has_position = false;
	assert_sse(&event, "event: token\ndata: hello\n\n");
	event.has_position = true;
	event.position = (struct position){ 0 };
	assert_sse(&event, "event: token\ndata: hello\nid: 0\n\n");
}

static void every_kind_of_line_end_begins_a_data_line(void **state)
{
	(void)state;
	struct encode_event event = plain_event(SLICE("a\nb\r\nc\rd"));
	event.has_position = false;
	assert_sse(&event, "data: a\ndata: b\ndata: c\ndata: d\n\n");
	event.data = SLICE("");
	assert_sse(&event, "data: \n\n");
	event.data = (struct slice){ 0 };
	assert_sse(&event, "data: \n\n");
	event.data = SLICE("\n");
	assert_sse(&event, "data: \ndata: \n\n");
	event.data = SLICE("\r\n\r\r\n\n");
	assert_sse(&event, "data: \ndata: \ndata: \ndata: \ndata: \n\n");
	event.data = SLICE(" a\n");
	assert_sse(&event, "data:  a\ndata: \n\n");
}

static void no_payload_can_forge_a_field(void **state)
{
	(void)state;
	struct encode_event event = plain_event(SLICE("a\rid: x\r\revent: admin"));
	assert_sse(&event,
		   "data: a\ndata: id: x\ndata: \ndata: event: admin\nid: " ID "\n\n");
}

static void a_field_that_would_end_its_line_is_refused(void **state)
{
	(void)state;
	static const struct slice bad[] = {
		{ "a\nb", 3 }, { "a\rid: x", 7 }, { "\n", 1 }, { "a\0", 2 }
	};
	struct slice fine = SLICE("x");
	struct buf buf;
	buf_init(&buf, 1000);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct encode_event event = plain_event(SLICE("x"));
		event.type = bad[i];
		assert_int_equal(encode_sse(&event, &buf), ERR_SYNTAX);
		assert_int_equal(encode_sse_block(bad[i], fine, fine, 0, &buf), ERR_SYNTAX);
		assert_int_equal(encode_sse_block(fine, bad[i], fine, 0, &buf), ERR_SYNTAX);
		assert_int_equal(encode_sse_block(fine, fine, bad[i], 0, &buf), ERR_SYNTAX);
	}
	assert_int_equal(buf.bytes, 0);
	buf_fini(&buf);
}

static void a_json_envelope_leaves_out_what_is_absent(void **state)
{
	(void)state;
	struct encode_event event = plain_event(SLICE("hi\n\"\\"));
#define TIME "\"time\":\"2026-11-24T13:00:00.250Z\""
	assert_json(&event, "{\"stream\":\"a/b\",\"id\":\"" ID "\"," TIME
			    ",\"data\":\"hi\\n\\\"\\\\\"}");
	event.type = SLICE("t");
	event.key = SLICE("k\"\xc3\xa9");
	event.has_position = false;
	event.data = SLICE("");
	assert_json(&event, "{\"stream\":\"a/b\",\"type\":\"t\",\"key\":\"k\\\"\xc3\xa9\"," TIME
			    ",\"data\":\"\"}");
}

static void json_data_is_embedded_on_one_line(void **state)
{
	(void)state;
	struct encode_event event = plain_event(SLICE("{\n\"a\":\r\n[1.50,\r2]\n}"));
	event.has_position = false;
	event.json = true;
	assert_json(&event, "{\"stream\":\"a/b\"," TIME ",\"data\":{ \"a\":  [1.50, 2] }}");
	event.data = SLICE("7");
	assert_json(&event, "{\"stream\":\"a/b\"," TIME ",\"data\":7}");
	/* No value at all is not JSON, whatever the flag says. */
	event.data = SLICE("");
	assert_json(&event, "{\"stream\":\"a/b\"," TIME ",\"data\":\"\"}");
	/* The stream's own form keeps the payload's lines. */
	event.data = SLICE("[1,\n2]");
	assert_sse(&event, "data: [1,\ndata: 2]\n\n");
}

static void a_block_has_its_parts_in_order(void **state)
{
	(void)state;
	struct slice none = SLICE("");
	struct buf buf;
	buf_init(&buf, 1000);
	assert_ok(encode_sse_block(SLICE("tapecast.open"), SLICE("{}"), SLICE("m1.a"), 1500, &buf));
	assert_slice(buf_slice(&buf),
		     SLICE("event: tapecast.open\nretry: 1500\ndata: {}\nid: m1.a\n\n"));
	buf_reset(&buf);
	assert_ok(encode_sse_block(none, SLICE("1"), none, 0, &buf));
	assert_ok(encode_sse_block(none, none, SLICE("0"), UINT32_MAX, &buf));
	assert_slice(buf_slice(&buf), SLICE("data: 1\n\nretry: 4294967295\ndata: \nid: 0\n\n"));
	buf_fini(&buf);
}

/* Line ends become LF, as any reader of SSE gives them. */
static struct slice normalised(struct slice text, char *to)
{
	size_t bytes = 0;
	for (size_t i = 0; i < text.bytes; i++) {
		to[bytes++] = text.at[i] == '\r' ? '\n' : text.at[i];
		if (text.at[i] == '\r' && i + 1 < text.bytes && text.at[i + 1] == '\n')
			i++;
	}
	return slice_from(to, bytes);
}

/* Anything that may be an event: all bytes, or many line ends and field names. */
static struct encode_event draw_event(uint64_t *seed, char *text)
{
	struct slice odd = SLICE("\r\n\r\n :datid\xef\xbb\xbf\"\\{}");
	struct slice type = SLICE("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._:-");
	struct slice key = SLICE("ab\"\\ \xc3\xa9");
	struct encode_event event = plain_event(SLICE(""));
	size_t bytes = draw_below(seed, 1 + draw_below(seed, 200));

	if (draw_below(seed, 2)) {
		for (size_t i = 0; i < bytes; i++)
			text[i] = (char)draw(seed);
		event.data = slice_from(text, bytes);
	} else {
		event.data = draw_text(seed, odd, text, bytes);
	}
	if (draw_below(seed, 2))
		event.type = draw_text(seed, type, text + 200, 1 + draw_below(seed, 64));
	if (draw_below(seed, 2))
		event.key = draw_text(seed, key, text + 300, draw_below(seed, 20));
	event.has_position = draw_below(seed, 4) > 0;
	event.position.epoch = position_epoch(1, draw(seed));
	event.position.seq = draw_sized(seed, POSITION_SEQ_MAX);
	event.position.tag = draw(seed) & POSITION_TAG_MAX;
	event.wall_ms = draw_sized(seed, UINT64_C(253402300799999));
	return event;
}

enum { DRAWN_TEXT_MAX = 400, FRAMES = 4 };

/* What a reader of SSE must see of an event. */
static void assert_event(const struct encode_event *event, struct slice type, struct slice data,
			 struct slice id)
{
	char text[DRAWN_TEXT_MAX], position[POSITION_TEXT_MAX];
	assert_slice(type, event->type);
	assert_slice(data, normalised(event->data, text));
	if (event->has_position)
		assert_slice(id, slice_from(position, position_format(&event->position, position)));
}

static void any_event_comes_back_from_sse_by_the_standard_and_by_our_reader(void **state)
{
	(void)state;
	uint64_t seed = 91;

	for (int round = 0; round < 10000; round++) {
		char texts[FRAMES][DRAWN_TEXT_MAX];
		struct encode_event events[FRAMES];
		struct whatwg whatwg;
		struct sse_reader reader;
		struct sse_event event;
		struct buf buf;
		size_t count = 0, at = 0;

		buf_init(&buf, 65536);
		for (int i = 0; i < FRAMES; i++) {
			events[i] = draw_event(&seed, texts[i]);
			assert_ok(encode_sse(&events[i], &buf));
		}

		whatwg_read(&whatwg, buf_slice(&buf));
		assert_int_equal(whatwg.count, FRAMES);
		for (int i = 0; i < FRAMES; i++)
			assert_event(&events[i], whatwg.events[i].type, whatwg.events[i].data,
				     whatwg.events[i].id);
		whatwg_free(&whatwg);

		sse_reader_init(&reader, 1000);
		while (at < buf.bytes) {
			size_t take = 1 + draw_below(&seed, buf.bytes - at);
			struct slice chunk = slice_from(buf.at + at, take);
			at += take;
			while (sse_next(&reader, &chunk, &event) == OK) {
				assert_true(event.has_data && count < FRAMES);
				assert_int_equal(event.has_id, events[count].has_position);
				assert_event(&events[count++], event.type, event.data, event.id);
			}
			assert_int_equal(chunk.bytes, 0);
		}
		assert_int_equal(count, FRAMES);
		sse_reader_fini(&reader);
		buf_fini(&buf);
	}
}

static void assert_string(struct json_value value, struct slice wanted)
{
	struct buf buf;
	buf_init(&buf, 1000);
	assert_ok(json_string(value, &buf));
	assert_slice(buf_slice(&buf), wanted);
	buf_fini(&buf);
}

static void assert_envelope(const struct encode_event *event, struct slice line)
{
	char id[POSITION_TEXT_MAX], time[WHEN_TEXT_MAX];
	struct json_value whole, value;
	struct slice name;
	size_t at = 0;

	assert_null(memchr(line.at, '\n', line.bytes));
	assert_null(memchr(line.at, '\r', line.bytes));
	assert_ok(json_check(line, &whole));
	assert_true(json_next(whole, &at, &name, &value) && json_name_is(name, "stream"));
	assert_string(value, event->stream);
	if (event->has_position) {
		assert_true(json_next(whole, &at, &name, &value) && json_name_is(name, "id"));
		assert_string(value, slice_from(id, position_format(&event->position, id)));
	}
	if (event->type.bytes) {
		assert_true(json_next(whole, &at, &name, &value) && json_name_is(name, "type"));
		assert_string(value, event->type);
	}
	if (event->key.bytes) {
		assert_true(json_next(whole, &at, &name, &value) && json_name_is(name, "key"));
		assert_string(value, event->key);
	}
	assert_true(json_next(whole, &at, &name, &value) && json_name_is(name, "time"));
	assert_string(value, slice_from(time, when_format(event->wall_ms, time)));
	assert_true(json_next(whole, &at, &name, &value) && json_name_is(name, "data"));
	assert_string(value, event->data);
	assert_false(json_next(whole, &at, &name, &value));
}

static void any_event_comes_back_from_json(void **state)
{
	(void)state;
	uint64_t seed = 92;
	unsigned checked = 0;

	for (int round = 0; round < 40000; round++) {
		char text[DRAWN_TEXT_MAX];
		struct encode_event event = draw_event(&seed, text);
		struct buf buf;

		/* Published text is UTF-8 without NUL; of bytes at random little is. */
		for (size_t i = 0; i < event.data.bytes && round % 2; i++)
			text[i] = (char)(text[i] & 0x7f ? text[i] & 0x7f : 1);
		if (utf8_check(event.data, NULL) || utf8_check(event.key, NULL))
			continue;
		checked++;
		buf_init(&buf, 65536);
		assert_ok(encode_json(&event, &buf));
		assert_envelope(&event, buf_slice(&buf));
		buf_fini(&buf);
	}
	assert_true(checked > 10000);
}

static enum err encode_form(int form, struct buf *buf)
{
	struct encode_event event = plain_event(SLICE("a\r\nb\n"));
	event.type = SLICE("t");
	event.key = SLICE("k\"");
	if (form == 0)
		return encode_sse(&event, buf);
	if (form == 1)
		return encode_json(&event, buf);
	return encode_sse_block(event.type, event.key, event.type, form == 2 ? 0 : UINT32_MAX, buf);
}

static void a_frame_is_whole_or_absent(void **state)
{
	(void)state;
	for (int form = 0; form < 4; form++) {
		struct buf buf;
		buf_init(&buf, 500);
		assert_ok(encode_form(form, &buf));
		size_t whole = buf.bytes;
		buf_fini(&buf);

		for (size_t max = 0; max <= whole; max++) {
			buf_init(&buf, max);
			assert_int_equal(encode_form(form, &buf), max < whole ? ERR_TOO_BIG : OK);
			assert_int_equal(buf.bytes, max < whole ? 0 : whole);
			buf_fini(&buf);
		}

		buf_init(&buf, 500);
		uint64_t calls_before = mem_calls();
		assert_ok(encode_form(form, &buf));
		assert_int_equal(mem_calls() - calls_before, 1);
		buf_fini(&buf);
		mem_fail_after(0);
		assert_int_equal(encode_form(form, &buf), ERR_NOMEM);
		mem_fail_after(-1);
		assert_int_equal(buf.bytes, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_sse_frame_has_type_data_and_the_id_last),
		TEST(every_kind_of_line_end_begins_a_data_line),
		TEST(no_payload_can_forge_a_field),
		TEST(a_field_that_would_end_its_line_is_refused),
		TEST(a_json_envelope_leaves_out_what_is_absent),
		TEST(json_data_is_embedded_on_one_line),
		TEST(a_block_has_its_parts_in_order),
		TEST(any_event_comes_back_from_sse_by_the_standard_and_by_our_reader),
		TEST(any_event_comes_back_from_json),
		TEST(a_frame_is_whole_or_absent),
	};
	return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}

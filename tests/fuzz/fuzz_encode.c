/* fuzz_encode: whatever the payload, a reader of each form gets it back, and one event, no more. */
#include "fuzz.h"
#include "../wire/naive.h"
#include "../wire/whatwg.h"
#include "wire/encode.h"
#include "wire/json.h"

enum { DATA_MAX = 4096 };

static const char type_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789._:-";

/* Line ends as a reader of SSE gives them: LF. */
static struct slice with_lf(struct slice data, char *to)
{
	size_t bytes = 0;
	for (size_t i = 0; i < data.bytes; i++) {
		if (data.at[i] == '\n' && i && data.at[i - 1] == '\r')
			continue;
		to[bytes++] = data.at[i] == '\r' ? '\n' : data.at[i];
	}
	return slice_from(to, bytes);
}

static void check_sse(const struct encode_event *event)
{
	char normalised[DATA_MAX], id[POSITION_TEXT_MAX];
	struct whatwg whatwg;
	struct buf buf;
	size_t id_bytes = event->has_position ? position_format(&event->position, id) : 0;

	buf_init(&buf, 16 * DATA_MAX);
	MUST(encode_sse(event, &buf) == OK);
	whatwg_read(&whatwg, buf_slice(&buf));
	MUST(whatwg.count == 1);
	MUST(slice_equal(whatwg.events[0].type, event->type));
	MUST(slice_equal(whatwg.events[0].data, with_lf(event->data, normalised)));
	MUST(slice_equal(whatwg.events[0].id, slice_from(id, id_bytes)));
	whatwg_free(&whatwg);
	buf_fini(&buf);
}

static void must_be_string(struct json_value value, struct slice wanted)
{
	struct buf buf;
	buf_init(&buf, DATA_MAX);
	MUST(json_string(value, &buf) == OK && slice_equal(buf_slice(&buf), wanted));
	buf_fini(&buf);
}

static void must_be_embedded(struct slice got, struct slice data)
{
	/* Data that is only white space around a value keeps it; line ends are spaces now. */
	const char *at = data.at;
	while (memchr(" \t\r\n", *at, 4))
		at++;
	for (size_t i = 0; i < got.bytes; i++) {
		bool end = at[i] == '\n' || at[i] == '\r';
		MUST(got.at[i] == (end ? ' ' : at[i]));
	}
}

static void check_json(const struct encode_event *event)
{
	struct json_value whole, value;
	struct slice name;
	struct buf buf;
	size_t at = 0;
	bool found = false;

	buf_init(&buf, 16 * DATA_MAX);
	MUST(encode_json(event, &buf) == OK);
	MUST(!memchr(buf.at, '\n', buf.bytes) && !memchr(buf.at, '\r', buf.bytes));
	MUST(json_check(buf_slice(&buf), &whole) == OK);
	while (json_next(whole, &at, &name, &value)) {
		if (json_name_is(name, "type"))
			must_be_string(value, event->type);
		if (json_name_is(name, "key"))
			must_be_string(value, event->key);
		if (!json_name_is(name, "data"))
			continue;
		MUST(!found);
		found = true;
		if (event->json)
			must_be_embedded(value.text, event->data);
		else
			must_be_string(value, event->data);
	}
	MUST(found);
	buf_fini(&buf);
}

/* Any bytes as a block: refused, or one event (if there is data, there always is). */
static void check_block(struct slice type, struct slice json, struct slice id, unsigned retry_ms)
{
	struct whatwg whatwg;
	struct buf buf;

	buf_init(&buf, 16 * DATA_MAX);
	if (encode_sse_block(type, json, id, retry_ms, &buf) == OK) {
		whatwg_read(&whatwg, buf_slice(&buf));
		MUST(whatwg.count == 1 && slice_equal(whatwg.events[0].type, type));
		MUST(slice_equal(whatwg.events[0].data, json));
		MUST(slice_equal(whatwg.events[0].id, id));
		whatwg_free(&whatwg);
	} else {
		MUST(buf.bytes == 0);
	}
	buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = fuzz_slice(data, size < DATA_MAX ? size : DATA_MAX);
	unsigned choice = fuzz_byte(&rest);
	char type[64];
	struct encode_event event = {
		.stream = SLICE("a/b"),
		.position = { position_epoch(1 + choice, size), choice, size },
		.has_position = choice & 1,
		.wall_ms = choice * UINT64_C(99999999999),
	};
	struct json_value value;

	struct slice raw_type = fuzz_take(&rest, fuzz_byte(&rest) % sizeof type);
	event.key = fuzz_take(&rest, fuzz_byte(&rest) % 64);
	event.data = rest;
	check_block(raw_type, rest, event.key, choice);

	for (size_t i = 0; i < raw_type.bytes; i++)
		type[i] = type_bytes[(unsigned char)raw_type.at[i] % (sizeof type_bytes - 1)];
	event.type = slice_from(type, raw_type.bytes);
	check_sse(&event);

	if (!naive_is_text(event.key) || !naive_is_text(event.data))
		return 0;
	check_json(&event);
	event.json = json_check(event.data, &value) == OK;
	if (event.json)
		check_json(&event);
	return 0;
}

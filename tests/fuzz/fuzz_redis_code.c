/* fuzz_redis_code: what a hostile store may hold: refused, or what a node would put. */
#include "fuzz.h"
#include "backplane/redis_code.h"
#include "base/mem.h"

enum { DATA_MAX = 4096 };

static const struct code_rules rules = { DATA_MAX, 1000000, 5000 };

static void check_event(const struct event *event)
{
	MUST(event->data_bytes <= DATA_MAX && event->born_ms > 0);
	MUST(!memchr(event->bytes, '\n', event->type_bytes));
}

/* Put again, it is what was taken. */
static void check_body(struct slice bytes)
{
	struct code_place place;
	struct event *event = NULL;
	struct slice rest = bytes;
	struct buf buf;

	if (code_take(&rest, &rules, &place, &event) != OK)
		return;
	check_event(event);
	buf_init(&buf, 1 << 20);
	code_put(event, &place, &buf);
	MUST(slice_equal(buf_slice(&buf), slice_from(bytes.at, bytes.bytes - rest.bytes)));
	MUST(buf.bytes == code_bytes(event));
	buf_fini(&buf);
	event_unref(&event);
}

static void check_entry(struct slice bytes)
{
	struct code_entry entry;
	if (code_take_entry(bytes, &rules, &entry) != OK)
		return;
	check_event(entry.event);
	MUST(!entry.event->ephemeral && entry.tag <= POSITION_TAG_MAX);
	event_unref(&entry.event);
}

static void check_push(struct slice bytes)
{
	struct code_push push;
	if (code_take_push(bytes, &rules, &push) != OK)
		return;
	MUST((push.count == 0) == (push.kind == CODE_FENCED) && push.count <= 64);
	for (size_t i = 0; i < push.count; i++) {
		check_event(push.events[i]);
		MUST(push.events[i]->position.seq <= POSITION_SEQ_MAX);
		event_unref(&push.events[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = fuzz_slice(data, size);
	size_t live = mem_live();

	check_body(bytes);
	check_entry(bytes);
	check_push(bytes);
	MUST(mem_live() == live);
	return 0;
}

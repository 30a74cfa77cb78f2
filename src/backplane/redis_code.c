#include "backplane/redis_code.h"

#include "base/must.h"

enum { CODE_VERSION = 1, FLAG_JSON = 1, FLAG_EPHEMERAL = 2, FLAGS_ALL = 3 };

/* Lua's numbers are exact up to here, as positions are. */
enum { SEQ_DIGITS = 14 };

static void put_number(struct buf *buf, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		(void)buf_put_byte(buf, (char)(number >> 8 * i & 0xff));
}

static uint64_t take_number(const char **at, size_t bytes)
{
	uint64_t number = 0;
	for (size_t i = 0; i < bytes; i++)
		number |= (uint64_t)(uint8_t)*(*at)++ << 8 * i;
	return number;
}

size_t code_bytes(const struct event *event)
{
	return CODE_HEAD_BYTES + (size_t)event->type_bytes + event->key_bytes + event->data_bytes;
}

void code_put(const struct event *event, const struct code_place *place, struct buf *buf)
{
	size_t flags = (event->json ? FLAG_JSON : 0u) | (event->ephemeral ? FLAG_EPHEMERAL : 0u);

	put_number(buf, CODE_VERSION, 1);
	(void)buf_put(buf, slice_from((const char *)place->nonce, sizeof place->nonce));
	put_number(buf, place->at, 1);
	put_number(buf, place->count, 1);
	put_number(buf, flags, 1);
	put_number(buf, (uint64_t)event->end, 1);
	put_number(buf, event->wall_ms, 8);
	put_number(buf, event->ttl_ms, 7);
	put_number(buf, event->type_bytes, 2);
	put_number(buf, event->key_bytes, 2);
	put_number(buf, event->data_bytes, 4);
	(void)buf_put(buf, event_type(event));
	(void)buf_put(buf, event_key(event));
	(void)buf_put(buf, event_data(event));
}

static enum err bad(void)
{
	return err_note(ERR_SYNTAX, "the store holds what no node has put there");
}

static struct slice cut(const char **at, size_t bytes)
{
	struct slice part = slice_from(*at, bytes);
	*at += bytes;
	return part;
}

static enum err event_make(const struct draft *draft, uint64_t wall_ms,
			   const struct code_rules *rules, struct event **ret_event)
{
	uint64_t age_ms = rules->wall_ms > wall_ms ? rules->wall_ms - wall_ms : 0;
	uint64_t born_ms = rules->now_ms > age_ms ? rules->now_ms - age_ms : 1;
	struct event *event = NULL;
	enum err err;

	if (draft->end != END_NONE && draft->has_data)
		return bad();
	if (draft->end != END_NONE)
		err = event_new_end(draft->end, wall_ms, born_ms, &event);
	else if (draft_check(draft, rules->data_bytes_max) != OK)
		err = bad();
	else
		err = event_new(draft, wall_ms, born_ms, &event);
	if (err == OK)
		*ret_event = event;
	return err;
}

enum err code_take(struct slice *bytes, const struct code_rules *rules,
		   struct code_place *ret_place, struct event **ret_event)
{
	struct code_place place;
	const char *at = bytes->at;

	if (bytes->bytes < CODE_HEAD_BYTES || take_number(&at, 1) != CODE_VERSION)
		return bad();
	memcpy(place.nonce, at, sizeof place.nonce);
	at += sizeof place.nonce;
	place.at = (uint8_t)take_number(&at, 1);
	place.count = (uint8_t)take_number(&at, 1);
	uint64_t flags = take_number(&at, 1);
	uint64_t end = take_number(&at, 1);
	uint64_t wall_ms = take_number(&at, 8);
	uint64_t ttl_ms = take_number(&at, 7);
	size_t type_bytes = (size_t)take_number(&at, 2);
	size_t key_bytes = (size_t)take_number(&at, 2);
	size_t data_bytes = (size_t)take_number(&at, 4);
	if (place.count < 1 || place.count > 64 || place.at >= place.count ||
	    flags > FLAGS_ALL || end > END_CANCELLED ||
	    type_bytes + key_bytes + data_bytes > bytes->bytes - CODE_HEAD_BYTES)
		return bad();
	struct draft draft = {
		.type = cut(&at, type_bytes),
		.key = cut(&at, key_bytes),
		.data = cut(&at, data_bytes),
		.has_data = end == END_NONE || type_bytes + key_bytes + data_bytes > 0,
		.json = (flags & FLAG_JSON) != 0,
		.ephemeral = (flags & FLAG_EPHEMERAL) != 0,
		.ttl_ms = ttl_ms,
		.end = (enum end_state)end,
	};
	enum err err = event_make(&draft, wall_ms, rules, ret_event);
	if (err)
		return err;
	*bytes = slice_from(at, bytes->bytes - (size_t)(at - bytes->at));
	*ret_place = place;
	return OK;
}

enum err code_take_hex(struct slice *bytes, size_t digits, uint64_t *ret_number)
{
	uint64_t number = 0;

	MUST(digits <= 16);
	if (bytes->bytes < digits)
		return bad();
	for (size_t i = 0; i < digits; i++) {
		char c = bytes->at[i];
		if (c >= '0' && c <= '9')
			number = number << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uint64_t)(c - 'a' + 10);
		else
			return bad();
	}
	*bytes = slice_from(bytes->at + digits, bytes->bytes - digits);
	*ret_number = number;
	return OK;
}

enum err code_take_entry(struct slice bytes, const struct code_rules *rules,
			 struct code_entry *ret_entry)
{
	struct code_entry entry;
	enum err err = code_take_hex(&bytes, 12, &entry.tag);

	if (!err)
		err = code_take_hex(&bytes, 12, &entry.parent_tag);
	if (!err)
		err = code_take(&bytes, rules, &entry.place, &entry.event);
	if (err)
		return err;
	if (bytes.bytes || entry.event->ephemeral) {
		event_unref(&entry.event);
		return bad();
	}
	*ret_entry = entry;
	return OK;
}

static void push_clear(struct code_push *push)
{
	while (push->count > 0)
		event_unref(&push->events[--push->count]);
}

/* The bodies must be one whole group. */
static enum err take_group(struct slice bytes, const struct code_rules *rules,
			   struct code_push *push)
{
	bool shouted = push->kind == CODE_SHOUTED;
	while (bytes.bytes) {
		struct code_place place;
		if (push->count == 64)
			return bad();
		enum err err = code_take(&bytes, rules, &place, &push->events[push->count]);
		if (err)
			return err;
		const struct event *event = push->events[push->count++];
		if (place.at != push->count - 1 || event->ephemeral != shouted ||
		    (bytes.bytes == 0) != (place.at + 1 == place.count) ||
		    (event->end != END_NONE && bytes.bytes))
			return bad();
	}
	return push->count == 0 || (shouted && push->count != 1) ? bad() : OK;
}

enum err code_take_push(struct slice bytes, const struct code_rules *rules,
			struct code_push *ret_push)
{
	struct code_push push = { .kind = CODE_PUBLISHED };
	uint64_t epoch = 0, last = 0, tag = 0, parent_tag = 0;

	if (bytes.bytes == 0 || !memchr("PDSF", bytes.at[0], 4))
		return bad();
	push.kind = (enum code_kind)bytes.at[0];
	bytes = slice_from(bytes.at + 1, bytes.bytes - 1);
	enum err err = code_take_hex(&bytes, CODE_EPOCH_BYTES, &epoch);
	if (!err)
		err = code_take_hex(&bytes, SEQ_DIGITS, &last);
	if (!err)
		err = code_take_hex(&bytes, 12, &tag);
	if (!err)
		err = code_take_hex(&bytes, 12, &parent_tag);
	if (err)
		return err;
	if (last > POSITION_SEQ_MAX)
		return bad();
	if (push.kind == CODE_FENCED) {
		*ret_push = push;
		return bytes.bytes ? bad() : OK;
	}
	err = take_group(bytes, rules, &push);
	uint64_t before = push.kind == CODE_SHOUTED ? last : last - push.count;
	if (!err && (before > last || (before > 0 && epoch == 0) ||
		     (push.kind != CODE_SHOUTED && epoch == 0)))
		err = bad();
	if (err) {
		push_clear(&push);
		return err;
	}
	if (before > 0)
		push.parent = (struct position){ epoch, before, parent_tag };
	for (size_t i = 0; i < push.count; i++)
		push.events[i]->position = push.kind == CODE_SHOUTED ? push.parent :
			(struct position){ epoch, before + 1 + i, tag };
	*ret_push = push;
	return OK;
}

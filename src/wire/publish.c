#include "wire/publish.h"

#include "wire/json.h"

#define TTL_S_MAX UINT64_C(3153600000) /* a hundred years */

/* What reads one kind of member. */
typedef enum err member_fn(struct json_value value, struct buf *scratch, struct draft *draft);

/* The string's characters: in the text itself if nothing is escaped, else in scratch. */
static enum err read_string(struct json_value value, struct buf *scratch, struct slice *ret_text)
{
	if (value.kind == JSON_STRING && !memchr(value.text.at, '\\', value.text.bytes)) {
		*ret_text = slice_from(value.text.at + 1, value.text.bytes - 2);
		return OK;
	}

	size_t before = scratch->bytes;
	enum err err = json_string(value, scratch);
	if (err)
		return err;
	*ret_text = slice_from(scratch->at + before, scratch->bytes - before);
	return OK;
}

static enum err read_stream(struct json_value value, struct buf *scratch, struct draft *draft)
{
	return read_string(value, scratch, &draft->stream);
}

static enum err read_type(struct json_value value, struct buf *scratch, struct draft *draft)
{
	return read_string(value, scratch, &draft->type);
}

static enum err read_key(struct json_value value, struct buf *scratch, struct draft *draft)
{
	return read_string(value, scratch, &draft->key);
}

static enum err read_idem(struct json_value value, struct buf *scratch, struct draft *draft)
{
	return read_string(value, scratch, &draft->idem);
}

static enum err read_data(struct json_value value, struct buf *scratch, struct draft *draft)
{
	draft->has_data = true;
	draft->json = value.kind != JSON_STRING;
	if (!draft->json)
		return read_string(value, scratch, &draft->data);
	draft->data = value.text;
	return OK;
}

static enum err read_ttl(struct json_value value, struct buf *scratch, struct draft *draft)
{
	uint64_t ttl_s;
	(void)scratch;

	if (json_u64(value, &ttl_s) != OK || ttl_s < 1 || ttl_s > TTL_S_MAX)
		return err_note(ERR_RANGE, "must be a whole number of seconds from 1 to %llu",
				(unsigned long long)TTL_S_MAX);
	draft->ttl_ms = ttl_s * 1000;
	return OK;
}

static enum err read_ephemeral(struct json_value value, struct buf *scratch, struct draft *draft)
{
	(void)scratch;
	if (value.kind != JSON_TRUE && value.kind != JSON_FALSE)
		return err_note(ERR_SYNTAX, "must be true or false");
	draft->ephemeral = value.kind == JSON_TRUE;
	return OK;
}

static enum err read_end(struct json_value value, struct buf *scratch, struct draft *draft)
{
	struct slice text;
	enum err err = read_string(value, scratch, &text);
	return err ? err : end_state_parse(text, &draft->end);
}

static const struct member {
	const char *name;
	member_fn *read;
	bool takes_null; /* null is a value here; elsewhere it is as if the member were absent */
} members[] = {
	{ "stream", read_stream, false },
	{ "data", read_data, true },
	{ "type", read_type, false },
	{ "key", read_key, false },
	{ "ttl", read_ttl, false },
	{ "ephemeral", read_ephemeral, false },
	{ "end", read_end, false },
	{ "idempotency_key", read_idem, false },
};

enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

static const struct member *member_find(struct slice raw_name)
{
	for (size_t i = 0; i < MEMBER_COUNT; i++) {
		if (json_name_is(raw_name, members[i].name))
			return &members[i];
	}
	return NULL;
}

static enum err read_object(struct json_value object, struct buf *scratch, struct draft *ret_draft)
{
	struct draft draft = { 0 };
	struct json_value value;
	struct slice name;
	unsigned seen = 0;
	size_t at = 0;

	if (object.kind != JSON_OBJECT)
		return err_note(ERR_SYNTAX, "an event must be a JSON object");

	while (json_next(object, &at, &name, &value)) {
		const struct member *member = member_find(name);
		int name_bytes = name.bytes < 64 ? (int)name.bytes : 64;

		if (!member)
			return err_note(ERR_SYNTAX, "unknown member \"%.*s\"", name_bytes, name.at);
		unsigned bit = 1u << (member - members);
		if (seen & bit)
			return err_note(ERR_SYNTAX, "\"%s\" appears twice", member->name);
		seen |= bit;

		if (value.kind == JSON_NULL && !member->takes_null)
			continue;
		enum err err = member->read(value, scratch, &draft);
		if (err)
			return err_prefix(err, "\"%s\"", member->name);
	}
	*ret_draft = draft;
	return OK;
}

/* Strings with escapes need room of their own, at most as much as the text: taken once, so that
 * scratch does not move under the drafts. */
static enum err reserve(struct slice text, struct buf *scratch)
{
	if (!text.bytes || !memchr(text.at, '\\', text.bytes))
		return OK;
	return buf_reserve(scratch, text.bytes);
}

enum err publish_object(struct slice text, struct buf *scratch, struct draft *ret_draft)
{
	struct json_value object;

	enum err err = json_check(text, &object);
	if (!err)
		err = reserve(text, scratch);
	return err ? err : read_object(object, scratch, ret_draft);
}

enum err publish_array(struct slice text, struct buf *scratch, struct draft *ret_drafts,
		       size_t *ret_count)
{
	struct json_value array, element;
	struct slice name;
	size_t at = 0, count = 0;

	enum err err = json_check(text, &array);
	if (err)
		return err;
	if (array.kind != JSON_ARRAY)
		return err_note(ERR_SYNTAX, "must be a JSON array of events");
	err = reserve(text, scratch);
	if (err)
		return err;

	while (json_next(array, &at, &name, &element)) {
		if (count == PUBLISH_BATCH_MAX)
			return err_note(ERR_TOO_MANY, "at most %d events at once",
					PUBLISH_BATCH_MAX);
		err = read_object(element, scratch, &ret_drafts[count]);
		if (!err && !ret_drafts[count].stream.bytes)
			err = err_note(ERR_SYNTAX, "\"stream\" is missing");
		if (err)
			return err_prefix(err, "[%zu]", count);
		count++;
	}
	*ret_count = count;
	return OK;
}

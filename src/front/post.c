#include "front/post.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/must.h"
#include "front/caller.h"
#include "front/headers.h"
#include "wire/json.h"
#include "wire/name.h"

#define TTL_S_MAX UINT64_C(3153600000) /* a hundred years */

static bool ends_with(struct slice whole, struct slice end)
{
	return whole.bytes > end.bytes &&
	       slice_equal_nocase(slice_from(whole.at + whole.bytes - end.bytes, end.bytes), end);
}

static bool starts_with(struct slice whole, struct slice start)
{
	return whole.bytes > start.bytes &&
	       slice_equal_nocase(slice_from(whole.at, start.bytes), start);
}

/* Form data is what curl -d says it sends; here too the body is the event, as it is. */
static enum err kind_of(struct slice content_type, enum body_kind *ret_kind)
{
	struct slice type;
	struct slice charset;
	media_type_split(content_type, &type, &charset);
	if (charset.bytes && !slice_equal_nocase(charset, SLICE("utf-8")) &&
	    !slice_equal_nocase(charset, SLICE("us-ascii")))
		return err_note(ERR_MEDIA_TYPE, "the charset must be utf-8");
	if (slice_equal_nocase(type, SLICE("application/json")) || ends_with(type, SLICE("+json")))
		*ret_kind = BODY_JSON;
	else if (slice_equal_nocase(type, SLICE("application/x-ndjson")))
		*ret_kind = BODY_NDJSON;
	else if (slice_equal_nocase(type, SLICE("text/event-stream")))
		*ret_kind = BODY_SSE;
	else if (type.bytes == 0 || starts_with(type, SLICE("text/")) ||
		 slice_equal_nocase(type, SLICE("application/x-www-form-urlencoded")))
		*ret_kind = BODY_TEXT;
	else
		return err_note(ERR_MEDIA_TYPE,
				"events are text: send text/plain, application/json, "
				"application/x-ndjson or text/event-stream");
	return OK;
}

static enum err expected_read(struct slice if_match, struct post_params *params)
{
	if (!if_match.at)
		return OK;
	if (if_match.bytes >= 2 && if_match.at[0] == '"' && if_match.at[if_match.bytes - 1] == '"')
		if_match = slice_from(if_match.at + 1, if_match.bytes - 2);
	params->expects = true;
	enum err err = position_parse(if_match, &params->expected);
	return err ? err_prefix(err, "If-Match must be one position of the stream") : OK;
}

static enum err draft_args(const struct args *args, struct draft *draft)
{
	uint64_t ttl_s;
	draft->type = args->values[ARG_TYPE];
	draft->key = args->values[ARG_KEY];
	enum err err = args_number(args, ARG_TTL, 1, TTL_S_MAX, 0, &ttl_s);
	if (err)
		return err;
	draft->ttl_ms = ttl_s * 1000;
	err = args_choice(args, ARG_EPHEMERAL, "0", "1", false, &draft->ephemeral);
	if (!err && args->values[ARG_END].at)
		err = end_state_parse(args->values[ARG_END], &draft->end);
	if (!err && draft->type.bytes)
		err = err_prefix(type_check(draft->type), "type");
	if (!err && draft->key.bytes)
		err = err_prefix(key_check(draft->key), "key");
	return err;
}

enum err post_params_read(struct visit *visit, struct post_params *ret_params)
{
	struct post_params params = { 0 };
	struct draft *draft = &params.draft;
	enum err err = kind_of(visit->headers.content_type, &params.kind);
	if (!err)
		err = draft_args(&visit->args, draft);
	if (!err)
		err = expected_read(visit->headers.if_match, &params);
	if (!err && visit->headers.idempotency_key.at) {
		draft->idem = visit->headers.idempotency_key;
		err = err_prefix(idem_check(draft->idem), "Idempotency-Key");
	}
	if (err)
		return err;
	if (draft->ephemeral && (params.expects || draft->idem.bytes))
		return err_note(ERR_SYNTAX, "an ephemeral event has no position: neither If-Match "
					    "nor Idempotency-Key can hold for it");
	*ret_params = params;
	return OK;
}

/* All that makes two requests the same one: each part with its length, so that none runs over. */
static enum err digest_of(const struct draft *draft, uint8_t ret_digest[16])
{
	uint8_t data_digest[HASH_DIGEST_BYTES];
	struct buf text;
	hash_digest(draft->data, data_digest);
	buf_init(&text, 1024);
	buf_put(&text, slice_from((const char *)data_digest, sizeof data_digest));
	buf_putf(&text, "%zu:%zu:%llu:%d:%d:%d:", draft->type.bytes, draft->key.bytes,
		 (unsigned long long)draft->ttl_ms, draft->end, draft->json, draft->has_data);
	buf_put(&text, draft->type);
	buf_put(&text, draft->key);
	if (!text.err)
		hash_digest(buf_slice(&text), ret_digest);
	enum err err = text.err;
	buf_fini(&text);
	return err;
}

static enum err item_events(const struct visit *visit, const struct draft *draft, struct item *item)
{
	struct world *world = visit->door->config.world;
	uint64_t wall_ms = world->ops->wall_ms(world);
	enum err err = OK;
	if (draft->has_data) {
		err = event_new(draft, wall_ms, visit->door->now_ms, &item->events[item->count]);
		item->count += !err;
	}
	if (!err && draft->end != END_NONE) {
		err = event_new_end(draft->end, wall_ms, visit->door->now_ms,
				    &item->events[item->count]);
		item->count += !err;
	}
	return err;
}

enum err item_make(const struct visit *visit, const struct draft *draft, struct item *ret_item)
{
	struct item item = { .ephemeral = draft->ephemeral };
	enum err err = draft_check(draft, visit_settings(visit)->event_bytes_max);
	if (!err && draft->ephemeral && draft->idem.bytes)
		err = err_note(ERR_SYNTAX, "an ephemeral event is not kept, so it has no "
					   "idempotency key");
	if (!err && draft->idem.bytes)
		err = digest_of(draft, item.digest);
	if (!err)
		err = item_events(visit, draft, &item);
	if (err) {
		item_drop(&item);
		return err;
	}
	MUST(draft->idem.bytes < sizeof item.idem);
	if (draft->idem.bytes)
		memcpy(item.idem, draft->idem.at, draft->idem.bytes);
	*ret_item = item;
	return OK;
}

void item_drop(struct item *item)
{
	for (size_t i = 0; i < item->count; i++)
		event_unref(&item->events[i]);
	item->count = 0;
}

enum err item_shout(struct visit *visit, struct slice name, struct item *item)
{
	struct backplane *backplane = visit->door->config.backplane;
	MUST(item->ephemeral && item->count == 1);
	enum err err = caller_allow_now(visit, VERB_PUBLISH, name);
	if (err) {
		item_drop(item);
		return err;
	}
	item->count = 0;
	return backplane->ops->shout(backplane, name, item->events[0]);
}

enum err publish_error(const struct publish *publish)
{
	if (!publish->err)
		return OK;
	if (!publish->note[0]) {
		err_note_clear();
		return publish->err;
	}
	return err_note(publish->err, "%s", publish->note);
}

void put_position_member(struct buf *body, const char *name, const struct position *position)
{
	char text[POSITION_TEXT_MAX];
	(void)position_format(position, text);
	buf_putf(body, ",\"%s\":\"%s\"", name, text);
}

void publish_conflict_fields(struct reply *reply, const struct publish *publish)
{
	if (publish->err != ERR_CONFLICT)
		return;
	char text[POSITION_TEXT_MAX];
	(void)position_format(&publish->head, text);
	reply_field(reply, "ETag", "\"%s\"", text);
	put_position_member(&reply->body, "position", &publish->head);
}

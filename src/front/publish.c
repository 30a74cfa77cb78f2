/*
 * publish: POST to a stream: one event, the body as it is. Long bodies go on to ingest.c.
 */
#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"
#include "front/ingest.h"
#include "front/post.h"
#include "front/problem.h"
#include "front/route.h"
#include "wire/json.h"

#define SINGLE_TAG 0x51091e7au

struct single {
	uint32_t tag;
	struct post_params params;
	struct buf body;
	struct item item;
};

static void single_free(struct visit *visit)
{
	struct single *single = visit->work;
	MUST_BE(single, SINGLE_TAG);
	item_drop(&single->item);
	buf_fini(&single->body);
	single->tag = 0;
	mem_free(single);
}

static enum err too_big(size_t bytes_max)
{
	metric_up(METRIC_LIMITS, LIMIT_EVENT_BYTES);
	return err_note(ERR_TOO_BIG, "an event's data may have %zu bytes", bytes_max);
}

static enum step publish_begin(struct visit *visit)
{
	struct post_params params;
	enum err err = post_params_read(visit, &params);
	if (err)
		return visit_problem(visit, err);
	if (params.kind == BODY_NDJSON || params.kind == BODY_SSE)
		return ingest_begin(visit, &params);

	size_t bytes_max = visit_settings(visit)->event_bytes_max;
	if (visit->headers.length > bytes_max)
		return visit_problem(visit, too_big(bytes_max));
	struct single *single = mem_zalloc(sizeof *single);
	if (!single)
		return visit_problem(visit, ERR_NOMEM);
	*single = (struct single){ .tag = SINGLE_TAG, .params = params };
	buf_init(&single->body, bytes_max);
	visit->work = single;
	visit->work_free = single_free;
	return STEP_MORE;
}

static bool is_long(const struct visit *visit)
{
	return visit->work_free != single_free;
}

static enum step publish_body(struct visit *visit, struct slice *chunk)
{
	if (is_long(visit))
		return ingest_body(visit, chunk);
	struct single *single = visit->work;
	MUST_BE(single, SINGLE_TAG);
	enum err err = buf_put(&single->body, *chunk);
	chunk->bytes = 0;
	if (err == ERR_TOO_BIG)
		err = too_big(single->body.bytes_max);
	if (err)
		return visit_problem(visit, err);
	return STEP_MORE;
}

static enum err single_draft(struct single *single, struct draft *ret_draft)
{
	struct draft draft = single->params.draft;
	draft.data = buf_slice(&single->body);
	draft.has_data = draft.data.bytes > 0 || draft.end == END_NONE;
	if (single->params.kind == BODY_JSON && draft.has_data) {
		struct json_value value;
		enum err err = json_check(draft.data, &value);
		if (err)
			return err_prefix(err, "the body");
		draft.json = true;
	}
	*ret_draft = draft;
	return OK;
}

static void put_stream(struct visit *visit, struct buf *body)
{
	buf_put_text(body, "{\"stream\":");
	json_quote(visit_name(visit), body);
}

static enum step single_next(struct visit *visit)
{
	const struct publish *publish = &visit->ask.publish;
	enum err err = publish_error(publish);
	if (err) {
		problem_reply_open(&visit->reply, err, err_note_text());
		publish_conflict_fields(&visit->reply, publish);
		buf_put_byte(&visit->reply.body, '}');
		return STEP_REPLY;
	}
	unsigned status = publish->duplicate ? 200 : 201;
	struct reply *reply = visit_json(visit, publish->behind ? 202 : status);
	put_stream(visit, &reply->body);
	put_position_member(&reply->body, "id", &publish->last);
	if (publish->behind)
		buf_put_text(&reply->body, ",\"replicated\":false");
	buf_put_text(&reply->body, "}");
	return STEP_REPLY;
}

static enum step single_shout(struct visit *visit, struct single *single)
{
	enum err err = item_shout(visit, visit_name(visit), &single->item);
	if (err)
		return visit_problem(visit, err);
	struct reply *reply = visit_json(visit, 202);
	put_stream(visit, &reply->body);
	buf_put_text(&reply->body, ",\"ephemeral\":true}");
	return STEP_REPLY;
}

static enum step publish_finish(struct visit *visit)
{
	if (is_long(visit))
		return ingest_finish(visit);
	struct single *single = visit->work;
	MUST_BE(single, SINGLE_TAG);
	struct draft draft;
	struct item *item = &single->item;
	err_note_clear();
	enum err err = single_draft(single, &draft);
	if (!err)
		err = item_make(visit, &draft, item);
	if (err)
		return visit_problem(visit, err);
	if (item->ephemeral)
		return single_shout(visit, single);

	visit->ask.publish = (struct publish){
		.name = visit_name(visit),
		.events = item->events,
		.count = item->count,
		.idem = slice_of(item->idem),
		.expects = single->params.expects,
		.expected = single->params.expected,
	};
	memcpy(visit->ask.publish.digest, item->digest, sizeof item->digest);
	item->count = 0; /* the events are the backplane's now */
	return ask_publish(visit, single_next) ? single_next(visit) : STEP_WAIT;
}

const struct handler publish_handler = {
	.args = ARGS_PUBLISH,
	.has_body = true,
	.begin = publish_begin,
	.body = publish_body,
	.finish = publish_finish,
};

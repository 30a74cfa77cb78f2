/*
 * batch: POST /v1/publish: many events of many streams in one array.
 *
 * Promise each entry is answered by itself, in the array's order; entries of one stream are
 *         published in that order, neighbours of one stream together.
 */
#include <stdio.h>

#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"
#include "front/post.h"
#include "front/problem.h"
#include "front/route.h"
#include "wire/json.h"
#include "wire/publish.h"

#define BATCH_TAG 0xba7c4e0du

struct entry {
	bool done;
	bool in_group;
	bool duplicate, behind;
	enum err err;
	char note[128];
	struct position at; /* not for ephemeral ones */
	struct event *last; /* in_group: carries its position once it is published */
};

struct batch {
	uint32_t tag;
	struct buf body, scratch;
	struct draft *drafts;
	struct entry *entries;
	size_t count;
	size_t first; /* of the group that is on its way */
	struct event *events[BACKPLANE_GROUP_MAX];
	size_t events_count;
	struct item item; /* key and digest of a group of one */
};

static void batch_free(struct visit *visit)
{
	struct batch *batch = visit->work;
	MUST_BE(batch, BATCH_TAG);
	for (size_t i = 0; batch->entries && i < batch->count; i++)
		event_unref(&batch->entries[i].last);
	for (size_t i = 0; i < batch->events_count; i++)
		event_unref(&batch->events[i]);
	mem_free(batch->drafts);
	mem_free(batch->entries);
	buf_fini(&batch->body);
	buf_fini(&batch->scratch);
	batch->tag = 0;
	mem_free(batch);
}

static enum err too_big(size_t bytes_max)
{
	metric_up(METRIC_LIMITS, LIMIT_BATCH_BYTES);
	return err_note(ERR_TOO_BIG, "a batch may have %zu bytes", bytes_max);
}

static enum step batch_begin(struct visit *visit)
{
	struct slice type;
	struct slice charset;
	media_type_split(visit->headers.content_type, &type, &charset);
	if (type.bytes && !slice_equal_nocase(type, SLICE("application/json")))
		return visit_problem(visit, err_note(ERR_MEDIA_TYPE,
						     "send application/json: an array of "
						     "{\"stream\", \"data\"}"));
	size_t bytes_max = visit_settings(visit)->batch_bytes_max;
	if (visit->headers.length > bytes_max)
		return visit_problem(visit, too_big(bytes_max));
	if (visit->headers.idempotency_key.at || visit->headers.if_match.at)
		return visit_problem(visit, err_note(ERR_SYNTAX,
						     "a batch takes neither If-Match nor "
						     "Idempotency-Key: each entry may have an "
						     "idempotency_key"));
	struct batch *batch = mem_zalloc(sizeof *batch);
	if (!batch)
		return visit_problem(visit, ERR_NOMEM);
	batch->tag = BATCH_TAG;
	buf_init(&batch->body, bytes_max);
	buf_init(&batch->scratch, bytes_max);
	visit->work = batch;
	visit->work_free = batch_free;
	return STEP_MORE;
}

static enum step batch_body(struct visit *visit, struct slice *chunk)
{
	struct batch *batch = visit->work;
	MUST_BE(batch, BATCH_TAG);
	enum err err = buf_put(&batch->body, *chunk);
	chunk->bytes = 0;
	if (err == ERR_TOO_BIG)
		err = too_big(batch->body.bytes_max);
	if (err)
		return visit_problem(visit, err);
	return STEP_MORE;
}

static void entry_fail(struct entry *entry, enum err err)
{
	entry->done = true;
	entry->err = err;
	(void)snprintf(entry->note, sizeof entry->note, "%s", err_note_text());
	err_note_clear();
}

/* Adds the entry's events to the group. An error is the entry's. */
static enum err gather(struct visit *visit, struct batch *batch, size_t at)
{
	struct item item;
	struct entry *entry = &batch->entries[at];
	const struct draft *draft = &batch->drafts[at];
	enum err err = OK;
	if (draft->stream.bytes == 0)
		err = err_note(ERR_SYNTAX, "the entry names no stream");
	if (!err)
		err = item_make(visit, draft, &item);
	if (!err && item.ephemeral)
		err = item_shout(visit, draft->stream, &item);
	if (err) {
		entry_fail(entry, err);
		return err;
	}
	entry->done = true;
	if (item.ephemeral)
		return OK;
	entry->in_group = true;
	entry->last = event_ref(item.events[item.count - 1]);
	for (size_t i = 0; i < item.count; i++)
		batch->events[batch->events_count++] = item.events[i];
	item.count = 0;
	batch->item = item;
	return OK;
}

static bool is_alone(const struct draft *draft)
{
	return draft->idem.bytes > 0 || draft->ephemeral;
}

/* The next entry that is not done, and those of its stream that can go with it. False: none
 * left. */
static bool group_next(struct visit *visit, struct batch *batch)
{
	while (batch->first < batch->count && batch->events_count == 0) {
		size_t at = batch->first;
		if (batch->entries[at].done || gather(visit, batch, at) != OK ||
		    batch->events_count == 0)
			batch->first++;
	}
	if (batch->first >= batch->count)
		return false;

	const struct draft *first = &batch->drafts[batch->first];
	bool closed = is_alone(first) || first->end != END_NONE;
	for (size_t at = batch->first + 1; at < batch->count && !closed; at++) {
		const struct draft *draft = &batch->drafts[at];
		if (batch->entries[at].done || !slice_equal(draft->stream, first->stream))
			continue;
		closed = is_alone(draft) || batch->events_count + 2 > BACKPLANE_GROUP_MAX;
		if (!closed && gather(visit, batch, at) == OK)
			closed = draft->end != END_NONE;
	}
	return true;
}

static void collect(struct visit *visit, struct batch *batch)
{
	const struct publish *publish = &visit->ask.publish;
	for (size_t i = batch->first; i < batch->count; i++) {
		struct entry *entry = &batch->entries[i];
		if (!entry->in_group)
			continue;
		enum err err = publish_error(publish);
		if (err)
			entry_fail(entry, err);
		else
			entry->at = publish->duplicate ? publish->last : entry->last->position;
		entry->duplicate = publish->duplicate;
		entry->behind = !err && publish->behind;
		entry->in_group = false;
		event_unref(&entry->last);
	}
}

static void put_result(struct buf *body, const struct draft *draft, const struct entry *entry)
{
	buf_put_text(body, "{\"stream\":");
	json_quote(draft->stream, body);
	if (entry->err) {
		buf_put_text(body, ",\"problem\":");
		problem_open(body, entry->err, entry->note);
		buf_put_byte(body, '}');
	} else if (draft->ephemeral) {
		buf_put_text(body, ",\"ephemeral\":true");
	} else {
		put_position_member(body, "id", &entry->at);
		if (entry->duplicate)
			buf_put_text(body, ",\"duplicate\":true");
		if (entry->behind)
			buf_put_text(body, ",\"replicated\":false");
	}
	buf_put_byte(body, '}');
}

static enum step answer(struct visit *visit, struct batch *batch)
{
	unsigned status = 201;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->entries[i].err)
			status = 207;
		else if (batch->entries[i].behind && status == 201)
			status = 202;
	}
	struct reply *reply = visit_json(visit, status);
	buf_put_byte(&reply->body, '[');
	for (size_t i = 0; i < batch->count; i++) {
		if (i > 0)
			buf_put_byte(&reply->body, ',');
		put_result(&reply->body, &batch->drafts[i], &batch->entries[i]);
	}
	buf_put_byte(&reply->body, ']');
	return STEP_REPLY;
}

static next_fn batch_next;

static enum step go(struct visit *visit)
{
	struct batch *batch = visit->work;
	while (group_next(visit, batch)) {
		visit->ask.publish = (struct publish){
			.name = batch->drafts[batch->first].stream,
			.events = batch->events,
			.count = batch->events_count,
			.idem = slice_of(batch->item.idem),
		};
		memcpy(visit->ask.publish.digest, batch->item.digest, sizeof batch->item.digest);
		batch->events_count = 0;
		if (!ask_publish(visit, batch_next))
			return STEP_WAIT;
		collect(visit, batch);
	}
	return answer(visit, batch);
}

static enum step batch_next(struct visit *visit)
{
	collect(visit, visit->work);
	return go(visit);
}

static enum step batch_finish(struct visit *visit)
{
	struct batch *batch = visit->work;
	MUST_BE(batch, BATCH_TAG);
	err_note_clear();
	batch->drafts = mem_zalloc_array(PUBLISH_BATCH_MAX, sizeof *batch->drafts);
	batch->entries = mem_zalloc_array(PUBLISH_BATCH_MAX, sizeof *batch->entries);
	if (!batch->drafts || !batch->entries)
		return visit_problem(visit, ERR_NOMEM);
	enum err err = publish_array(buf_slice(&batch->body), &batch->scratch, batch->drafts,
				     &batch->count);
	if (err) {
		batch->count = 0;
		/* Too many for one call, as too many bytes are; not too many for the server. */
		return visit_problem(visit, err == ERR_TOO_MANY ? ERR_TOO_BIG : err);
	}
	return go(visit);
}

const struct handler batch_handler = {
	.has_body = true,
	.begin = batch_begin,
	.body = batch_body,
	.finish = batch_finish,
};

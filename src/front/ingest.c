#include "front/ingest.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"
#include "front/problem.h"
#include "wire/json.h"
#include "wire/lines.h"
#include "wire/name.h"
#include "wire/publish.h"
#include "wire/sse.h"

#define INGEST_TAG 0x1269e57au

struct ingest {
	uint32_t tag;
	struct post_params params;
	struct lines lines; /* BODY_NDJSON */
	struct sse_reader sse; /* BODY_SSE */
	struct buf scratch;
	uint64_t place; /* the line, or the event, that is being read; 0: it is not its fault */
	uint64_t items; /* read so far */
	bool end_made; /* of the query's `end` */

	struct item held; /* read, and not yet in the group */
	struct event *events[BACKPLANE_GROUP_MAX]; /* the group */
	size_t count;
	size_t asked; /* how many of the group are on their way */
	struct item idem; /* of a group of its own */

	enum err failed;
	char note[ERR_NOTE_BYTES_MAX];
	uint64_t published; /* events with a position */
	bool any_new;
	bool any_behind; /* not yet on as many replicas as are wanted */
	struct position first, last;
};

static void ingest_free(struct visit *visit)
{
	struct ingest *ingest = visit->work;
	MUST_BE(ingest, INGEST_TAG);
	lines_fini(&ingest->lines);
	sse_reader_fini(&ingest->sse);
	buf_fini(&ingest->scratch);
	item_drop(&ingest->held);
	for (size_t i = 0; i < ingest->count; i++)
		event_unref(&ingest->events[i]);
	ingest->tag = 0;
	mem_free(ingest);
}

enum step ingest_begin(struct visit *visit, const struct post_params *params)
{
	struct ingest *ingest = mem_zalloc(sizeof *ingest);
	if (!ingest)
		return visit_problem(visit, ERR_NOMEM);
	size_t bytes_max = visit_settings(visit)->event_bytes_max * 6 + 4096;
	ingest->tag = INGEST_TAG;
	ingest->params = *params;
	lines_init(&ingest->lines, bytes_max);
	sse_reader_init(&ingest->sse, bytes_max);
	buf_init(&ingest->scratch, bytes_max);
	visit->work = ingest;
	visit->work_free = ingest_free;
	visit_brought(visit); /* from now on its clock is the events' */
	return STEP_MORE;
}

/* --- from bytes to drafts --- */

static enum err line_draft(struct visit *visit, struct ingest *ingest, struct slice line,
			   struct draft *draft)
{
	buf_reset(&ingest->scratch);
	enum err err = publish_object(line, &ingest->scratch, draft);
	if (err)
		return err;
	if (draft->stream.bytes && !slice_equal(draft->stream, visit_name(visit)))
		return err_note(ERR_SYNTAX, "the line names another stream than the request: "
					    "POST to /v1/publish for many");
	return OK;
}

static bool is_blank(struct slice line)
{
	for (size_t i = 0; i < line.bytes; i++) {
		if (line.at[i] != ' ' && line.at[i] != '\t')
			return false;
	}
	return true;
}

static enum err next_line(struct visit *visit, struct ingest *ingest, struct slice *chunk,
			  struct draft *ret_draft)
{
	for (;;) {
		struct slice line;
		ingest->place = ingest->lines.number + 1; /* should the line be too long */
		enum err err = lines_next(&ingest->lines, chunk, &line);
		if (err == ERR_AGAIN && visit->body_ended)
			err = lines_last(&ingest->lines, &line);
		if (err == ERR_TOO_BIG)
			metric_up(METRIC_LIMITS, LIMIT_EVENT_BYTES);
		if (err == ERR_TOO_BIG)
			return err_note(err, "the line has more than %zu bytes",
					ingest->lines.bytes_max);
		if (err)
			return err;
		ingest->place = ingest->lines.number;
		if (!is_blank(line))
			return line_draft(visit, ingest, line, ret_draft);
	}
}

/* A notice of ours, as in a body that another tapecast streams, is news of that stream alone. */
static bool is_notice(struct slice type)
{
	return slice_starts(type, SLICE("tapecast."));
}

static enum err next_block(struct ingest *ingest, struct slice *chunk, struct draft *ret_draft)
{
	for (;;) {
		struct sse_event event;
		ingest->place = ingest->sse.events + 1;
		enum err err = sse_next(&ingest->sse, chunk, &event);
		if (err == ERR_TOO_BIG)
			metric_up(METRIC_LIMITS, LIMIT_EVENT_BYTES);
		if (err == ERR_TOO_BIG)
			return err_note(err, "the event has more than %zu bytes",
					ingest->sse.bytes_max);
		if (err)
			return err;
		if (!event.has_data || is_notice(event.type))
			continue;
		*ret_draft = (struct draft){ .data = event.data, .has_data = true };
		/* Whatever else it is called there, such a type is none here. */
		if (event.type.bytes && type_check(event.type) == OK)
			ret_draft->type = event.type;
		err_note_clear();
		return OK;
	}
}

/* What the request says of all its events, where the event says nothing itself. The query's end is
 * the body's end, and comes after it. */
static enum err defaults_add(const struct ingest *ingest, char key[IDEM_BYTES_MAX + 32],
			     struct draft *draft)
{
	const struct draft *all = &ingest->params.draft;
	if (!draft->type.bytes)
		draft->type = all->type;
	if (!draft->key.bytes)
		draft->key = all->key;
	if (all->ephemeral && draft->end == END_NONE)
		draft->ephemeral = true;
	if (!draft->ttl_ms && !draft->ephemeral)
		draft->ttl_ms = all->ttl_ms;
	if (draft->idem.bytes || !all->idem.bytes || draft->ephemeral)
		return OK;
	/* The whole request sent again then finds each of its events. */
	int bytes = snprintf(key, IDEM_BYTES_MAX + 32, "%.*s#%llu", (int)all->idem.bytes,
			     all->idem.at, (unsigned long long)ingest->items);
	draft->idem = slice_from(key, (size_t)bytes);
	return OK;
}

/* Fills ingest->held. ERR_AGAIN: nothing more just now. */
static enum err next_item(struct visit *visit, struct ingest *ingest, struct slice *chunk)
{
	struct draft draft;
	char key[IDEM_BYTES_MAX + 32];
	enum err err = ingest->params.kind == BODY_NDJSON ? next_line(visit, ingest, chunk, &draft)
							  : next_block(ingest, chunk, &draft);
	if (err == ERR_AGAIN && visit->body_ended && ingest->params.draft.end != END_NONE &&
	    !ingest->end_made) {
		ingest->end_made = true;
		draft = (struct draft){ .end = ingest->params.draft.end };
		err = OK;
	}
	if (err)
		return err;
	ingest->items++;
	err = defaults_add(ingest, key, &draft);
	return err ? err : item_make(visit, &draft, &ingest->held);
}

/* --- from drafts to publishes --- */

static bool joins(const struct ingest *ingest, const struct item *item)
{
	if (ingest->count == 0)
		return !item->ephemeral;
	bool alone = item->ephemeral || item->idem[0] || ingest->idem.idem[0];
	bool after_end = ingest->events[ingest->count - 1]->end != END_NONE;
	return !alone && !after_end && ingest->count + item->count <= BACKPLANE_GROUP_MAX;
}

static void join(struct ingest *ingest)
{
	struct item *held = &ingest->held;
	ingest->idem = *held;
	ingest->idem.count = 0; /* the key and the digest are meant */
	for (size_t i = 0; i < held->count; i++)
		ingest->events[ingest->count++] = held->events[i];
	held->count = 0;
}

static void fail(struct ingest *ingest, enum err err)
{
	ingest->failed = err;
	(void)snprintf(ingest->note, sizeof ingest->note, "%s", err_note_text());
}

/* The group's answer is here. */
static void collect(struct visit *visit, struct ingest *ingest)
{
	const struct publish *publish = &visit->ask.publish;
	enum err err = publish_error(publish);
	size_t asked = ingest->asked;
	ingest->asked = 0;
	if (err) {
		if (ingest->failed)
			return; /* the line that was broken first is the one to tell */
		fail(ingest, err);
		ingest->place = 0;
		return;
	}
	if (ingest->published == 0)
		ingest->first = publish->first;
	ingest->last = publish->last;
	ingest->published += asked;
	ingest->any_new = ingest->any_new || !publish->duplicate;
	ingest->any_behind = ingest->any_behind || publish->behind;
	visit_brought(visit);
}

static next_fn ingest_next;

/* False: wait. */
static bool flush(struct visit *visit, struct ingest *ingest)
{
	struct publish *publish = &visit->ask.publish;
	*publish = (struct publish){
		.name = visit_name(visit),
		.events = ingest->events,
		.count = ingest->count,
		.idem = slice_of(ingest->idem.idem),
		/* If-Match speaks of where the request begins. */
		.expects = ingest->params.expects && ingest->published == 0,
		.expected = ingest->params.expected,
	};
	memcpy(publish->digest, ingest->idem.digest, sizeof publish->digest);
	ingest->asked = ingest->count;
	ingest->count = 0;
	if (!ask_publish(visit, ingest_next))
		return false;
	collect(visit, ingest);
	return true;
}

static enum step answer(struct visit *visit, struct ingest *ingest)
{
	struct reply *reply = &visit->reply;
	if (ingest->failed) {
		problem_reply_open(reply, ingest->failed, ingest->note);
		publish_conflict_fields(reply, &visit->ask.publish);
		if (ingest->place)
			buf_putf(&reply->body, ",\"%s\":%llu",
				 ingest->params.kind == BODY_NDJSON ? "line" : "event",
				 (unsigned long long)ingest->place);
		buf_putf(&reply->body, ",\"published\":%llu",
			 (unsigned long long)ingest->published);
	} else {
		unsigned status = ingest->any_new ? 201 : 200;
		if (ingest->published == 0 && ingest->items > 0)
			status = 202; /* all were ephemeral */
		if (ingest->any_behind)
			status = 202;
		reply = visit_json(visit, status);
		buf_put_text(&reply->body, "{\"stream\":");
		json_quote(visit_name(visit), &reply->body);
	}
	if (ingest->published) {
		put_position_member(&reply->body, "first", &ingest->first);
		put_position_member(&reply->body, "last", &ingest->last);
	}
	if (ingest->any_behind)
		buf_put_text(&reply->body, ",\"replicated\":false");
	if (!ingest->failed)
		buf_putf(&reply->body, ",\"count\":%llu", (unsigned long long)ingest->items);
	buf_put_byte(&reply->body, '}');
	return STEP_REPLY;
}

/* Takes what the chunk has, publishing as it goes, until there is no more or it must wait. */
static enum step go(struct visit *visit, struct slice *chunk)
{
	struct ingest *ingest = visit->work;
	MUST_BE(ingest, INGEST_TAG);
	for (;;) {
		struct item *held = &ingest->held;
		if (held->count && !ingest->failed && joins(ingest, held)) {
			join(ingest);
			continue;
		}
		bool none_more = held->count > 0 || ingest->failed;
		if (!none_more) {
			err_note_clear();
			enum err err = next_item(visit, ingest, chunk);
			if (!err)
				continue;
			none_more = true;
			if (err != ERR_AGAIN) {
				fail(ingest, err);
				continue;
			}
		}
		if (ingest->count) {
			if (!flush(visit, ingest))
				return STEP_WAIT;
			continue;
		}
		if (ingest->failed)
			return answer(visit, ingest);
		if (!held->count)
			return visit->body_ended ? answer(visit, ingest) : STEP_MORE;
		enum err err = item_shout(visit, visit_name(visit), held);
		if (err)
			fail(ingest, err);
		visit_brought(visit);
	}
}

/* The chunk's rest, if any, comes again. */
static enum step ingest_next(struct visit *visit)
{
	struct slice nothing = { 0 };
	collect(visit, visit->work);
	return go(visit, &nothing);
}

enum step ingest_body(struct visit *visit, struct slice *chunk)
{
	return go(visit, chunk);
}

enum step ingest_finish(struct visit *visit)
{
	struct slice nothing = { 0 };
	return go(visit, &nothing);
}

/*
 * page: one page of a stream's history as JSON, made on the loop when there is something to say.
 */
#include "front/read.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/must.h"
#include "front/cors.h"
#include "front/problem.h"
#include "wire/json.h"

#define ORDER_TAG 0x9a6e0fdeu

enum { ORDER_TEXT_BYTES_MAX = 1024, ETAG_BYTES_MAX = POSITION_TEXT_MAX + 32 };

struct page_order {
	uint32_t tag;
	const struct front_settings *settings;
	uint32_t limit;
	struct buf if_none_match, origin;
};

struct page {
	struct position at; /* where a reader of the page stands */
	uint64_t ord;
	uint32_t count; /* of events */
	bool has_gap;
	struct gap gap;
	enum end_state end;
	bool up_to_date;
};

enum err page_order_new(struct visit *visit, uint32_t limit, struct page_order **ret_order)
{
	struct page_order *order = mem_zalloc(sizeof *order);
	if (!order)
		return ERR_NOMEM;
	*order = (struct page_order){ .tag = ORDER_TAG, .settings = visit_settings(visit),
				      .limit = limit };
	buf_init(&order->if_none_match, ORDER_TEXT_BYTES_MAX);
	buf_init(&order->origin, ORDER_TEXT_BYTES_MAX);
	/* Too long to be one of ours: then it matches nothing, and nobody is allowed. */
	buf_put(&order->if_none_match, visit->headers.if_none_match);
	buf_put(&order->origin, visit->headers.origin);
	if (order->if_none_match.err == ERR_NOMEM || order->origin.err == ERR_NOMEM) {
		page_order_free(order);
		return ERR_NOMEM;
	}
	*ret_order = order;
	return OK;
}

void page_order_free(void *arg)
{
	struct page_order *order = arg;
	if (!order)
		return;
	MUST_BE(order, ORDER_TAG);
	buf_fini(&order->if_none_match);
	buf_fini(&order->origin);
	order->tag = 0;
	mem_free(order);
}

/* Lines of JSON become members of an array. Returns how many. */
static uint32_t put_members(struct buf *body, bool is_first, struct slice lines)
{
	uint32_t count = 0;
	while (lines.bytes) {
		const char *end = memchr(lines.at, '\n', lines.bytes);
		MUST(end);
		size_t bytes = (size_t)(end - lines.at);
		if (!is_first || count > 0)
			buf_put_byte(body, ',');
		buf_put(body, slice_from(lines.at, bytes));
		lines = slice_from(end + 1, lines.bytes - bytes - 1);
		count++;
	}
	return count;
}

/* A gap is told once a page, at its beginning; one further on ends the page before it. To be
 * overtaken by nothing but what has no position is none. */
static bool take_gap(struct page *page, const struct view *view)
{
	bool missing = view->kind == VIEW_GAP || !position_equal(&page->at, &view->end_at);
	if (missing && (page->has_gap || page->count > 0))
		return false;
	if (missing)
		page->gap = view->gap;
	page->has_gap = page->has_gap || missing;
	page->at = view->gap.next;
	page->ord = view->end_ord;
	return true;
}

/* Takes what one view gives; false: the page ends here. */
static bool take_view(struct page *page, const struct page_order *order, const struct view *view,
		      struct buf *body)
{
	switch (view->kind) {
	case VIEW_NOTHING:
		page->up_to_date = true;
		return false;
	case VIEW_END:
		page->up_to_date = true;
		page->end = view->end;
		page->at = view->end_at;
		return false;
	case VIEW_GAP:
	case VIEW_OVERTAKEN:
		return take_gap(page, view);
	case VIEW_BYTES:
		break;
	}
	bool is_full = page->count >= order->limit ||
		       body->bytes >= order->settings->page_bytes_max;
	if (view->bytes.bytes && is_full)
		return false;
	page->count += put_members(body, page->count == 0, view->bytes);
	page->at = view->end_at;
	page->ord = view->end_ord;
	return !body->err;
}

static void page_fill(struct page *page, const struct page_order *order, struct tape *tape,
		      uint64_t now_ms, struct buf *body)
{
	for (bool goes_on = true; goes_on;) {
		struct view view;
		struct peek peek = {
			.form = FORM_JSON,
			.ord = page->ord,
			.lagging = true,
			.now_ms = now_ms,
		};
		if (page->count < order->limit)
			peek.events_max = order->limit - page->count;
		tape_peek(tape, &peek, &page->at, &view);
		goes_on = take_view(page, order, &view, body);
		event_unref(&view.event);
		view_done(&view);
	}
}

static void put_position(struct buf *body, const char *name, const struct position *position)
{
	char text[POSITION_TEXT_MAX];
	(void)position_format(position, text);
	buf_putf(body, "\"%s\":\"%s\"", name, text);
}

static void put_gap(struct buf *body, struct slice stream, const struct gap *gap)
{
	buf_put_text(body, ",\"gap\":{\"stream\":");
	json_quote(stream, body);
	buf_put_byte(body, ',');
	put_position(body, "after", &gap->after);
	buf_put_byte(body, ',');
	put_position(body, "next", &gap->next);
	if (gap->lost_known)
		buf_putf(body, ",\"lost\":%llu", (unsigned long long)gap->lost);
	buf_putf(body, ",\"reason\":\"%s\"}", gap_reason_text(gap->reason));
}

static void put_rest(struct buf *body, const struct page *page, struct slice stream)
{
	buf_put_text(body, "],");
	put_position(body, "next", &page->at);
	buf_put_text(body, page->up_to_date ? ",\"up_to_date\":true" : ",\"up_to_date\":false");
	if (page->has_gap)
		put_gap(body, stream, &page->gap);
	if (page->end != END_NONE)
		buf_putf(body, ",\"end\":\"%s\"", end_state_text(page->end));
	buf_put_byte(body, '}');
}

/* The same request, answered with the same tag, has the same body: how much of it there is, where
 * it ends, and what is said of the stream. */
static void page_etag(const struct page *page, char ret_text[ETAG_BYTES_MAX])
{
	char at[POSITION_TEXT_MAX];
	(void)position_format(&page->at, at);
	(void)snprintf(ret_text, ETAG_BYTES_MAX, "\"%s.%u%s%s\"", at, page->count,
		       page->up_to_date ? "u" : "", page->has_gap ? "g" : "");
}

static bool names_tag(struct slice if_none_match, const char *etag)
{
	return if_none_match.bytes &&
	       memmem(if_none_match.at, if_none_match.bytes, etag, strlen(etag));
}

/* ERR_NOMEM, or the reason why there is no page: nobody knows the history. */
static enum err page_make(struct page_order *order, struct stream *stream,
			  const struct place *place, uint64_t now_ms, struct reply *reply)
{
	if (!place)
		return err_note(ERR_UNAVAILABLE, "the stream's history could not be read in time");

	struct page page = { .at = place->at, .ord = place->ord, .has_gap = place->gapped,
			     .gap = place->gap };
	buf_put_text(&reply->body, "{\"events\":[");
	stream_lock(stream);
	enum err err = tape_use(stream_tape(stream), FORM_JSON);
	if (!err)
		page_fill(&page, order, stream_tape(stream), now_ms, &reply->body);
	if (place->finished)
		page.end = tape_end(stream_tape(stream)); /* read before, and told again */
	stream_unlock(stream);
	if (err)
		return err;
	put_rest(&reply->body, &page, stream_name(stream));

	char etag[ETAG_BYTES_MAX];
	page_etag(&page, etag);
	reply->status = 200;
	reply_field(reply, "ETag", "%s", etag);
	reply_field(reply, "Cache-Control", "no-cache");
	if (names_tag(buf_slice(&order->if_none_match), etag)) {
		reply->status = 304;
		buf_reset(&reply->body);
	} else {
		reply_field(reply, "Content-Type", "application/json");
	}
	return reply->body.err;
}

void page_answer(void *arg, struct stream *stream, const struct place *place, uint64_t now_ms,
		 struct buf *answer)
{
	struct page_order *order = arg;
	MUST_BE(order, ORDER_TAG);
	struct reply reply;
	reply_init(&reply);
	err_note_clear();
	enum err err = page_make(order, stream, place, now_ms, &reply);
	if (err)
		problem_reply(&reply, err);
	cors_fields(order->settings, buf_slice(&order->origin), &reply);
	reply_write(&reply, answer);
	reply_fini(&reply);
}

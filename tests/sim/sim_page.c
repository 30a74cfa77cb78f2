/*
 * sim_page: one HTTP answer a request, as a client that polls asks for: what lies behind its
 *           place, as lines of JSON.
 */
#include "sim_impl.h"

#include "wire/cursor.h"

enum { PAGE_EVENTS_MAX = 50, PAGE_BYTES_MAX = 1 << 20 };

static void put_position(struct buf *page, const char *name, const struct position *position)
{
	char text[POSITION_TEXT_MAX];

	(void)position_format(position, text);
	buf_put_text(page, name);
	buf_put_text(page, text);
	buf_put_byte(page, '"');
}

static void put_gap(struct slice stream, const struct gap *gap, struct buf *page)
{
	buf_put_text(page, "{\"event\":\"tapecast.gap\"");
	put_position(page, ",\"id\":\"", &gap->next);
	buf_put_text(page, ",\"data\":{\"stream\":\"");
	buf_put(page, stream);
	buf_put_byte(page, '"');
	put_position(page, ",\"after\":\"", &gap->after);
	put_position(page, ",\"next\":\"", &gap->next);
	buf_put_text(page, ",\"reason\":\"");
	buf_put_text(page, gap_reason_text(gap->reason));
	buf_put_text(page, "\"}}\n");
}

static void put_end(struct slice stream, const struct view *view, struct buf *page)
{
	buf_put_text(page, "{\"event\":\"tapecast.end\"");
	put_position(page, ",\"id\":\"", &view->end_at);
	buf_put_text(page, ",\"data\":{\"stream\":\"");
	buf_put(page, stream);
	buf_put_text(page, "\",\"state\":\"");
	buf_put_text(page, end_state_text(view->end));
	buf_put_text(page, "\"}}\n");
}

void page_answer(void *arg, struct stream *stream, const struct place *place, uint64_t now_ms,
		 struct buf *answer)
{
	struct slice name = stream_name(stream);
	struct view view;

	(void)arg;
	buf_put(answer, page_head);
	if (!place)
		return;
	if (place->gapped)
		put_gap(name, &place->gap, answer);
	struct position at = place->at;
	struct peek peek = { .form = FORM_JSON, .ord = place->ord, .events_max = 1,
			     .lagging = true, .now_ms = now_ms };
	for (int i = 0; i < PAGE_EVENTS_MAX && answer->bytes < PAGE_BYTES_MAX; i++) {
		stream_lock(stream);
		tape_peek(stream_tape(stream), &peek, &at, &view);
		stream_unlock(stream);
		bool last = view.kind == VIEW_NOTHING || view.kind == VIEW_END;
		if (view.kind == VIEW_BYTES)
			buf_put(answer, view.bytes);
		else if (view.kind == VIEW_END)
			put_end(name, &view, answer);
		else if (!last && !position_equal(&view.gap.after, &view.gap.next))
			put_gap(name, &view.gap, answer); /* else only ephemeral events went */
		peek.ord = view.end_ord;
		at = view.end_at;
		view_done(&view);
		if (last)
			break;
	}
}

/*
 * stitch: frames whose bytes are made per session (its cursor, its coding), many for one send.
 *
 * Promise a frame that is half out is made again byte for byte: until it is whole, the session's
 *         other cursors do not move.
 * Bound   STITCH_FRAMES_MAX frames or STITCH_BYTES a send (one frame alone may be longer).
 */
#include "delivery/delivery_impl.h"

#include "base/must.h"
#include "wire/chunk.h"

struct stitched {
	size_t end; /* in the scratch */
	uint64_t folded; /* values left out before it */
	uint64_t own_ord; /* this frame's entry; what was left out lies before it */
	uint64_t ord; /* the entry behind this frame's */
	struct position at;
};

/* The event's own bytes come from the tape, the cursor from the session as it will then stand. */
static enum err stitch_content(const struct session *session, const struct view *view,
			       struct buf *buf)
{
	MUST(view->bytes.bytes >= 2);
	struct slice object = slice_from(view->bytes.at, view->bytes.bytes - 1); /* no newline */
	if (session->form == SESSION_NDJSON && session->cursor_count == 1)
		return buf_put(buf, view->bytes);
	if (session->form == SESSION_NDJSON) {
		buf_put(buf, slice_from(object.at, object.bytes - 1));
		buf_put_text(buf, ",\"cursor\":\"");
		enum err err = notice_cursor(session, buf);
		buf_put_text(buf, "\"}\n");
		return err ? err : buf->err;
	}
	struct slice type = event_type(view->event);
	if (type.bytes) {
		buf_put_text(buf, "event: ");
		buf_put(buf, type);
		buf_put_byte(buf, '\n');
	}
	buf_put_text(buf, "data: ");
	buf_put(buf, object);
	buf_put_text(buf, "\nid: ");
	enum err err = notice_cursor(session, buf);
	buf_put_text(buf, "\n\n");
	return err ? err : buf->err;
}

static enum err stitch_frame(const struct session *session, const struct view *view,
			     struct buf *buf)
{
	size_t mark = 0;
	enum err err = session->chunked ? chunk_open(buf, &mark) : OK;
	if (err == OK)
		err = stitch_content(session, view, buf);
	if (err == OK && session->chunked)
		err = chunk_close(buf, mark);
	return err;
}

/* Fills the scratch; the cursor is put back where it was. Returns the number of frames. */
static size_t stitch_gather(struct session *session, struct cursor *cursor,
			    struct stitched *ret_frames, enum err *ret_err)
{
	struct loop *loop = session->loop;
	struct stream *stream = cursor->follow->stream;
	struct position began_at = cursor->at;
	struct peek peek = { .form = FORM_JSON, .ord = cursor->ord, .events_max = 1,
			     .lagging = cursor->lagging && !cursor->skip,
			     .fold = cursor->lagging && !cursor->skip, .now_ms = loop->now_ms };
	size_t count = 0;
	*ret_err = OK;
	buf_reset(&loop->scratch);
	while (count < STITCH_FRAMES_MAX && loop->scratch.bytes < STITCH_BYTES) {
		struct view view;
		stream_lock(stream);
		tape_peek(stream_tape(stream), &peek, &cursor->at, &view);
		stream_unlock(stream);
		if (view.kind == VIEW_BYTES && view.bytes.bytes) {
#ifndef MUTANT_STITCH_STALE_CURSOR
			cursor->at = view.end_at;
#endif
			*ret_err = stitch_frame(session, &view, &loop->scratch);
		}
		bool more = view.kind == VIEW_BYTES && view.bytes.bytes && *ret_err == OK;
		if (more)
			ret_frames[count++] = (struct stitched){
				.end = loop->scratch.bytes, .folded = view.folded,
				.own_ord = view.ord,
				.ord = view.end_ord, .at = view.end_at
			};
		peek.ord = view.end_ord;
		peek.lagging = peek.fold = cursor->lagging;
		view_done(&view);
		if (!more)
			break;
	}
	cursor->at = began_at;
	return count;
}

/* The kernel took the scratch up to `reached`: the cursor goes behind the last whole frame, or, if
 * the rest of a half one can be kept, behind that. */
static void stitch_settle(struct session *session, struct cursor *cursor,
			  const struct stitched *frames, size_t count, size_t reached)
{
	size_t start = 0;
	cursor->skip = 0;
	for (size_t i = 0; i < count && start < reached; i++) {
		struct slice rest = slice_from(session->loop->scratch.at + reached, 0);
		if (frames[i].end > reached)
			rest.bytes = frames[i].end - reached;
		if (rest.bytes && pump_owe(session, rest) != OK) {
			/* Nothing may come in front of it again: what was left out stays so. */
			cursor->folded += frames[i].folded;
			cursor->ord = frames[i].own_ord;
			cursor->skip = (uint32_t)(reached - start);
			return;
		}
		count_up(&session->loop->counts.events, 1);
		cursor->folded += frames[i].folded;
		cursor->ord = frames[i].ord;
		cursor->at = frames[i].at;
		start = frames[i].end;
	}
}

enum err stitch_cursor(struct session *session, struct cursor *cursor)
{
	struct loop *loop = session->loop;
	struct stitched frames[STITCH_FRAMES_MAX];
	enum err err = OK;
	size_t count = stitch_gather(session, cursor, frames, &err);
	if (count == 0) {
		/* Memory is short (err), or the tail has just passed: seen next time. */
		if (err)
			session_close(session, &loop->counts.nomem);
		return err ? ERR_CLOSED : OK;
	}
	struct slice bytes = slice_from(loop->scratch.at + cursor->skip,
					frames[count - 1].end - cursor->skip);
	size_t sent = 0;
	err = loop->world->ops->send(loop->world, session->fd, bytes, &sent);
	err = pump_account(session, err, sent);
	if (err == OK)
		stitch_settle(session, cursor, frames, count, cursor->skip + sent);
	return err;
}

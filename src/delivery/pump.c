/*
 * pump: bytes from tapes to sockets. What the kernel refuses is never queued: the cursor stays
 *       where it is, and only the rest of a frame that is half out may be kept (OWED_BYTES_MAX).
 */
#include "delivery/delivery_impl.h"

#include <string.h>

#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"

/* The kernel's buffer is full. The session leaves every roster until the socket is writable. */
static void session_refuse(struct session *session)
{
	session->state = SESSION_REFUSED;
	session->refused_ms = session->loop->now_ms;
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		list_drop(&session->cursors[i].link);
		session->cursors[i].lagging = true;
	}
}

enum err pump_account(struct session *session, enum err err, size_t sent)
{
	struct loop *loop = session->loop;
	if (loop->sends_left)
		loop->sends_left--;
	count_up(&loop->counts.sends, 1);
	if (err == ERR_AGAIN) {
		session_refuse(session);
		return ERR_AGAIN;
	}
	if (err) {
		session_close(session, &loop->counts.by_peer);
		return ERR_CLOSED;
	}
	session->sent_ms = loop->now_ms;
	session->sent_bytes += sent;
	count_up(&loop->counts.bytes, sent);
	return OK;
}

enum err pump_owe(struct session *session, struct slice rest)
{
	if (rest.bytes > OWED_BYTES_MAX)
		return ERR_TOO_BIG;
	MUST(!session->owed);
	struct owed *owed = mem_alloc(sizeof *owed + rest.bytes);
	if (!owed)
		return ERR_NOMEM;
	owed->bytes = (uint32_t)rest.bytes;
	owed->sent = 0;
	memcpy(owed->at, rest.at, rest.bytes);
	session->owed = owed;
	return OK;
}

/* Our own blocks: bounded by what we write, so kept whatever their size. Behind what is owed. */
static enum err owe_block(struct session *session, struct slice rest)
{
	struct owed *owed = session->owed;
	size_t left = owed ? owed->bytes - owed->sent : 0;
	struct owed *both = mem_alloc(sizeof *both + left + rest.bytes);
	if (!both) {
		session_close(session, &session->loop->counts.nomem);
		return ERR_CLOSED;
	}
	both->bytes = (uint32_t)(left + rest.bytes);
	both->sent = 0;
	if (left)
		memcpy(both->at, owed->at + owed->sent, left);
	memcpy(both->at + left, rest.at, rest.bytes);
	mem_free(owed);
	session->owed = both;
	return OK;
}

enum err pump_bytes(struct session *session, struct slice bytes)
{
	if (bytes.bytes == 0)
		return OK;
	size_t sent = 0;
	if (!session->owed) {
		struct world *world = session->loop->world;
		enum err err = world->ops->send(world, session->fd, bytes, &sent);
		if (err == ERR_AGAIN)
			sent = 0;
		else if (pump_account(session, err, sent) != OK)
			return ERR_CLOSED;
	}
	if (sent == bytes.bytes)
		return OK;
	/* The rest waits; sending it meets ERR_AGAIN, and so the session is refused. */
	return owe_block(session, slice_from(bytes.at + sent, bytes.bytes - sent));
}

enum err pump_owed(struct session *session)
{
	struct world *world = session->loop->world;
	while (session->owed) {
		struct owed *owed = session->owed;
		size_t sent = 0;
		enum err err = world->ops->send(
			world, session->fd,
			slice_from(owed->at + owed->sent, owed->bytes - owed->sent), &sent);
		err = pump_account(session, err, sent);
		if (err)
			return err;
		owed->sent += (uint32_t)sent;
		if (owed->sent == owed->bytes) {
			mem_free(owed);
			session->owed = NULL;
		}
	}
	return OK;
}

/* Part of a view is out: the cursor goes to the frame that is half out, or, if its rest can be
 * kept, behind it. */
static void pump_split(struct session *session, struct cursor *cursor, const struct view *view,
		       size_t sent)
{
	struct stream *stream = cursor->follow->stream;
	struct partial partial;
	stream_lock(stream);
	tape_partial(stream_tape(stream), view, sent, &partial);
	stream_unlock(stream);
	count_up(&session->loop->counts.events, partial.ord - view->ord);
	cursor->ord = partial.ord;
	cursor->skip = partial.skip;
	if (partial.known)
		cursor->at = partial.at;
#ifdef MUTANT_PARTIAL_REPEATS
	cursor->skip = 0;
	return;
#endif
	if (!partial.skip)
		return;
	struct slice rest = slice_from(view->bytes.at + sent, partial.rest);
#ifdef MUTANT_LOST_PARTIAL
	rest.bytes -= rest.bytes > 1;
#endif
	if (pump_owe(session, rest) != OK)
		return; /* skip remembers it; overtaken inside it, the session ends */
	cursor->ord++;
	cursor->skip = 0;
	if (partial.known)
		cursor->at = partial.after;
}

enum err pump_view(struct session *session, struct cursor *cursor, const struct view *view)
{
	struct world *world = session->loop->world;
	size_t sent = 0;
	enum err err = world->ops->send(world, session->fd, view->bytes, &sent);
#ifdef MUTANT_EAGAIN_FORGOTTEN
	if (err == ERR_AGAIN)
		cursor->ord = view->end_ord;
#endif
	err = pump_account(session, err, sent);
	if (err)
		return err;
	cursor->folded += view->folded;
	if (sent < view->bytes.bytes) {
		pump_split(session, cursor, view, sent);
		return OK;
	}
	count_up(&session->loop->counts.events, view->end_ord - view->ord);
	cursor->ord = view->end_ord;
	cursor->skip = 0;
	cursor->at = view->end_at;
	return OK;
}

/* History is missing before the cursor: told, or the session ends if it cannot be. */
static enum err pump_gap(struct session *session, struct cursor *cursor, const struct view *view)
{
	struct loop *loop = session->loop;
	bool overtaken = view->kind == VIEW_OVERTAKEN;
	bool missing = !position_equal(&cursor->at, &view->end_at);
	/* Half a frame cannot be taken back, and who wants no notices cannot be told otherwise. The
	 * id of the last whole event is resumable, and then the gap is told. */
	bool ends = cursor->skip || (missing && (!session->notices || view->slow == SLOW_CLOSE));
	if (overtaken && ends) {
		session_part(session, PART_OVERTAKEN);
		return ERR_CLOSED;
	}
	struct gap gap = view->gap;
	cursor->ord = view->end_ord;
	cursor->at = view->end_at;
	cursor->lagging = true;
	cursor->ended = false;
	if (overtaken && !missing)
		return OK; /* only what had no position was passed over */
#ifdef MUTANT_NO_GAP
	return OK;
#endif
	buf_reset(&loop->scratch);
	enum err err = notice_gap(session, stream_name(cursor->follow->stream), &gap,
				  &loop->scratch);
	if (err) {
		session_close(session, &loop->counts.nomem);
		return ERR_CLOSED;
	}
	return pump_bytes(session, buf_slice(&loop->scratch));
}

static enum err pump_end(struct session *session, struct cursor *cursor, const struct view *view)
{
	struct loop *loop = session->loop;
	struct slice name = stream_name(cursor->follow->stream);
	buf_reset(&loop->scratch);
	/* Its id is still before the end: who is cut here is told the end again. */
	enum err err = notice_folded(session, name, cursor->folded, &loop->scratch);
	cursor->folded = 0;
	cursor->ord = view->end_ord;
	cursor->at = view->end_at;
	cursor->ended = true;
	bool all = true;
	for (uint16_t i = 0; i < session->cursor_count; i++)
		all = all && session->cursors[i].ended;
	all = all && !session->talk; /* who talks may ask for other streams */
	session->closing = all;
	if (err == OK)
		err = notice_end(session, name, view->end, &loop->scratch);
	if (err == OK && all)
		err = notice_close(session, &loop->scratch);
	if (err) {
		session_close(session, &loop->counts.nomem);
		return ERR_CLOSED;
	}
	return pump_bytes(session, buf_slice(&loop->scratch));
}

static void cursor_look(const struct session *session, const struct cursor *cursor,
			struct view *view)
{
	struct stream *stream = cursor->follow->stream;
	bool stitches = session_stitches(session); /* whose skip counts in frames of their own */
	const struct peek peek = {
		.form = session_tape_form(session),
		.ord = cursor->ord,
		.skip = stitches ? 0 : cursor->skip,
		.events_max = stitches ? 1 : 0,
		.lagging = cursor->lagging && !(stitches && cursor->skip),
		.fold = cursor->lagging && !cursor->skip,
		.now_ms = session->loop->now_ms,
	};
	stream_lock(stream);
	tape_peek(stream_tape(stream), &peek, &cursor->at, view);
	uint64_t lag = tape_head_ord(stream_tape(stream)) - cursor->ord;
	stream_unlock(stream);
	metric_observe(METRIC_READER_LAG, 0, lag);
}

/* The head is reached. What was folded on the way is told before the reader rests. */
static enum err pump_caught_up(struct session *session, struct cursor *cursor)
{
	struct loop *loop = session->loop;
	uint64_t folded = cursor->folded;
	cursor->lagging = false;
	cursor->folded = 0;
	list_push(&cursor->follow->roster, &cursor->link);
	if (!folded)
		return OK;
	buf_reset(&loop->scratch);
	if (notice_folded(session, stream_name(cursor->follow->stream), folded, &loop->scratch)) {
		session_close(session, &loop->counts.nomem);
		return ERR_CLOSED;
	}
	return pump_bytes(session, buf_slice(&loop->scratch));
}

/* What was seen, done. */
static enum err pump_seen(struct session *session, struct cursor *cursor, const struct view *view)
{
	switch (view->kind) {
	case VIEW_NOTHING:
		break;
	case VIEW_BYTES:
		if (view->bytes.bytes && session_stitches(session))
			return stitch_cursor(session, cursor); /* which counts for itself */
		if (view->bytes.bytes)
			return pump_view(session, cursor, view);
		cursor->folded += view->folded;
		cursor->ord = view->end_ord;
		cursor->at = view->end_at;
		break;
	case VIEW_GAP:
	case VIEW_OVERTAKEN:
		return pump_gap(session, cursor, view);
	case VIEW_END:
		return pump_end(session, cursor, view);
	}
	return OK;
}

enum err pump_cursor(struct session *session, struct cursor *cursor, int views_max)
{
	for (int i = 0; i < views_max; i++) {
		struct view view;
		cursor_look(session, cursor, &view);
		if (view.kind == VIEW_NOTHING)
			return pump_caught_up(session, cursor);
		enum err err = pump_seen(session, cursor, &view);
		view_done(&view);
		if (err)
			return err;
		if (session->owed || session->closing)
			return OK;
	}
	return OK;
}

/*
 * session_life: a session from its opening to its last byte: what it does in a turn, and when a
 *               deadline passes.
 */
#include "delivery/delivery_impl.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

static enum err session_beat(struct session *session)
{
	if (session->talk)
		session->talk->pinged_ms = session->loop->now_ms;
	struct buf *buf = &session->loop->scratch;
	buf_reset(buf);
	if (notice_beat(session, buf) == OK)
		return pump_bytes(session, buf_slice(buf));
	session_close(session, &session->loop->counts.nomem);
	return ERR_CLOSED;
}

static bool session_all_live(const struct session *session)
{
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		struct stream *stream = session->cursors[i].follow->stream;
		stream_lock(stream);
		bool live = stream_live(stream);
		stream_unlock(stream);
		if (!live)
			return false;
	}
	return true;
}

/* What placing all cursors found. */
struct opening {
	bool recovered; /* every start was a position, and was honoured */
	bool finished; /* nothing is left to read anywhere, nor will be */
	struct place places[CURSOR_STREAMS_MAX];
};

enum err cursor_place(struct session *session, struct cursor *cursor, struct place *ret_place)
{
	struct stream *stream = cursor->follow->stream;
	stream_lock(stream);
	enum err err = tape_use(stream_tape(stream), session_tape_form(session));
	if (err == OK)
		tape_place(stream_tape(stream), &cursor->start, session->loop->now_ms, ret_place);
	uint64_t head_ord = tape_head_ord(stream_tape(stream));
	stream_unlock(stream);
	if (err)
		return err;
	list_drop(&cursor->link);
	cursor->ord = ret_place->ord;
	/* Until a gap has been told, an id must lead back to where it will be told again. */
	cursor->at = ret_place->gapped ? ret_place->gap.after : ret_place->at;
	cursor->placed = true;
	cursor->lagging = ret_place->ord != head_ord; /* at the head, it listens from now on */
	return OK;
}

static enum err session_place(struct session *session, struct opening *opening)
{
	opening->recovered = true;
	opening->finished = true;
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		struct place *place = &opening->places[i];
		enum err err = cursor_place(session, &session->cursors[i], place);
		if (err)
			return err;
		opening->recovered = opening->recovered && place->recovered;
		opening->finished = opening->finished && place->finished;
	}
	if (session->cursor_count)
		session->extra->place = opening->places[0]; /* an answer tells its gap inside */
	return OK;
}

/* One gap after the other: each notice's id is behind its own gap and before those to come. */
static enum err session_write_gaps(struct session *session, const struct opening *opening,
				   struct buf *buf)
{
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		struct cursor *cursor = &session->cursors[i];
		const struct place *place = &opening->places[i];
		if (!place->gapped)
			continue;
		cursor->at = place->at;
		enum err err = notice_gap(session, stream_name(cursor->follow->stream),
					  &place->gap, buf);
		if (err)
			return err;
	}
	return OK;
}

/* The head, and what stands before the first event. */
static enum err session_write_opening(struct session *session, const struct opening *opening)
{
	const struct extra *extra = session->extra;
	struct buf *buf = &session->loop->scratch;
	buf_reset(buf);
	if (opening->finished && !session->head_sent && extra->head_finished_bytes) {
		session->closing = true;
		buf_put(buf, slice_from(extra->texts + extra->head_bytes,
					extra->head_finished_bytes));
		return buf->err;
	}
	if (!session->head_sent)
		buf_put(buf, slice_from(extra->texts, extra->head_bytes));
	enum err err = notice_open(session, opening->recovered, buf);
	if (err == OK)
		err = session_write_gaps(session, opening, buf);
	return err ? err : buf->err;
}

static void session_open(struct session *session)
{
	struct opening opening;
	enum err err = session_place(session, &opening);
	bool answers = session->form == SESSION_ANSWER;
	if (err == OK && !answers)
		err = session_write_opening(session, &opening);
	if (err) {
		session_close(session, &session->loop->counts.nomem);
		return;
	}
	session->opened = true;
	if (!answers) {
		session->head_sent = true;
		session_let_go(session);
		if (pump_bytes(session, buf_slice(&session->loop->scratch)) != OK)
			return;
		session_arm(session, session->loop->now_ms + session->beat_ms);
	}
	session_run(session);
}

void session_try_open(struct session *session)
{
	if (session->state != SESSION_WAITING || !session_all_live(session))
		return;
	session->state = SESSION_RESTING;
	session_open(session);
}

/* Something for the answer is there. */
static bool answer_due(const struct session *session)
{
	const struct cursor *cursor = session->cursors;
	const struct extra *extra = session->extra;
	if (session->loop->now_ms >= session->opened_ms + extra->wait_ms || extra->place.gapped ||
	    extra->place.finished)
		return true;
	struct peek peek = { .form = FORM_JSON, .ord = cursor->ord, .lagging = true,
			     .now_ms = session->loop->now_ms };
	struct stream *stream = cursor->follow->stream;
	struct view view;
	bool stepped;
	do { /* over what has expired, to what stands behind it */
		stream_lock(stream);
		tape_peek(stream_tape(stream), &peek, &cursor->at, &view);
		stream_unlock(stream);
		stepped = view.kind == VIEW_BYTES && !view.bytes.bytes;
		peek.ord = view.end_ord;
		view_done(&view);
	} while (stepped);
	return view.kind != VIEW_NOTHING;
}

enum err session_answer(struct session *session)
{
	struct loop *loop = session->loop;
	struct extra *extra = session->extra;
	struct buf answer;
	buf_init(&answer, SIZE_MAX / 4); /* the callback keeps a bound of its own */
	extra->answer(extra->answer_arg, session->cursors->follow->stream,
		      session->cursors->placed ? &extra->place : NULL, loop->now_ms, &answer);
	enum err err = answer.err;
	session->closing = true;
	if (err || !answer.bytes) {
		session_close(session, &loop->counts.nomem);
		err = ERR_CLOSED;
	} else {
		err = pump_bytes(session, buf_slice(&answer));
	}
	buf_fini(&answer);
	return err;
}

/* The cursor whose turn it is: the one inside a frame, else the next that is not at rest. */
static struct cursor *session_next_cursor(struct session *session)
{
	struct cursor *found = NULL;
	uint16_t first = session->cursor_next; /* which changes while all are looked at */
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		uint16_t at = (uint16_t)((first + i) % session->cursor_count);
		struct cursor *cursor = &session->cursors[at];
		if (cursor->skip)
			return cursor;
		if (!found && list_empty(&cursor->link)) {
			found = cursor;
			session->cursor_next = (uint16_t)((at + 1) % session->cursor_count);
		}
	}
	return found;
}

/* The window of interval= is not over: all that came is sent when it is. */
static bool session_paces(struct session *session, const struct cursor *cursor)
{
	uint64_t next_ms = session->flushed_ms + session->interval_ms;
	uint64_t beat_at_ms = session_beat_at_ms(session);
	/* What is half out is finished first: a beat may come before the window is over. */
	if (!session->interval_ms || cursor->lagging || cursor->skip || session->flushing ||
	    !session->flushed_ms || session->loop->now_ms >= next_ms)
		return false;
	session->state = SESSION_PACED;
	session_arm(session, next_ms < beat_at_ms ? next_ms : beat_at_ms);
	return true;
}

/* There is more to do than this turn allows. */
static void session_rest(struct session *session)
{
	bool more = session->owed || session->closing ||
		    (session->talk && session->talk->said.bytes);
	for (uint16_t i = 0; i < session->cursor_count && !more; i++)
		more = list_empty(&session->cursors[i].link);
	session->state = more ? SESSION_BUSY : SESSION_RESTING;
	session->flushing = session->flushing && more;
	if (more)
		list_push(&session->loop->busy, &session->busy_link);
}

void session_run(struct session *session)
{
	struct loop *loop = session->loop;
	if (session->state == SESSION_GONE || !session->opened)
		return;
	if (session->lapse_ms <= loop->now_ms && !lapse_due(session))
		return;
	if (session->state == SESSION_BUSY)
		list_drop(&session->busy_link);
	session->state = SESSION_RESTING;
	int views = SESSION_VIEWS_MAX + session->cursor_count;
	while (views-- > 0 && loop->sends_left > 0) {
		if (pump_owed(session) != OK)
			return;
		if (session->closing) {
			session_close(session, &loop->counts.end);
			return;
		}
		if (session->talk && talk_flush(session) != OK)
			return;
		if (session->owed)
			continue;
		if (session->talk && talk_is_over(session))
			return;
		struct cursor *cursor = session_next_cursor(session);
		if (!cursor) {
			session->flushing = false;
			return;
		}
		if (session->form == SESSION_ANSWER) {
			if (!answer_due(session))
				list_push(&cursor->follow->roster, &cursor->link);
			else if (session_answer(session) != OK)
				return;
			continue;
		}
		if (!cursor->placed) {
			if (late_place(session, cursor) != OK)
				return;
			continue;
		}
		if (session_paces(session, cursor))
			return;
		uint64_t ord = cursor->ord;
		if (pump_cursor(session, cursor, 1) != OK)
			return;
		if (cursor->ord == ord && !cursor->skip)
			continue; /* there was nothing */
		/* The first send opens the window, all others belong to it. */
		session->flushing = true;
		session->flushed_ms = loop->now_ms;
	}
	session_rest(session);
}

/* Not every stream has become live in time: the head goes out alone, so that proxies and browsers
 * know they are heard; the open block follows. */
static void session_due_waiting(struct session *session, uint64_t now_ms)
{
	struct loop *loop = session->loop;
	if (session->form == SESSION_ANSWER) {
		session->opened = true;
		session->state = SESSION_RESTING;
		list_drop(&session->cursors->link);
		session_run(session);
		return;
	}
	if (session->owed) { /* not even the last beat is out: nothing is heaped on it */
		session_arm(session, now_ms + session->beat_ms);
		return;
	}
	buf_reset(&loop->scratch);
	if (!session->head_sent)
		buf_put(&loop->scratch, slice_from(session->extra->texts,
						   session->extra->head_bytes));
	session->head_sent = true;
	if (notice_beat(session, &loop->scratch) != OK || loop->scratch.err)
		session_close(session, &loop->counts.nomem);
	else if (pump_bytes(session, buf_slice(&loop->scratch)) == OK)
		session_arm(session, now_ms + session->beat_ms);
}

static void session_due_resting(struct session *session, uint64_t now_ms)
{
	struct loop *loop = session->loop;
	if (session->form == SESSION_ANSWER) {
		list_drop(&session->cursors->link);
		session_arm(session, now_ms + loop->engine->config.dead_ms);
		session_run(session);
		return;
	}
	if (now_ms >= session_beat_at_ms(session) && session_beat(session) != OK)
		return;
	session_arm(session, session_beat_at_ms(session));
	if (session->owed)
		session_run(session); /* meets ERR_AGAIN, and so waits for writable */
}

static void session_due_paced(struct session *session, uint64_t now_ms)
{
	if (now_ms >= session_beat_at_ms(session) && session_beat(session) != OK)
		return;
	session_arm(session, session_beat_at_ms(session));
	session_run(session);
}

static void session_due_refused(struct session *session, uint64_t now_ms)
{
	uint64_t dead_at_ms = session->refused_ms + session->loop->engine->config.dead_ms;
	uint64_t beat_at_ms = now_ms + session->beat_ms;
	/* It may be at rest again long before it would be given up, and then owes beats. */
	bool dead_first = now_ms < dead_at_ms && dead_at_ms < beat_at_ms;
	session_arm(session, dead_first ? dead_at_ms : beat_at_ms);
	if (now_ms < dead_at_ms)
		return;
	/* The kernel calls a socket writable when a good part of its buffer is free, and a slow
	 * reader may take longer for that than the dead are given: does it take anything at all? */
	session->state = SESSION_RESTING;
	session_run(session);
	if (session->state == SESSION_REFUSED && session->sent_ms != now_ms)
		session_close(session, &session->loop->counts.dead);
}

void session_due(struct deadline *due, uint64_t now_ms)
{
	struct session *session = CONTAINER_OF(due, struct session, deadline);
	MUST_BE(session, SESSION_TAG);
	if (!lapse_due(session))
		return;
	if (session->talk && talk_dead(session)) {
		session_close(session, session->talk->finishing
					       ? part_counter(session->loop, session->talk->part)
					       : &session->loop->counts.dead);
		return;
	}
	if (now_ms < session->due_ms) {
		session_arm(session, session->due_ms);
		return;
	}
	if (session->draining) {
		if (now_ms >= session->drain_ms)
			session_dismiss(session, (enum part)session->drain_part);
		else
			session_arm(session, session->drain_ms);
		return;
	}
	switch ((enum session_state)session->state) {
	case SESSION_WAITING:
		session_due_waiting(session, now_ms);
		break;
	case SESSION_RESTING:
		session_due_resting(session, now_ms);
		break;
	case SESSION_REFUSED:
		session_due_refused(session, now_ms);
		break;
	case SESSION_PACED:
		session_due_paced(session, now_ms);
		break;
	case SESSION_BUSY:
		session_arm(session, now_ms + session->beat_ms);
		break;
	case SESSION_GONE:
		break;
	}
}

/*
 * late: streams and tokens that come and go while a session is open.
 *
 * Promise no event is lost or given twice by a change: cursors that stay are moved as they are, a
 *         new one is placed when its stream is live, and its notice comes before its first event.
 */
#include "delivery/delivery_impl.h"

#include "base/mem.h"
#include "base/must.h"
#include "wire/json.h"

static void cursor_move(struct cursor *to, struct cursor *from)
{
	*to = *from;
	if (list_empty(&from->link)) {
		list_init(&to->link);
		return;
	}
	to->link.prev->next = &to->link;
	to->link.next->prev = &to->link;
	list_init(&from->link);
}

/* Room for `more` cursors. ERR_NOMEM: as it was. */
static enum err cursors_grow(struct session *session, size_t more)
{
	if (more == 0)
		return OK;
	struct cursor *cursors =
		mem_zalloc_array(session->cursor_count + more, sizeof *cursors);
	if (!cursors)
		return ERR_NOMEM;
	for (uint16_t i = 0; i < session->cursor_count; i++)
		cursor_move(&cursors[i], &session->cursors[i]);
	if (session->cursors != &session->only)
		mem_free(session->cursors);
	session->cursors = cursors;
	return OK;
}

static void cursor_leave(struct session *session, uint16_t at)
{
	struct cursor *cursor = &session->cursors[at];
	follow_leave(cursor);
	mem_free(cursor->ref);
	for (uint16_t i = at; i + 1 < session->cursor_count; i++)
		cursor_move(&session->cursors[i], &session->cursors[i + 1]);
	session->cursor_count--;
	session->cursor_next = 0;
}

struct cursor *late_find(const struct session *session, struct slice name)
{
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		if (slice_equal(stream_name(session->cursors[i].follow->stream), name))
			return &session->cursors[i];
	}
	return NULL;
}

enum err late_add(struct session *session, const struct wanted *wanted, size_t count)
{
	if (session->cursor_count + count > CURSOR_STREAMS_MAX)
		return err_note(ERR_TOO_MANY, "a session listens to at most %d streams",
				CURSOR_STREAMS_MAX);
	enum err err = cursors_grow(session, count);
	uint16_t before = session->cursor_count;
	for (size_t i = 0; i < count && err == OK; i++) {
		struct cursor *cursor = &session->cursors[session->cursor_count];
		*cursor = (struct cursor){ .session = session, .start = wanted[i].start,
					   .late = true };
		list_init(&cursor->link);
		if (late_find(session, wanted[i].name))
			err = err_note(ERR_CONFLICT, "the session listens to %.*s already",
				       (int)wanted[i].name.bytes, wanted[i].name.at);
		else
			err = follow_join(session->loop, wanted[i].name, cursor);
		if (err)
			break;
		session->cursor_count++;
		list_drop(&cursor->link); /* its turn comes: it is placed, or rests on the roster */
	}
	while (err && session->cursor_count > before)
		cursor_leave(session, (uint16_t)(session->cursor_count - 1));
	session_pace(session);
	return err;
}

void late_drop(struct session *session, struct cursor *cursor)
{
	MUST(!cursor->skip);
	cursor_leave(session, (uint16_t)(cursor - session->cursors));
	session_pace(session);
}

void late_leave_all(struct session *session)
{
	while (session->cursor_count)
		cursor_leave(session, (uint16_t)(session->cursor_count - 1));
}

enum err late_place(struct session *session, struct cursor *cursor)
{
	struct loop *loop = session->loop;
	struct stream *stream = cursor->follow->stream;
	struct place place;
	stream_lock(stream);
	bool live = stream_live(stream);
	stream_unlock(stream);
	if (!live) {
		list_push(&cursor->follow->roster, &cursor->link);
		return OK;
	}
	enum err err = cursor_place(session, cursor, &place);
	buf_reset(&loop->scratch);
#ifndef MUTANT_LATE_SILENT
	if (err == OK)
		err = notice_added(session, cursor, &place, &loop->scratch);
#endif
	mem_free(cursor->ref);
	cursor->ref = NULL;
	if (err == OK && place.gapped) {
		cursor->at = place.at;
		err = notice_gap(session, stream_name(stream), &place.gap, &loop->scratch);
	}
	if (err) {
		session_close(session, &loop->counts.nomem);
		return ERR_CLOSED;
	}
	return pump_bytes(session, buf_slice(&loop->scratch));
}

/* --- a change as a whole --- */

static bool named(struct slice name, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(names[i], name))
			return true;
	}
	return false;
}

bool late_may_read(const struct session *session, const struct bearer *bearer, struct slice name)
{
	const struct engine_config *config = &session->loop->engine->config;
	return !config->may_read || config->may_read(config->may_read_arg, bearer, name);
}

enum err late_bearer_fits(const struct session *session, const struct bearer *bearer)
{
	if (!bearer_valid(bearer, loop_wall_ms(session->loop)))
		return err_note(ERR_DENIED, "the token is no longer valid");
	if (session->bearer &&
	    !slice_equal(bearer_sub(session->bearer), bearer_sub(bearer)))
		return err_note(ERR_DENIED, "the token is another subject's than the session's");
	return OK;
}

static enum err change_fits(const struct session *session, const struct change *change)
{
	bool several = session->form == SESSION_SSE_ENVELOPE || session->form == SESSION_NDJSON;
	if (change->bearer) {
		enum err err = late_bearer_fits(session, change->bearer);
		if (err)
			return err;
	}
	if ((change->add_count || change->drop_count) && !several)
		return err_note(ERR_CONFLICT, "this session has one stream and no envelope");
	size_t left = session->cursor_count + change->add_count;
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		left -= named(stream_name(session->cursors[i].follow->stream), change->drop,
			      change->drop_count);
		if (session->cursors[i].skip)
			return err_note(ERR_AGAIN, "an event is half out; ask again");
	}
	if (left == 0)
		return err_note(ERR_CONFLICT, "its last stream would go; close it instead");
	if (!session->opened || session->closing)
		return err_note(ERR_AGAIN, "the session is not open yet, or no longer; ask again");
	return OK;
}

void late_set_bearer(struct session *session, struct bearer *bearer)
{
	bearer_unref(&session->bearer);
	session->bearer = bearer_ref(bearer);
	session->warned = false;
	lapse_set(session);
	session_arm(session, session->due_ms);
}

/* The rest of what the listener is told: dropped is there already. */
static void change_told(const struct session *session, const struct buf *refused)
{
	struct buf *json = &session->loop->change;
	buf_put_text(json, "],\"refused\":[");
	buf_put(json, buf_slice(refused));
	buf_put_byte(json, ']');
	if (session->lapse_ms != UINT64_MAX) {
		buf_put_text(json, ",\"expires_in\":");
		buf_put_u64(json, (session->lapse_ms - session->loop->now_ms + 999) / 1000);
	}
	buf_put_byte(json, '}');
	if (refused->err)
		json->err = refused->err;
}

enum err late_change(struct session *session, const struct change *change)
{
	struct loop *loop = session->loop;
	enum err err = change_fits(session, change);
	if (err == OK)
		err = late_add(session, change->add, change->add_count);
	if (err)
		return err;
	if (change->bearer)
		late_set_bearer(session, change->bearer);
	struct buf *dropped = &loop->change, *refused = &loop->scratch;
	buf_reset(dropped);
	buf_reset(refused);
	buf_put_text(dropped, "{\"dropped\":[");
	size_t dropped_count = 0, refused_count = 0;
	for (uint16_t i = session->cursor_count; i-- > 0;) {
		struct cursor *cursor = &session->cursors[i];
		struct slice name = stream_name(cursor->follow->stream);
		if (!late_may_read(session, session->bearer, name)) {
			const struct refused one = { name, "forbidden" };
			notice_refused_one(&one, refused_count++ == 0, refused);
		} else if (named(name, change->drop, change->drop_count)) {
			buf_put_text(dropped, dropped_count++ ? "," : "");
			json_quote(name, dropped);
		} else {
			continue;
		}
		late_drop(session, cursor);
	}
	change_told(session, refused);
	return OK;
}

void late_changed(struct session *session)
{
	struct loop *loop = session->loop;
	if (session->state == SESSION_GONE)
		return;
	if (!session->cursor_count) {
		session_dismiss(session, PART_EXPIRED);
		return;
	}
	buf_reset(&loop->scratch);
	if (loop->change.err || notice_changed(session, buf_slice(&loop->change), &loop->scratch)) {
		session_close(session, &loop->counts.nomem);
		return;
	}
	/* Those that are left may all have ended. */
	bool all = true;
	for (uint16_t i = 0; i < session->cursor_count; i++)
		all = all && session->cursors[i].ended;
	session->closing = all;
	if (all && notice_close(session, &loop->scratch)) {
		session_close(session, &loop->counts.nomem);
		return;
	}
	if (pump_bytes(session, buf_slice(&loop->scratch)) != OK)
		return;
	if (session->state != SESSION_REFUSED)
		session_run(session);
}

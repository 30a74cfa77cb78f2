/*
 * session: a socket that listens: its birth, its opening, its turn, its end.
 */
#include "delivery/delivery_impl.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum { READ_CHUNK_BYTES = 4096, READ_CHUNKS_MAX = 16 };

void session_arm(struct session *session, uint64_t at_ms)
{
	struct wheel *wheel = session->loop->wheel;
	uint64_t now_ms = session->loop->now_ms;
	session->due_ms = at_ms;
	if (session->lapse_step_ms < at_ms)
		at_ms = session->lapse_step_ms;
	/* Beyond the wheel's reach: the deadline fires early, finds nothing due and arms again. */
	uint64_t far_ms = now_ms + WHEEL_SPAN_MS - 2 * WHEEL_TICK_MS;
	enum err err = wheel_arm(wheel, &session->deadline, at_ms < far_ms ? at_ms : far_ms);
	MUST(err == OK);
}

struct slice session_name(const void *object)
{
	const struct session *session = object;
	return slice_from((const char *)session->id, sizeof session->id);
}

void session_id_text(const struct session *session, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < SESSION_ID_BYTES; i++) {
		*ret_text++ = digits[session->id[i] >> 4];
		*ret_text++ = digits[session->id[i] & 15];
	}
}

void session_let_go(struct session *session)
{
	if (session->extra && session->extra->answer_free)
		session->extra->answer_free(session->extra->answer_arg);
	mem_free(session->extra);
	session->extra = NULL;
}

/* Everything but the socket, which is the caller's to close or to keep. */
static void session_undo(struct session *session)
{
	wheel_disarm(session->loop->wheel, &session->deadline);
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		follow_leave(&session->cursors[i]);
		mem_free(session->cursors[i].ref);
		session->cursors[i].ref = NULL;
	}
	bearer_unref(&session->bearer);
	if (session->address)
		engine_give_place(session->loop->engine, session->address);
	session->address = NULL;
	list_drop(&session->busy_link);
	if (session->talk)
		list_drop(&session->talk->unread_link);
	if (map_get(session->loop->ids, session_name(session)) == session)
		(void)map_take(session->loop->ids, session_name(session));
}

static void session_free(struct session *session)
{
	mem_free(session->owed);
	talk_free(&session->talk);
	if (session->cursors != &session->only)
		mem_free(session->cursors);
	session->tag = 0;
	mem_free(session);
}

static enum err session_keep_extra(struct session *session, const struct ticket *ticket)
{
	struct buf *texts = &session->loop->scratch;
	buf_reset(texts);
	buf_put(texts, ticket->head);
	buf_put(texts, ticket->head_finished);
	if (ticket->refused_count)
		notice_refused(ticket->refused, ticket->refused_count, texts);
	if (texts->err)
		return texts->err;
	session->extra = mem_zalloc(sizeof *session->extra + texts->bytes);
	if (!session->extra)
		return ERR_NOMEM;
	session->extra->head_bytes = ticket->head.bytes;
	session->extra->head_finished_bytes = ticket->head_finished.bytes;
	session->extra->refused_bytes =
		texts->bytes - ticket->head.bytes - ticket->head_finished.bytes;
	if (texts->bytes)
		memcpy(session->extra->texts, texts->at, texts->bytes);
	session->extra->wait_ms = ticket->wait_ms;
	session->extra->answer = ticket->answer;
	session->extra->answer_arg = ticket->answer_arg;
	return OK;
}

static enum err session_join(struct session *session, const struct ticket *ticket)
{
	if (ticket->form == SESSION_WS)
		return talk_new(session, ticket->duplex);
	session->cursors = &session->only;
	if (ticket->wanted_count > 1)
		session->cursors = mem_zalloc_array(ticket->wanted_count, sizeof(struct cursor));
	if (!session->cursors)
		return ERR_NOMEM;
	for (size_t i = 0; i < ticket->wanted_count; i++) {
		struct cursor *cursor = &session->cursors[i];
		cursor->session = session;
		cursor->start = ticket->wanted[i].start;
		list_init(&cursor->link);
		session->cursor_count++;
		enum err err = follow_join(session->loop, ticket->wanted[i].name, cursor);
		if (err)
			return err;
	}
	return OK;
}

void session_pace(struct session *session)
{
	uint32_t beat_ms = session->loop->engine->config.heartbeat_ms;
	session->interval_ms = session->asked_interval_ms;
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		if (!session->cursors[i].follow)
			continue; /* it could not join */
		/* Never changed while the tape lives: no lock is needed. */
		const struct tape_bounds *bounds =
			tape_bounds_of(stream_tape(session->cursors[i].follow->stream));
		if (bounds->interval_ms > session->interval_ms)
			session->interval_ms = bounds->interval_ms;
		if (bounds->heartbeat_ms && bounds->heartbeat_ms < beat_ms)
			beat_ms = bounds->heartbeat_ms;
	}
	session->beat_ms = loop_draw(session->loop, beat_ms - beat_ms / 10, beat_ms);
}

enum err session_new(struct loop *loop, const struct ticket *ticket, struct session **ret_session)
{
	const struct engine_config *config = &loop->engine->config;
	struct session *session = mem_zalloc(sizeof *session);
	if (!session)
		return ERR_NOMEM;
	session->tag = SESSION_TAG;
	session->fd = ticket->fd;
	session->loop = loop;
	session->form = (uint8_t)ticket->form;
	session->chunked = ticket->chunked;
	session->notices = ticket->notices;
	session->asked_interval_ms = ticket->interval_ms;
	session->opened_ms = session->sent_ms = loop->now_ms;
	session->retry_ms = loop_draw(loop, config->retry_min_ms, config->retry_max_ms);
	list_init(&session->link);
	list_init(&session->busy_link);
	deadline_init(&session->deadline, session_due);
	loop->world->ops->random(loop->world, session->id, sizeof session->id);
	session->id[SESSION_ID_BYTES - 1] = loop->index;
	session->bearer = bearer_ref(ticket->bearer);
	lapse_set(session);

	enum err err = engine_take_place(loop->engine, ticket->address, &session->address);
	if (err == OK)
		err = session_keep_extra(session, ticket);
	if (err == OK)
		err = session_join(session, ticket);
	if (err == OK && ticket->form != SESSION_ANSWER)
		err = map_put(loop->ids, session);
	if (err == OK)
		err = loop->world->ops->poller_add(loop->poller, ticket->fd,
						   WORLD_READABLE | WORLD_WRITABLE, session);
	session_pace(session);
	if (err) {
		session_undo(session);
		session_let_go(session); /* answer_free is not set yet: the argument stays theirs */
		session_free(session);
		return err;
	}
	session->extra->answer_free = ticket->answer_free;
	session->adopted = true;
	list_push(&loop->sessions, &session->link);
	count_up(&loop->counts.opened, 1);
	count_up(&loop->counts.opened_of[session->form], 1);
	bool waits = ticket->form == SESSION_ANSWER;
	session_arm(session, loop->now_ms + (waits ? ticket->wait_ms : config->open_ms));
	*ret_session = session;
	return OK;
}

void session_close(struct session *session, _Atomic uint64_t *counter)
{
	struct loop *loop = session->loop;
	MUST_BE(session, SESSION_TAG);
	MUST(session->state != SESSION_GONE);
	session->state = SESSION_GONE;
	count_up(counter, 1);
	count_up(&loop->counts.closed_of[session->form], 1);
	/* Always off the poller first: another holder of the socket would keep the registration. */
	loop->world->ops->poller_drop(loop->poller, session->fd);
	loop->world->ops->close(loop->world, session->fd);
	session_undo(session);
	session_let_go(session);
	list_drop(&session->link);
	list_push(&loop->grave, &session->link);
	if (session->talk)
		talk_over(session);
}

void session_bury(struct session *session)
{
	MUST(session->state == SESSION_GONE);
	list_drop(&session->link);
	session_free(session);
}

/* Takes what the peer sends, which means nothing here. False: the session is gone. */
static bool session_listen(struct session *session)
{
	if (session->talk)
		return talk_read(session);
	struct world *world = session->loop->world;
	char chunk[READ_CHUNK_BYTES];
	for (int i = 0; i < READ_CHUNKS_MAX; i++) {
		size_t got = 0;
		enum err err = world->ops->recv(world, session->fd, chunk, sizeof chunk, &got);
		if (err == ERR_AGAIN)
			return true;
		if (err)
			break;
	}
	/* Its end, or more talk than a listener has any use for. */
	session_close(session, &session->loop->counts.by_peer);
	return false;
}

void session_ready(struct session *session, unsigned flags)
{
	MUST_BE(session, SESSION_TAG);
	if (session->state == SESSION_GONE)
		return;
	if (flags & WORLD_HANGUP) {
		session_close(session, &session->loop->counts.by_peer);
		return;
	}
	if ((flags & WORLD_READABLE) && !session_listen(session))
		return;
	if ((flags & WORLD_WRITABLE) && session->state == SESSION_REFUSED) {
		session->state = SESSION_RESTING;
#ifdef MUTANT_MISSING_WAKE
		if (pump_owed(session) != OK || session->cursor_count == 1)
			return;
#endif
		session_run(session);
	}
}

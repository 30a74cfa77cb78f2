/*
 * part: the ends of sessions that are ours: said politely where nothing is half out.
 */
#include "delivery/delivery_impl.h"

_Atomic uint64_t *part_counter(struct loop *loop, enum part part)
{
	switch (part) {
	case PART_DRAIN:
		return &loop->counts.drain;
	case PART_EXPIRED:
		return &loop->counts.expired;
	case PART_REVOKED:
		return &loop->counts.revoked;
	case PART_ADMIN:
		return &loop->counts.admin;
	case PART_OVERTAKEN:
		return &loop->counts.overtaken;
	case PART_END:
		break;
	}
	return &loop->counts.end;
}

void session_dismiss(struct session *session, enum part part)
{
	struct loop *loop = session->loop;
	if (session->form == SESSION_ANSWER && session->opened && !session->closing) {
		session->draining = false;
		session_arm(session, loop->now_ms + loop->engine->config.dead_ms);
		list_drop(&session->cursors->link);
		if (session_answer(session) == OK)
			session_run(session);
		return;
	}
	session_part(session, part);
}

bool session_is_whole(const struct session *session)
{
	bool whole = !session->owed && session->state != SESSION_REFUSED;
	for (uint16_t i = 0; i < session->cursor_count; i++)
		whole = whole && session->cursors[i].skip == 0;
	return whole;
}

/* Told when to come back, unless that would land inside an event. */
void session_part(struct session *session, enum part part)
{
	struct loop *loop = session->loop;
	if (session->talk) {
		talk_part(session, part);
		return;
	}
	if (session->head_sent && session_is_whole(session)) {
		size_t sent = 0;
		buf_reset(&loop->scratch);
		enum err err = notice_retry(session, &loop->scratch);
		if (err == OK)
			err = notice_close(session, &loop->scratch);
		if (err == OK && loop->scratch.bytes)
			err = loop->world->ops->send(loop->world, session->fd,
						     buf_slice(&loop->scratch), &sent);
		if (err) /* its last id is told already; that alone resumes it */
			err_note_clear();
	}
	session_close(session, part_counter(loop, part));
}

void session_drain(struct session *session, enum part part, uint32_t window_ms)
{
	session->drain_part = (uint8_t)part;
	session->draining = true;
	session->drain_ms = session->loop->now_ms + loop_draw(session->loop, 0, window_ms);
	session_arm(session, session->drain_ms);
}

/*
 * lapse: the end of a bearer's time: a warning before it, then the polite end of the session.
 *
 * Time    a bearer's end is told in Unix time; it is turned into the loop's own when the bearer is
 *         new, and again whenever the wall clock has been set.
 */
#include "delivery/delivery_impl.h"

enum { WARN_MIN_MS = 40000, WARN_MAX_MS = 60000, WARN_AGAIN_MS = 1000 };

void lapse_set(struct session *session)
{
	struct loop *loop = session->loop;
	uint64_t end_ms = session->bearer ? bearer_expires_ms(session->bearer) : BEARER_NEVER;
	session->lapse_ms = session->lapse_step_ms = UINT64_MAX;
	if (end_ms == BEARER_NEVER)
		return;
	uint64_t wall_ms = loop_wall_ms(loop);
	uint64_t left_ms = end_ms > wall_ms ? end_ms - wall_ms : 0;
	if (left_ms > UINT64_MAX / 2) /* hundreds of millions of years */
		return;
	session->lapse_ms = session->lapse_step_ms = loop->now_ms + left_ms;
	if (session->warned || session->form == SESSION_ANSWER)
		return;
	/* Drawn, so that those who came together do not all renew together. */
	uint64_t ahead_ms = loop_draw(loop, WARN_MIN_MS, WARN_MAX_MS);
	if (ahead_ms > left_ms / 2)
		ahead_ms = left_ms / 2;
	session->lapse_step_ms -= ahead_ms;
}

static bool lapse_warn(struct session *session)
{
	struct loop *loop = session->loop;
	uint64_t left_ms = session->lapse_ms - loop->now_ms;
	session->lapse_step_ms = session->lapse_ms;
	if (!session->head_sent || !session->opened || !session_is_whole(session)) {
		/* It may be able to hear it a little later. */
		if (left_ms > 2 * WARN_AGAIN_MS)
			session->lapse_step_ms = loop->now_ms + WARN_AGAIN_MS;
		return true;
	}
	session->warned = true;
	buf_reset(&loop->scratch);
	if (notice_auth(session, (left_ms + 999) / 1000, &loop->scratch) == OK)
		return pump_bytes(session, buf_slice(&loop->scratch)) == OK;
	session_close(session, &loop->counts.nomem);
	return false;
}

bool lapse_due(struct session *session)
{
	struct loop *loop = session->loop;
	if (loop->now_ms < session->lapse_step_ms)
		return true;
	if (loop->now_ms < session->lapse_ms)
		return lapse_warn(session);
#ifdef MUTANT_LAPSE_FORGOTTEN
	session->lapse_ms = session->lapse_step_ms = UINT64_MAX;
	return true;
#endif
	session->lapse_ms = session->lapse_step_ms = UINT64_MAX; /* an answer may still go out */
	session_dismiss(session, PART_EXPIRED);
	return false;
}

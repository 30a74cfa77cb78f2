/*
 * talk: the half of a session in which the peer speaks, and what it is answered.
 */
#include "delivery/delivery_impl.h"

#include "base/mem.h"
#include "base/must.h"
#include "wire/json.h"
#include "wire/ws.h"

enum err talk_new(struct session *session, const struct duplex *duplex)
{
	struct talk *talk = mem_zalloc(sizeof *talk);
	if (!talk)
		return ERR_NOMEM;
	talk->session = session;
	talk->duplex = *duplex;
	if (!talk->duplex.say_bytes_max)
		talk->duplex.say_bytes_max = DUPLEX_SAY_BYTES;
	buf_init(&talk->said, SIZE_MAX / 4); /* say_bytes_max and a close frame */
	list_init(&talk->unread_link);
	talk->heard_ms = talk->pinged_ms = session->loop->now_ms;
	session->talk = talk;
	return OK;
}

void talk_free(struct talk **talk)
{
	if (!*talk)
		return;
	buf_fini(&(*talk)->said);
	mem_free((*talk)->rest);
	mem_free(*talk);
	*talk = NULL;
}

void talk_over(struct session *session)
{
	struct duplex duplex = session->talk->duplex;
	if (session->adopted)
		duplex.closed(duplex.arg, session);
}

uint64_t talk_beat_ms(const struct session *session)
{
	const struct talk *talk = session->talk;
	uint64_t quiet_ms = talk->pinged_ms > talk->heard_ms ? talk->pinged_ms : talk->heard_ms;
	uint64_t dead_ms = talk->heard_ms + session->beat_ms +
			   session->loop->engine->config.dead_ms;
	uint64_t beat_ms = quiet_ms + session->beat_ms;
	return beat_ms < dead_ms ? beat_ms : dead_ms;
}

bool talk_dead(const struct session *session)
{
	if (session->talk->finishing)
		return session->loop->now_ms >= session->talk->linger_ms;
	return session->loop->now_ms >= session->talk->heard_ms + session->beat_ms +
						session->loop->engine->config.dead_ms;
}

/* --- what is heard --- */

/* Offers bytes; what is left of them is kept. False: the session is gone. */
static bool talk_offer(struct session *session, struct slice bytes)
{
	struct talk *talk = session->talk;
	talk->reading = true;
	size_t used = 0;
	while (used < bytes.bytes && !talk->stopped) {
		size_t more = talk->duplex.input(
			talk->duplex.arg, session,
			slice_from(bytes.at + used, bytes.bytes - used));
		if (session->state == SESSION_GONE)
			return false;
		MUST(more <= bytes.bytes - used);
		talk->stopped = more < bytes.bytes - used;
		used += more;
	}
	talk->reading = false;
	if (used == bytes.bytes)
		return true;
	char *rest = mem_alloc(bytes.bytes - used);
	if (!rest) {
		session_close(session, &session->loop->counts.nomem);
		return false;
	}
	memcpy(rest, bytes.at + used, bytes.bytes - used);
	mem_free(talk->rest);
	talk->rest = rest;
	talk->rest_bytes = bytes.bytes - used;
	return true;
}

bool talk_read(struct session *session)
{
	struct loop *loop = session->loop;
	struct talk *talk = session->talk;
	char chunk[DUPLEX_CHUNK_BYTES];
	list_drop(&talk->unread_link);
	for (size_t read = 0; !talk->stopped; read += DUPLEX_CHUNK_BYTES) {
		if (read >= DUPLEX_PASS_BYTES) {
			list_push(&loop->unread, &talk->unread_link);
			return true;
		}
		size_t got = 0;
		enum err err = loop->world->ops->recv(loop->world, session->fd, chunk,
						      sizeof chunk, &got);
		if (err == ERR_AGAIN)
			return true;
		if (err) {
			session_close(session, talk->finishing ? part_counter(loop, talk->part)
							       : &loop->counts.by_peer);
			return false;
		}
		talk->heard_ms = loop->now_ms;
		if (!talk_offer(session, slice_from(chunk, got)))
			return false;
	}
	return true;
}

void talk_read_on(struct loop *loop)
{
	struct list unread;
	list_init(&unread);
	list_splice(&unread, &loop->unread);
	while (!list_empty(&unread)) {
		struct talk *talk = CONTAINER_OF(unread.next, struct talk, unread_link);
		list_drop(&talk->unread_link);
		(void)talk_read(talk->session);
	}
}

void session_read_on(struct session *session)
{
	struct talk *talk = session->talk;
	talk->stopped = false;
	if (talk->reading || session->state == SESSION_GONE)
		return;
	char *rest = talk->rest;
	size_t bytes = talk->rest_bytes;
	talk->rest = NULL;
	talk->rest_bytes = 0;
	bool here = bytes == 0 || talk_offer(session, slice_from(rest, bytes));
	mem_free(rest);
	if (here && !talk->stopped)
		(void)talk_read(session);
}

/* --- what is said --- */

enum err talk_flush(struct session *session)
{
	struct talk *talk = session->talk;
	if (!talk->said.bytes || !session->head_sent || session->owed)
		return OK;
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		if (session->cursors[i].skip)
			return OK;
	}
	enum err err = pump_bytes(session, buf_slice(&talk->said));
	if (err == OK)
		buf_fini(&talk->said); /* an idle session keeps nothing */
	return err;
}

/* Out with it, unless the kernel is known to take nothing. */
static void talk_go(struct session *session)
{
	if (session->state != SESSION_REFUSED)
		session_run(session);
}

enum err session_say(struct session *session, struct slice bytes)
{
	MUST_BE(session, SESSION_TAG);
	struct talk *talk = session->talk;
	if (session->state == SESSION_GONE || talk->finishing)
		return ERR_CLOSED;
	size_t waiting = talk->said.bytes +
			 (session->owed ? session->owed->bytes - session->owed->sent : 0);
	if (waiting && waiting + bytes.bytes > talk->duplex.say_bytes_max) {
		session_part(session, PART_OVERTAKEN);
		return ERR_FULL;
	}
	if (buf_put(&talk->said, bytes)) {
		session_close(session, &session->loop->counts.nomem);
		return ERR_CLOSED;
	}
	talk_go(session);
	return session->state == SESSION_GONE ? ERR_CLOSED : OK;
}

bool talk_is_over(struct session *session)
{
	struct talk *talk = session->talk;
	if (!talk->finishing || talk->said.bytes)
		return false;
	uint64_t now_ms = session->loop->now_ms;
	if (talk->at_once || now_ms >= talk->linger_ms)
		session_close(session, part_counter(session->loop, talk->part));
	return true;
}

void session_finish(struct session *session, struct slice last, bool at_once)
{
	struct talk *talk = session->talk;
	if (session->state == SESSION_GONE)
		return;
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		if (!session->cursors[i].skip)
			continue;
		/* Nothing can be said inside an event, and its end may be long in coming. */
		session_close(session, part_counter(session->loop, talk->part));
		return;
	}
	bool first = !talk->finishing;
	talk->finishing = true;
	talk->at_once = talk->at_once || at_once;
	session->draining = false;
	late_leave_all(session);
	if (first && buf_put(&talk->said, last)) {
		session_close(session, &session->loop->counts.nomem);
		return;
	}
	if (first)
		talk->linger_ms = session->loop->now_ms + DUPLEX_LINGER_MS;
	session_arm(session, talk->linger_ms);
	talk_go(session);
}

void talk_part(struct session *session, enum part part)
{
	static const struct {
		enum ws_code code;
		const char *reason;
	} words[] = {
		[PART_END] = { WS_CODE_DONE, "" },
		[PART_DRAIN] = { WS_CODE_AWAY, "the node is going away" },
		[PART_EXPIRED] = { WS_CODE_AUTH, "the token has expired" },
		[PART_REVOKED] = { WS_CODE_AUTH, "the token was revoked" },
		[PART_ADMIN] = { WS_CODE_FORBIDDEN, "disconnected" },
		[PART_OVERTAKEN] = { WS_CODE_SLOW, "too slow" },
	};
	if (!session_is_whole(session)) { /* nothing can be said, nor may what waits go out */
		session_close(session, part_counter(session->loop, part));
		return;
	}
	char payload[WS_CONTROL_BYTES_MAX];
	char frame[WS_HEAD_BYTES_MAX + WS_CONTROL_BYTES_MAX];
	size_t bytes = ws_close_payload(words[part].code, slice_of(words[part].reason), payload);
	size_t head_bytes = ws_frame_head(WS_CLOSE, bytes, frame);
	memcpy(frame + head_bytes, payload, bytes);
	if (!session->talk->finishing)
		session->talk->part = part;
	session_finish(session, slice_from(frame, head_bytes + bytes), false);
}

/* --- what is listened to --- */

enum err session_subscribe(struct session *session, const struct wanted *wanted, struct slice ref)
{
	struct ref *kept = NULL;
	if (session->state == SESSION_GONE || session->talk->finishing)
		return err_note(ERR_CLOSED, "the session is closing");
	if (ref.bytes > DUPLEX_REF_BYTES)
		return err_note(ERR_TOO_BIG, "ref has at most %d bytes", DUPLEX_REF_BYTES);
	if (ref.bytes) {
		kept = mem_alloc(sizeof *kept + ref.bytes);
		if (!kept)
			return ERR_NOMEM;
		kept->bytes = ref.bytes;
		memcpy(kept->at, ref.at, ref.bytes);
	}
	enum err err = late_add(session, wanted, 1);
	if (err) {
		mem_free(kept);
		return err;
	}
	session->cursors[session->cursor_count - 1].ref = kept;
	/* Not now: the answer must not come before this call has returned. */
	if (session->state == SESSION_RESTING || session->state == SESSION_PACED) {
		session->state = SESSION_BUSY;
		list_push(&session->loop->busy, &session->busy_link);
	}
	return OK;
}

enum err session_unsubscribe(struct session *session, struct slice stream)
{
	struct cursor *cursor = late_find(session, stream);
	if (!cursor)
		return err_note(ERR_NOT_FOUND, "the session does not listen to %.*s",
				(int)stream.bytes, stream.at);
	if (cursor->skip)
		return err_note(ERR_AGAIN, "an event is half out; ask again");
	late_drop(session, cursor);
	return OK;
}

bool session_listens(const struct session *session, struct slice stream)
{
	return late_find(session, stream) != NULL;
}

struct bearer *session_bearer(const struct session *session)
{
	return session->bearer;
}

struct loop *session_loop(const struct session *session)
{
	return session->loop;
}

static enum err say_forbidden(struct session *session, struct slice stream)
{
	struct buf text;
	buf_init(&text, 2048);
	buf_put_text(&text, "{\"op\":\"error\",\"code\":\"forbidden\",\"stream\":");
	json_quote(stream, &text);
	buf_put_byte(&text, '}');
	enum err err = text.err ? text.err
				: ws_frame(WS_TEXT, buf_slice(&text), &session->talk->said);
	buf_fini(&text);
	return err;
}

enum err session_set_bearer(struct session *session, struct bearer *bearer)
{
	enum err err = late_bearer_fits(session, bearer);
	for (uint16_t i = 0; i < session->cursor_count && err == OK; i++) {
		if (session->cursors[i].skip)
			err = err_note(ERR_AGAIN, "an event is half out; ask again");
	}
	if (err)
		return err;
	late_set_bearer(session, bearer);
	for (uint16_t i = session->cursor_count; i-- > 0;) {
		struct cursor *cursor = &session->cursors[i];
		struct slice name = stream_name(cursor->follow->stream);
		if (late_may_read(session, bearer, name))
			continue;
		err = say_forbidden(session, name);
		late_drop(session, cursor);
		if (err)
			break;
	}
	if (err)
		session_close(session, &session->loop->counts.nomem);
	else
		talk_go(session);
	return err ? ERR_CLOSED : OK;
}

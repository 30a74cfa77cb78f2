/*
 * notice: the blocks that are ours: tapecast.open, tapecast.gap, tapecast.folded, tapecast.end.
 *
 * Promise each carries the cursor at which the session stands after it, so that a client cut right
 *         behind it resumes exactly.
 */
#include "delivery/delivery_impl.h"

#include "wire/chunk.h"
#include "wire/encode.h"
#include "wire/json.h"
#include "wire/ws.h"

enum { NOTICE_BYTES_MAX = 8192, NOTICE_OPEN_BYTES_MAX = 65536 };

enum err notice_cursor(const struct session *session, struct buf *buf)
{
	struct slice names[CURSOR_STREAMS_MAX];
	struct position positions[CURSOR_STREAMS_MAX];
	size_t count = 0;
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		if (!session->cursors[i].placed)
			continue;
		names[count] = stream_name(session->cursors[i].follow->stream);
		positions[count++] = session->cursors[i].at;
	}
	return count ? cursor_format(names, positions, count, buf) : OK;
}

static const struct slice no_name;

/* {"op":…} instead of an event's type, and no cursor: each stream has its own id. */
static enum err notice_put_frame(const struct session *session, const char *type,
				 struct slice name, struct slice json, struct buf *buf)
{
	struct buf text;
	buf_init(&text, NOTICE_BYTES_MAX);
	buf_put_text(&text, "{\"op\":\"");
	buf_put_text(&text, type + sizeof "tapecast." - 1);
	buf_put_text(&text, "\",");
	const struct cursor *cursor = name.bytes ? late_find(session, name) : NULL;
	if (cursor) {
		char id[POSITION_TEXT_MAX];
		position_format(&cursor->at, id);
		buf_put_text(&text, "\"id\":\"");
		buf_put_text(&text, id);
		buf_put_text(&text, "\",");
	}
	buf_put(&text, slice_from(json.at + 1, json.bytes - 1));
	enum err err = text.err ? text.err : ws_frame(WS_TEXT, buf_slice(&text), buf);
	buf_fini(&text);
	return err;
}

/* One notice, of one stream if there is a name: an SSE block, or a line {"event","id","data"}. */
static enum err notice_put(const struct session *session, const char *type, struct slice name,
			   struct slice json, uint32_t retry_ms, struct buf *buf)
{
	if (session->form == SESSION_WS)
		return notice_put_frame(session, type, name, json, buf);
	struct buf id;
	size_t mark = 0;
	buf_init(&id, CURSOR_TEXT_MAX);
	enum err err = notice_cursor(session, &id);
	if (err == OK && session->chunked)
		err = chunk_open(buf, &mark);
	if (err == OK && session->form != SESSION_NDJSON) {
		err = encode_sse_block(slice_of(type), json, buf_slice(&id), retry_ms, buf);
	} else if (err == OK) {
		buf_put_text(buf, "{\"event\":\"");
		buf_put_text(buf, type);
		buf_put_text(buf, "\",\"id\":\"");
		buf_put(buf, buf_slice(&id));
		buf_put_text(buf, "\",\"data\":");
		buf_put(buf, json);
		buf_put_text(buf, "}\n");
		err = buf->err;
	}
	if (err == OK && session->chunked)
		err = chunk_close(buf, mark);
	buf_fini(&id);
	return err;
}

enum err notice_beat(const struct session *session, struct buf *buf)
{
	if (session->form == SESSION_WS)
		return ws_frame(WS_PING, slice_from(NULL, 0), buf);
	/* SSE: a comment line, and no blank line behind it: some clients give that out. */
	if (session->form == SESSION_NDJSON)
		return buf_put_text(buf, session->chunked ? "1\r\n\n\r\n" : "\n");
	return buf_put_text(buf, session->chunked ? "2\r\n:\n\r\n" : ":\n");
}

enum err notice_retry(const struct session *session, struct buf *buf)
{
	size_t mark = 0;
	if (session->form != SESSION_SSE && session->form != SESSION_SSE_ENVELOPE)
		return OK;
	enum err err = session->chunked ? chunk_open(buf, &mark) : OK;
	buf_put_text(buf, "retry: ");
	buf_put_u64(buf, session->retry_ms);
	buf_put_byte(buf, '\n');
	if (err == OK && session->chunked)
		err = chunk_close(buf, mark);
	return err ? err : buf->err;
}

enum err notice_close(const struct session *session, struct buf *buf)
{
	return session->chunked ? buf_put_text(buf, CHUNK_LAST) : OK;
}

static void put_position(struct buf *json, const char *name, const struct position *position)
{
	char text[POSITION_TEXT_MAX];
	position_format(position, text);
	buf_put_text(json, name);
	buf_put_text(json, text);
	buf_put_byte(json, '"');
}

enum err notice_open(struct session *session, bool recovered, struct buf *buf)
{
	if (!session->notices)
		return notice_retry(session, buf);
	if (session->form == SESSION_WS)
		return OK; /* the peer speaks first */
	char id[SESSION_ID_TEXT];
	struct buf json;
	buf_init(&json, NOTICE_OPEN_BYTES_MAX);
	session_id_text(session, id);
	buf_put_text(&json, "{\"session\":\"");
	buf_put(&json, slice_from(id, sizeof id));
	buf_put_text(&json, "\",\"recovered\":");
	buf_put_text(&json, recovered ? "true" : "false");
	const struct extra *extra = session->extra;
	buf_put(&json, slice_from(extra->texts + extra->head_bytes + extra->head_finished_bytes,
				  extra->refused_bytes));
	buf_put_byte(&json, '}');
	enum err err = json.err;
	if (err == OK)
		err = notice_put(session, "tapecast.open", no_name, buf_slice(&json),
				 session->retry_ms, buf);
	buf_fini(&json);
	return err;
}

void notice_refused_one(const struct refused *refused, bool first, struct buf *json)
{
	buf_put_text(json, first ? "{\"stream\":" : ",{\"stream\":");
	json_quote(refused->name, json);
	buf_put_text(json, ",\"code\":\"");
	buf_put_text(json, refused->code);
	buf_put_text(json, "\"}");
}

void notice_refused(const struct refused *refused, size_t count, struct buf *json)
{
	buf_put_text(json, ",\"refused\":[");
	for (size_t i = 0; i < count; i++)
		notice_refused_one(&refused[i], i == 0, json);
	buf_put_byte(json, ']');
}

enum err notice_auth(const struct session *session, uint64_t expires_in_s, struct buf *buf)
{
	if (!session->notices || session->form == SESSION_ANSWER)
		return OK;
	bool ws = session->form == SESSION_WS;
	struct buf json;
	buf_init(&json, NOTICE_BYTES_MAX);
	buf_put_text(&json, ws ? "{\"in\":" : "{\"expires_in\":");
	buf_put_u64(&json, expires_in_s);
	buf_put_byte(&json, '}');
	enum err err = json.err;
	if (err == OK)
		err = notice_put(session, ws ? "tapecast.auth_expiring" : "tapecast.auth", no_name,
				 buf_slice(&json), 0, buf);
	buf_fini(&json);
	return err;
}

enum err notice_changed(const struct session *session, struct slice json, struct buf *buf)
{
	return session->notices ? notice_put(session, "tapecast.changed", no_name, json, 0, buf)
				: OK;
}

enum err notice_added(struct session *session, const struct cursor *cursor,
		      const struct place *place, struct buf *buf)
{
	struct slice name = stream_name(cursor->follow->stream);
	if (session->talk) {
		const struct duplex *duplex = &session->talk->duplex;
		const struct ref *ref = cursor->ref;
		return duplex->subscribed(duplex->arg, name,
					  ref ? slice_from(ref->at, ref->bytes)
					      : slice_from(NULL, 0),
					  &cursor->at, place->recovered, buf);
	}
	struct buf json;
	buf_init(&json, NOTICE_BYTES_MAX);
	buf_put_text(&json, "{\"added\":[{\"stream\":");
	json_quote(name, &json);
	buf_put_text(&json, place->recovered ? ",\"recovered\":true}]}"
					     : ",\"recovered\":false}]}");
	enum err err = json.err ? json.err : notice_changed(session, buf_slice(&json), buf);
	buf_fini(&json);
	return err;
}

/* A notice about one stream: {"stream":NAME and what `rest` says, its end included. */
static enum err notice_of_stream(const struct session *session, const char *type,
				 struct slice name, const struct buf *rest, struct buf *buf)
{
	struct buf json;
	buf_init(&json, NOTICE_BYTES_MAX);
	buf_put_text(&json, "{\"stream\":");
	json_quote(name, &json);
	buf_put(&json, buf_slice(rest));
	enum err err = rest->err ? rest->err : json.err;
	if (err == OK)
		err = notice_put(session, type, name, buf_slice(&json), 0, buf);
	buf_fini(&json);
	return err;
}

enum err notice_gap(struct session *session, struct slice name, const struct gap *gap,
		    struct buf *buf)
{
	count_up(&session->loop->counts.gaps, 1);
	count_up(&session->loop->counts.gaps_of[gap->reason], 1);
	if (!session->notices)
		return OK;
	struct buf rest;
	buf_init(&rest, NOTICE_BYTES_MAX);
	put_position(&rest, ",\"after\":\"", &gap->after);
	put_position(&rest, ",\"next\":\"", &gap->next);
	buf_put_text(&rest, ",\"lost\":");
	if (gap->lost_known)
		buf_put_u64(&rest, gap->lost);
	else
		buf_put_text(&rest, "null");
	buf_put_text(&rest, ",\"reason\":\"");
	buf_put_text(&rest, gap_reason_text(gap->reason));
	buf_put_text(&rest, "\"}");
	enum err err = notice_of_stream(session, "tapecast.gap", name, &rest, buf);
	buf_fini(&rest);
	return err;
}

enum err notice_folded(struct session *session, struct slice name, uint64_t count,
		       struct buf *buf)
{
	count_up(&session->loop->counts.folded, count);
	if (!session->notices || !count)
		return OK;
	struct buf rest;
	buf_init(&rest, NOTICE_BYTES_MAX);
	buf_put_text(&rest, ",\"count\":");
	buf_put_u64(&rest, count);
	buf_put_byte(&rest, '}');
	enum err err = notice_of_stream(session, "tapecast.folded", name, &rest, buf);
	buf_fini(&rest);
	return err;
}

enum err notice_end(struct session *session, struct slice name, enum end_state end,
		    struct buf *buf)
{
	if (!session->notices)
		return OK;
	struct buf rest;
	buf_init(&rest, NOTICE_BYTES_MAX);
	buf_put_text(&rest, ",\"state\":\"");
	buf_put_text(&rest, end_state_text(end));
	buf_put_text(&rest, "\"}");
	enum err err = notice_of_stream(session, "tapecast.end", name, &rest, buf);
	buf_fini(&rest);
	return err;
}

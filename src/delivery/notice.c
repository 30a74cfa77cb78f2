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

enum { NOTICE_BYTES_MAX = 8192, NOTICE_OPEN_BYTES_MAX = 65536 };

enum err notice_cursor(const struct session *session, struct buf *buf)
{
	struct slice names[CURSOR_STREAMS_MAX];
	struct position positions[CURSOR_STREAMS_MAX];
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		names[i] = stream_name(session->cursors[i].follow->stream);
		positions[i] = session->cursors[i].at;
	}
	return cursor_format(names, positions, session->cursor_count, buf);
}

/* One notice: an SSE block, or a line {"event","id","data"}. */
static enum err notice_put(const struct session *session, const char *type, struct slice json,
			   uint32_t retry_ms, struct buf *buf)
{
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
	static const char digits[] = "0123456789abcdef";
	struct buf json;
	buf_init(&json, NOTICE_OPEN_BYTES_MAX);
	buf_put_text(&json, "{\"session\":\"");
	for (int i = 0; i < SESSION_ID_BYTES; i++) {
		buf_put_byte(&json, digits[session->id[i] >> 4]);
		buf_put_byte(&json, digits[session->id[i] & 15]);
	}
	buf_put_text(&json, "\",\"recovered\":");
	buf_put_text(&json, recovered ? "true" : "false");
	const struct extra *extra = session->extra;
	buf_put(&json, slice_from(extra->texts + extra->head_bytes + extra->head_finished_bytes,
				  extra->refused_bytes));
	buf_put_byte(&json, '}');
	enum err err = json.err;
	if (err == OK)
		err = notice_put(session, "tapecast.open", buf_slice(&json), session->retry_ms,
				 buf);
	buf_fini(&json);
	return err;
}

void notice_refused(const struct refused *refused, size_t count, struct buf *json)
{
	buf_put_text(json, ",\"refused\":[");
	for (size_t i = 0; i < count; i++) {
		buf_put_text(json, i ? ",{\"stream\":" : "{\"stream\":");
		json_quote(refused[i].name, json);
		buf_put_text(json, ",\"code\":\"");
		buf_put_text(json, refused[i].code);
		buf_put_text(json, "\"}");
	}
	buf_put_byte(json, ']');
}

enum err notice_auth(const struct session *session, uint64_t expires_in_s, struct buf *buf)
{
	if (!session->notices || session->form == SESSION_ANSWER)
		return OK;
	struct buf json;
	buf_init(&json, NOTICE_BYTES_MAX);
	buf_put_text(&json, "{\"expires_in\":");
	buf_put_u64(&json, expires_in_s);
	buf_put_byte(&json, '}');
	enum err err = json.err;
	if (err == OK)
		err = notice_put(session, "tapecast.auth", buf_slice(&json), 0, buf);
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
		err = notice_put(session, type, buf_slice(&json), 0, buf);
	buf_fini(&json);
	return err;
}

enum err notice_gap(struct session *session, struct slice name, const struct gap *gap,
		    struct buf *buf)
{
	count_up(&session->loop->counts.gaps, 1);
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

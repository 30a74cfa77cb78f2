#include "delivery/control.h"

#include "base/mem.h"
#include "base/must.h"
#include "delivery/delivery_impl.h"
#include "delivery/loop_impl.h"

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool id_parse(struct slice text, uint8_t *ret_id)
{
	if (text.bytes != SESSION_ID_TEXT)
		return false;
	for (size_t i = 0; i < SESSION_ID_BYTES; i++) {
		int high = digit_of(text.at[2 * i]), low = digit_of(text.at[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret_id[i] = (uint8_t)(high * 16 + low);
	}
	return true;
}

static enum err no_such_session(void)
{
	return err_note(ERR_NOT_FOUND, "no session of this node has that id");
}

static void change_run(struct job *job, struct loop *loop)
{
	struct change *change = CONTAINER_OF(job, struct change, job);
	uint8_t id[SESSION_ID_BYTES];
	struct session *session = NULL;
	if (!loop) {
		change->done(change, err_note(ERR_DRAINING, "this node is going down"));
		return;
	}
	if (id_parse(change->session, id))
		session = map_get(loop->ids, slice_from((const char *)id, sizeof id));
	if (!session) {
		change->done(change, no_such_session());
		return;
	}
	enum err err = late_change(session, change);
	change->done(change, err);
	if (err == OK)
		late_changed(session);
}

void engine_change(struct engine *engine, struct change *change)
{
	MUST_BE(engine, ENGINE_TAG);
	uint8_t id[SESSION_ID_BYTES];
	if (!id_parse(change->session, id) ||
	    id[SESSION_ID_BYTES - 1] >= engine->config.loop_count) {
		change->done(change, no_such_session());
		return;
	}
	change->job.run = change_run;
	loop_give(engine->loops[id[SESSION_ID_BYTES - 1]], &change->job);
}

/* --- who fits --- */

static bool session_hears(const struct session *session, struct slice stream)
{
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		if (slice_equal(stream_name(session->cursors[i].follow->stream), stream))
			return true;
	}
	return false;
}

static bool session_fits(const struct session *session, const struct session_filter *filter)
{
	const struct bearer *bearer = session->bearer;
	char id[SESSION_ID_TEXT];
	session_id_text(session, id);
	if (filter->sub.bytes && !(bearer && slice_equal(bearer_sub(bearer), filter->sub)))
		return false;
	if (filter->jti.bytes && !(bearer && slice_equal(bearer_jti(bearer), filter->jti)))
		return false;
	if (filter->stream.bytes && !session_hears(session, filter->stream))
		return false;
	return slice_starts(slice_from(id, sizeof id), filter->session);
}

/* --- disconnect --- */

struct cut {
	struct job job;
	enum disconnect_cause cause;
	uint32_t spread_ms;
	struct session_filter filter; /* of the bytes behind it */
	char bytes[];
};

static void cut_session(struct session *session, void *arg)
{
	const struct cut *cut = arg;
	if (!session_fits(session, &cut->filter))
		return;
	bool revoked = cut->cause == DISCONNECT_REVOKED;
	if (revoked && session->bearer)
		bearer_revoke(session->bearer);
	enum part part = revoked ? PART_REVOKED : PART_ADMIN;
	if (cut->spread_ms)
		session_drain(session, part, cut->spread_ms);
	else
		session_dismiss(session, part);
}

static void cut_run(struct job *job, struct loop *loop)
{
	struct cut *cut = CONTAINER_OF(job, struct cut, job);
	if (loop)
		loop_each_session(loop, cut_session, cut);
	mem_free(cut);
}

static struct slice keep(char **at, struct slice bytes)
{
	if (bytes.bytes)
		memcpy(*at, bytes.at, bytes.bytes);
	struct slice kept = slice_from(*at, bytes.bytes);
	*at += bytes.bytes;
	return kept;
}

static struct cut *cut_new(const struct session_filter *filter)
{
	struct cut *cut = mem_zalloc(sizeof *cut + filter->sub.bytes + filter->jti.bytes +
				     filter->stream.bytes + filter->session.bytes);
	if (!cut)
		return NULL;
	char *at = cut->bytes;
	cut->job.run = cut_run;
	cut->filter.sub = keep(&at, filter->sub);
	cut->filter.jti = keep(&at, filter->jti);
	cut->filter.stream = keep(&at, filter->stream);
	cut->filter.session = keep(&at, filter->session);
	return cut;
}

enum err engine_disconnect(struct engine *engine, const struct session_filter *filter,
			   enum disconnect_cause cause, uint32_t spread_ms)
{
	MUST_BE(engine, ENGINE_TAG);
	struct cut *cuts[ENGINE_LOOPS_MAX] = { 0 };
	uint32_t count = engine->config.loop_count;
	for (uint32_t i = 0; i < count; i++) {
		cuts[i] = cut_new(filter);
		if (!cuts[i]) {
			while (i-- > 0)
				mem_free(cuts[i]);
			return ERR_NOMEM;
		}
		cuts[i]->cause = cause;
		cuts[i]->spread_ms = spread_ms;
	}
	for (uint32_t i = 0; i < count; i++)
		loop_give(engine->loops[i], &cuts[i]->job);
	return OK;
}

/* --- list --- */

struct list_part {
	struct job job;
	struct list_work *work;
};

struct list_work {
	struct listing *listing;
	pthread_mutex_t lock; /* all below */
	uint32_t parts_left;
	size_t given, fitting;
	struct list_part parts[];
};

static void list_session(struct session *session, void *arg)
{
	struct list_work *work = arg;
	struct listing *listing = work->listing;
	struct listed_stream streams[CURSOR_STREAMS_MAX];
	if (session->form == SESSION_ANSWER || !session_fits(session, &listing->filter))
		return;
	work->fitting++;
	if (work->given >= listing->count_max || work->given >= LIST_SESSIONS_MAX)
		return;
	work->given++;
	char id[SESSION_ID_TEXT];
	session_id_text(session, id);
	const struct bearer *bearer = session->bearer;
	struct listed_session listed = {
		.form = (enum session_form)session->form,
		.sub = bearer ? bearer_sub(bearer) : slice_from(NULL, 0),
		.expires_ms = bearer ? bearer_expires_ms(bearer) : BEARER_NEVER,
		.open_ms = session->loop->now_ms - session->opened_ms,
		.bytes = session->sent_bytes,
		.streams = streams, .stream_count = session->cursor_count,
	};
	memcpy(listed.id, id, LISTED_ID_DIGITS);
	memcpy(listed.address, session->address->address, sizeof listed.address);
	for (uint16_t i = 0; i < session->cursor_count; i++) {
		struct cursor *cursor = &session->cursors[i];
		struct stream *stream = cursor->follow->stream;
		stream_lock(stream);
		uint64_t head_ord = tape_head_ord(stream_tape(stream));
		stream_unlock(stream);
		streams[i] = (struct listed_stream){ stream_name(stream),
						     cursor->placed ? head_ord - cursor->ord : 0 };
	}
	listing->each(listing, &listed);
}

static void list_run(struct job *job, struct loop *loop)
{
	struct list_work *work = CONTAINER_OF(job, struct list_part, job)->work;
	pthread_mutex_lock(&work->lock);
	if (loop)
		loop_each_session(loop, list_session, work);
	bool last = --work->parts_left == 0;
	pthread_mutex_unlock(&work->lock);
	if (!last)
		return;
	work->listing->done(work->listing, work->fitting);
	pthread_mutex_destroy(&work->lock);
	mem_free(work);
}

enum err engine_list(struct engine *engine, struct listing *listing)
{
	MUST_BE(engine, ENGINE_TAG);
	uint32_t count = engine->config.loop_count;
	struct list_work *work = mem_zalloc(sizeof *work + count * sizeof work->parts[0]);
	if (!work)
		return ERR_NOMEM;
	pthread_mutex_init(&work->lock, NULL);
	work->listing = listing;
	work->parts_left = count;
	for (uint32_t i = 0; i < count; i++)
		work->parts[i] = (struct list_part){ .job.run = list_run, .work = work };
	for (uint32_t i = 0; i < count; i++)
		loop_give(engine->loops[i], &work->parts[i].job);
	return OK;
}

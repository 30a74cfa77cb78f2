/*
 * follow: one stream's listeners on one loop, and the pass that serves those on its roster.
 */
#include "delivery/delivery_impl.h"

#include "base/mem.h"
#include "base/must.h"
#include "delivery/loop_impl.h"

struct slice follow_name(const void *object)
{
	const struct follow *follow = object;
	return stream_name(follow->stream);
}

/* Under the stream's lock, from any thread: the first news since the last pass is a mark. */
static void follow_moved(struct watch *watch)
{
	struct follow *follow = CONTAINER_OF(watch, struct follow, watch);
	if (atomic_exchange(&follow->marked, true))
		return;
	struct loop *loop = follow->loop;
	pthread_mutex_lock(&loop->lock);
	list_push(&loop->marks, &follow->mark_link);
	pthread_mutex_unlock(&loop->lock);
	loop_wake(loop);
}

static enum err follow_new(struct loop *loop, struct slice name, struct follow **ret_follow)
{
	struct follow *follow = mem_zalloc(sizeof *follow);
	if (!follow)
		return ERR_NOMEM;
	follow->tag = FOLLOW_TAG;
	follow->loop = loop;
	follow->watch.moved = follow_moved;
	list_init(&follow->watch.link);
	list_init(&follow->mark_link);
	list_init(&follow->dirty_link);
	list_init(&follow->roster);
	list_init(&follow->pending);
	enum err err = hub_get(loop->engine->config.hub, name, &follow->stream);
	if (err == OK) {
		err = map_put(loop->follows, follow);
		if (err)
			hub_put(loop->engine->config.hub, &follow->stream, loop->now_ms);
	}
	if (err) {
		mem_free(follow);
		return err;
	}
	stream_lock(follow->stream);
	stream_watch_add(follow->stream, &follow->watch);
	stream_unlock(follow->stream);
	*ret_follow = follow;
	return OK;
}

static void follow_release(struct follow *follow)
{
	MUST_BE(follow, FOLLOW_TAG);
	MUST(follow->cursor_count > 0);
	if (--follow->cursor_count > 0)
		return;
	struct loop *loop = follow->loop;
	stream_lock(follow->stream);
	stream_watch_drop(follow->stream, &follow->watch);
	stream_unlock(follow->stream);
	/* No news can come any more; what had come is struck from the lists. */
	pthread_mutex_lock(&loop->lock);
	list_drop(&follow->mark_link);
	pthread_mutex_unlock(&loop->lock);
	list_drop(&follow->dirty_link);
	MUST(list_empty(&follow->roster) && list_empty(&follow->pending));
	MUST(map_take(loop->follows, follow_name(follow)) == follow);
	hub_put(loop->engine->config.hub, &follow->stream, loop->now_ms);
	follow->tag = 0;
	mem_free(follow);
}

enum err follow_join(struct loop *loop, struct slice name, struct cursor *cursor)
{
	enum err err = OK;
	struct follow *follow = map_get(loop->follows, name);
	if (!follow)
		err = follow_new(loop, name, &follow);
	if (err)
		return err;
	follow->cursor_count++;
	stream_lock(follow->stream);
	bool live = stream_live(follow->stream);
	stream_unlock(follow->stream);
	if (!live) {
		const struct engine_config *config = &loop->engine->config;
		err = config->attach(config->attach_arg, follow->stream);
		if (err) {
			follow_release(follow);
			return err;
		}
	}
	cursor->follow = follow;
	list_push(&follow->roster, &cursor->link);
	return OK;
}

void follow_leave(struct cursor *cursor)
{
	list_drop(&cursor->link);
	if (cursor->follow)
		follow_release(cursor->follow);
	cursor->follow = NULL;
}

/* What a pass shares: the view that the last cursor needed, most likely also the next one's. */
struct pass {
	bool valid;
	struct view view;
	uint64_t head_ord; /* when the view was taken */
};

static void pass_look(struct pass *pass, const struct follow *follow, const struct cursor *cursor)
{
	if (pass->valid && pass->view.ord == cursor->ord)
		return;
	if (pass->valid)
		view_done(&pass->view);
	const struct peek peek = {
		.form = session_tape_form(cursor->session),
		.ord = cursor->ord,
		.now_ms = follow->loop->now_ms,
	};
	stream_lock(follow->stream);
	tape_peek(stream_tape(follow->stream), &peek, &cursor->at, &pass->view);
	pass->head_ord = tape_head_ord(stream_tape(follow->stream));
	stream_unlock(follow->stream);
	pass->valid = true;
}

/* A single plain reader at rest: the case that everything is built for. */
static void pass_serve_plain(struct pass *pass, struct follow *follow, struct cursor *cursor)
{
	struct session *session = cursor->session;
	pass_look(pass, follow, cursor);
	if (pass->view.kind == VIEW_NOTHING) {
		list_push(&follow->roster, &cursor->link);
		return;
	}
	if (pass->view.kind != VIEW_BYTES || pass->view.bytes.bytes == 0) {
		session_run(session);
		return;
	}
	if (pump_view(session, cursor, &pass->view) != OK)
		return;
	if (session->owed || cursor->skip)
		session_run(session);
	else if (cursor->ord == pass->head_ord)
		list_push(&follow->roster, &cursor->link);
	else /* behind the others, so that all share the next view as well */
		list_push(&follow->pending, &cursor->link);
}

static bool session_is_plain(const struct session *session)
{
	return session->form != SESSION_ANSWER && !session_stitches(session) &&
	       !session->interval_ms && session->opened && !session->owed &&
	       !session->closing && session->state != SESSION_BUSY;
}

bool follow_pass(struct follow *follow)
{
	struct loop *loop = follow->loop;
	/* One per form: sessions of several kinds may rest on one roster. */
	struct pass passes[FORM_COUNT];
	for (int form = 0; form < FORM_COUNT; form++)
		passes[form].valid = false;
	follow->cursor_count++; /* sessions that close meanwhile must not take it away under us */
	while (!list_empty(&follow->pending) && loop->sends_left > 0) {
		struct cursor *cursor = CONTAINER_OF(follow->pending.next, struct cursor, link);
		struct session *session = cursor->session;
		list_drop(&cursor->link);
		if (!cursor->placed) {
			if (cursor->late) {
				session_run(session);
				continue;
			}
			list_push(&follow->roster, &cursor->link);
			session_try_open(session);
		} else if (session_is_plain(session)) {
			pass_serve_plain(&passes[session_tape_form(session)], follow, cursor);
		} else {
			session_run(session);
		}
	}
	for (int form = 0; form < FORM_COUNT; form++)
		if (passes[form].valid)
			view_done(&passes[form].view);
	bool left = !list_empty(&follow->pending);
	follow_release(follow);
	return left;
}

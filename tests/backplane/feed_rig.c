#include "feed_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"

static struct tape_bounds rig_bounds;

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return rig_bounds;
}

/* The tapes keep a little more than the store, so that a fork is not trimmed before it is read. */
static struct tape_bounds rig_bounds_of(void *arg, struct slice name)
{
	struct tape_bounds bounds = bounds_of(arg, name);
	bounds.events_max += 10;
	return bounds;
}

/* --- the link --- */

static struct link *link_of(struct backplane *backplane)
{
	return (struct link *)backplane;
}

static void link_publish(struct backplane *backplane, struct publish *publish)
{
	struct link *link = link_of(backplane);
	link->store->ops->publish(link->store, publish);
}

static struct link *reading_link;

static void link_read_answered(struct read *read)
{
	struct link *link = reading_link;
	assert_true(link->read_count < LINK_READS_MAX);
	link->reads[link->read_count++] = read;
}

static void link_deliver_read(struct link *link)
{
	assert_true(link->read_count > 0);
	struct read *read = link->reads[0];
	read->done = link->done[0];
	link->read_count--;
	for (size_t i = 0; i < link->read_count; i++) {
		link->reads[i] = link->reads[i + 1];
		link->done[i] = link->done[i + 1];
	}
	read->done(read);
}

static void link_read(struct backplane *backplane, struct read *read)
{
	struct link *link = link_of(backplane);
	link->reads_asked += read->events_max > 0;
	link->probes_asked += read->events_max == 0;
	if (link->failing > 0) {
		link->failing--;
		read->err = ERR_UNAVAILABLE;
		read->done(read);
		return;
	}
	link->done[link->read_count] = read->done;
	read->done = link_read_answered;
	reading_link = link;
	link->store->ops->read(link->store, read);
	if (!link->manual)
		link_deliver_read(link);
}

static void link_drop(struct backplane *backplane, struct drop *drop)
{
	struct link *link = link_of(backplane);
	link->store->ops->drop(link->store, drop);
}

static enum err link_shout(struct backplane *backplane, struct slice name, struct event *event)
{
	struct link *link = link_of(backplane);
	return link->store->ops->shout(link->store, name, event);
}

static void link_watch(struct backplane *backplane, struct slice name,
		       void (*watched)(void *arg, struct slice name), void *arg)
{
	struct link *link = link_of(backplane);
	link->watches_asked++;
	if (!link->manual) {
		link->store->ops->watch(link->store, name, watched, arg);
		return;
	}
	link->watched = watched;
	link->watched_arg = arg;
	(void)snprintf(link->watched_name, sizeof link->watched_name, "%.*s", (int)name.bytes,
		       name.at);
}

static void link_unwatch(struct backplane *backplane, struct slice name)
{
	struct link *link = link_of(backplane);
	link->unwatches_asked++;
	link->store->ops->unwatch(link->store, name);
}

static void link_pushed(void *arg, const struct push *push)
{
	struct link *link = arg;
	if (link->deaf)
		return;
	if (!link->manual) {
		link->backplane.sink.pushed(link->backplane.sink.arg, push);
		return;
	}
	assert_true(link->push_count < LINK_PUSHES_MAX);
	struct push *kept = &link->pushes[link->push_count++];
	struct event **events = mem_zalloc_array(push->count, sizeof(struct event *));
	assert_non_null(events);
	for (size_t i = 0; i < push->count; i++)
		events[i] = event_ref(push->events[i]);
	*kept = *push;
	kept->name = SLICE("a");
	kept->events = events;
}

static void link_doubt(void *arg)
{
	struct link *link = arg;
	link->backplane.sink.doubt(link->backplane.sink.arg);
}

static void link_init(struct link *link, struct backplane *store, bool pushes_can_fail)
{
	*link = (struct link){ .store = store, .ops = {
		.name = "link",
		.pushes_can_fail = pushes_can_fail,
		.publish = link_publish,
		.read = link_read,
		.drop = link_drop,
		.shout = link_shout,
		.watch = link_watch,
		.unwatch = link_unwatch,
	} };
	link->backplane.ops = &link->ops;
	store->sink = (struct backplane_sink){ link, link_pushed, link_doubt };
}

static void link_fini(struct link *link)
{
	assert_int_equal(link->read_count, 0);
	for (size_t i = 0; i < link->push_count; i++) {
		struct event **events = (struct event **)(uintptr_t)link->pushes[i].events;
		for (size_t n = 0; n < link->pushes[i].count; n++)
			event_unref(&events[n]);
		mem_free(events);
	}
	link->store->ops->free(&link->store);
}

static void confirmed(void *arg, struct slice name)
{
	(void)arg;
	assert_true(name.bytes > 0);
}

void link_confirm(struct feed_rig *rig)
{
	struct link *link = &rig->link;
	struct slice name = slice_of(link->watched_name);
	assert_non_null(link->watched);
	link->store->ops->watch(link->store, name, confirmed, NULL);
	link->watched(link->watched_arg, name);
}

void link_answer(struct feed_rig *rig)
{
	link_deliver_read(&rig->link);
}

void link_push_at(struct feed_rig *rig, size_t i)
{
	struct backplane_sink *sink = &rig->link.backplane.sink;
	assert_true(i < rig->link.push_count);
	sink->pushed(sink->arg, &rig->link.pushes[i]);
}

void link_push(struct feed_rig *rig)
{
	link_push_at(rig, rig->link.delivered_count++);
}

void link_lose_push(struct feed_rig *rig)
{
	assert_true(rig->link.delivered_count < rig->link.push_count);
	rig->link.delivered_count++;
}

/* --- the rig --- */

static void listener_moved(struct watch *watch)
{
	CONTAINER_OF(watch, struct listener, watch)->moved_count++;
}

void feed_rig_init(struct feed_rig *rig, struct tape_bounds bounds, bool pushes_can_fail)
{
	fake_world_init(&rig->fake);
	rig_bounds = bounds;
	const struct memory_config memory = {
		.world = &rig->fake.world,
		.streams_max = 100,
		.bytes_max = 64 << 20,
		.idem_max = 100,
		.idem_window_ms = 1000,
		.bounds_of = bounds_of,
	};
	const struct hub_config hub = { .streams_max = 100, .bytes_max = 64 << 20,
					.bounds_of = rig_bounds_of };
	struct backplane *store = NULL;
	assert_int_equal(memory_new(&memory, &store), OK);
	link_init(&rig->link, store, pushes_can_fail);
	assert_int_equal(hub_new(&hub, &rig->hub), OK);
	assert_int_equal(feed_new(&rig->fake.world, rig->hub, &rig->link.backplane, &rig->feed),
			 OK);
	assert_int_equal(hub_get(rig->hub, SLICE("a"), &rig->stream), OK);
	stream_lock(rig->stream);
	assert_int_equal(tape_use(stream_tape(rig->stream), FORM_SSE), OK);
	rig->listener = (struct listener){ .watch.moved = listener_moved };
	list_init(&rig->listener.watch.link);
	stream_watch_add(rig->stream, &rig->listener.watch);
	stream_unlock(rig->stream);
}

void feed_rig_fini(struct feed_rig *rig)
{
	if (rig->stream) {
		stream_lock(rig->stream);
		stream_watch_drop(rig->stream, &rig->listener.watch);
		stream_unlock(rig->stream);
		hub_put(rig->hub, &rig->stream, rig->fake.now_ms);
	}
	hub_free(&rig->hub);
	feed_free(&rig->feed);
	link_fini(&rig->link);
}

static void publish_answered(struct publish *publish)
{
	assert_int_equal(publish->err, OK);
}

void rig_publish(struct feed_rig *rig, const char *words)
{
	struct event *events[BACKPLANE_GROUP_MAX];
	struct publish publish = { .name = SLICE("a"), .events = events,
				   .done = publish_answered };
	while (*words) {
		size_t bytes = strcspn(words, " ");
		struct draft draft = { .data = slice_from(words, bytes), .has_data = true };
		assert_int_equal(event_new(&draft, 1, rig->fake.now_ms, &events[publish.count++]),
				 OK);
		words += bytes;
		words += strspn(words, " ");
	}
	struct backplane *backplane = &rig->link.backplane;
	backplane->ops->publish(backplane, &publish);
}

void rig_shout(struct feed_rig *rig, const char *word)
{
	struct backplane *backplane = &rig->link.backplane;
	struct draft draft = { .data = slice_of(word), .has_data = true, .ephemeral = true };
	struct event *event = NULL;
	assert_int_equal(event_new(&draft, 1, rig->fake.now_ms, &event), OK);
	assert_int_equal(backplane->ops->shout(backplane, SLICE("a"), event), OK);
}

void rig_attach(struct feed_rig *rig)
{
	assert_int_equal(feed_attach(rig->feed, rig->stream), OK);
}

void rig_turn(struct feed_rig *rig, uint64_t ms)
{
	rig->fake.now_ms += ms;
	feed_turn(rig->feed, rig->fake.now_ms);
}

void rig_settle(struct feed_rig *rig, uint64_t ms)
{
	for (uint64_t passed_ms = 0; passed_ms < ms; passed_ms += 50) {
		rig_turn(rig, 50);
		while (rig->link.read_count > 0)
			link_answer(rig);
	}
}

/* --- what listeners get --- */

static void trace_add(struct feed_rig *rig, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void trace_add(struct feed_rig *rig, const char *format, ...)
{
	size_t used = strlen(rig->trace);
	va_list args;
	if (used > 0 && used + 1 < TRACE_MAX) {
		rig->trace[used++] = ' ';
		rig->trace[used] = '\0';
	}
	va_start(args, format);
	(void)vsnprintf(rig->trace + used, TRACE_MAX - used, format, args);
	va_end(args);
}

static void trace_view(struct feed_rig *rig, const struct view *view)
{
	switch (view->kind) {
	case VIEW_NOTHING:
		break;
	case VIEW_BYTES:
		trace_add(rig, "%.*s", (int)view->event->data_bytes, view->event->bytes);
		break;
	case VIEW_GAP:
	case VIEW_OVERTAKEN:
		if (view->gap.lost_known)
			trace_add(rig, "<%s %u>", gap_reason_text(view->gap.reason),
				  (unsigned)view->gap.lost);
		else
			trace_add(rig, "<%s>", gap_reason_text(view->gap.reason));
		break;
	case VIEW_END:
		trace_add(rig, "[%s]", end_state_text(view->end));
		break;
	}
}

static const char *trace(struct feed_rig *rig, struct listener *listener)
{
	struct view view = { .kind = VIEW_BYTES };
	rig->trace[0] = '\0';
	stream_lock(rig->stream);
	while (view.kind != VIEW_NOTHING) {
		struct peek peek = { .form = FORM_SSE, .ord = listener->ord, .events_max = 1,
				     .now_ms = rig->fake.now_ms };
		tape_peek(stream_tape(rig->stream), &peek, &listener->at, &view);
		trace_view(rig, &view);
		listener->ord = view.end_ord;
		listener->at = view.end_at;
		view_done(&view);
	}
	stream_unlock(rig->stream);
	return rig->trace;
}

const char *rig_trace(struct feed_rig *rig)
{
	return trace(rig, &rig->listener);
}

const char *rig_trace_of_new(struct feed_rig *rig)
{
	struct start start = { .kind = START_OLDEST };
	struct place place;
	stream_lock(rig->stream);
	tape_place(stream_tape(rig->stream), &start, rig->fake.now_ms, &place);
	stream_unlock(rig->stream);
	struct listener listener = { .ord = place.ord, .at = place.at };
	return trace(rig, &listener);
}

bool rig_live(struct feed_rig *rig)
{
	stream_lock(rig->stream);
	bool live = stream_live(rig->stream);
	stream_unlock(rig->stream);
	return live;
}

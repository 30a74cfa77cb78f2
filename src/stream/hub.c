#include "stream/hub.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"
#include "stream/stream_impl.h"

#define HUB_TAG 0x4b0b57e1u

enum { HUB_AGED_PER_TURN = 512, HUB_FREED_PER_TURN = 4096 };

struct hub {
	uint32_t tag;
	struct hub_config config;
	pthread_mutex_t lock; /* map, idle, every stream's refs */
	struct map *map;
	struct list idle; /* streams nobody uses, the longest idle first; some may be visited */
	size_t aged_at; /* where the next turn's ageing goes on in the map */
	_Atomic size_t weight;
};

static struct slice name_of(const void *object)
{
	return stream_name(object);
}

enum err hub_new(const struct hub_config *config, struct hub **ret_hub)
{
	struct hub *hub = mem_zalloc(sizeof *hub);
	if (!hub)
		return ERR_NOMEM;
	hub->tag = HUB_TAG;
	hub->config = *config;
	list_init(&hub->idle);
	enum err err = map_new(name_of, config->streams_max, &hub->map);
	if (err) {
		mem_free(hub);
		return err;
	}
	pthread_mutex_init(&hub->lock, NULL);
	*ret_hub = hub;
	return OK;
}

void hub_unfed_set(struct hub *hub, void (*unfed)(void *, struct slice, void *), void *arg)
{
	MUST(map_count(hub->map) == 0);
	hub->config.unfed = unfed;
	hub->config.unfed_arg = arg;
}

/* Off the map and off the idle list; the caller frees it without the lock. */
static void hub_take(struct hub *hub, struct stream *stream)
{
	MUST(stream->refs == 0);
	list_drop(&stream->idle_link);
	MUST(map_take(hub->map, stream_name(stream)) == stream);
}

static void hub_bury(struct hub *hub, struct stream *stream)
{
	if (hub->config.unfed && stream->feed)
		hub->config.unfed(hub->config.unfed_arg, stream_name(stream), stream->feed);
	stream_free(&stream);
}

void hub_free(struct hub **hub)
{
	if (!*hub)
		return;
	MUST_BE(*hub, HUB_TAG);
	while (!list_empty(&(*hub)->idle)) {
		struct stream *stream =
			CONTAINER_OF((*hub)->idle.next, struct stream, idle_link);
		hub_take(*hub, stream);
		hub_bury(*hub, stream);
	}
	MUST(map_count((*hub)->map) == 0);
	map_free(&(*hub)->map);
	pthread_mutex_destroy(&(*hub)->lock);
	(*hub)->tag = 0;
	mem_free(*hub);
	*hub = NULL;
}

static void hub_hold(struct stream *stream)
{
	stream->refs++;
	list_drop(&stream->idle_link);
}

static enum err hub_make(struct hub *hub, struct slice name, struct stream **ret_stream)
{
	struct stream *stream = NULL;
	if (map_count(hub->map) >= hub->config.streams_max) {
		metric_up(METRIC_LIMITS, LIMIT_STREAM_MAX);
		return err_note(ERR_TOO_MANY, "this node has %zu streams open, its bound",
				map_count(hub->map));
	}
	enum err err = stream_new(name, hub->config.bounds_of(hub->config.arg, name), &hub->weight,
				  &stream);
	if (err)
		return err;
	err = map_put(hub->map, stream);
	if (err)
		stream_free(&stream);
	else
		*ret_stream = stream;
	return err;
}

/* At the bound, the stream that has been idle longest makes room. Off the map, to be buried without
 * the lock; NULL if there is room, or nothing idle. */
static struct stream *hub_make_room(struct hub *hub)
{
	if (map_count(hub->map) < hub->config.streams_max || list_empty(&hub->idle))
		return NULL;
	struct stream *stream = CONTAINER_OF(hub->idle.next, struct stream, idle_link);
	if (stream->refs > 0)
		return NULL;
	hub_take(hub, stream);
	return stream;
}

enum err hub_get(struct hub *hub, struct slice name, struct stream **ret_stream)
{
	MUST_BE(hub, HUB_TAG);
	enum err err = OK;
	struct stream *gone = NULL;
	pthread_mutex_lock(&hub->lock);
	struct stream *stream = map_get(hub->map, name);
	if (stream) {
		hub_hold(stream);
	} else {
		gone = hub_make_room(hub);
		err = hub_make(hub, name, &stream);
	}
	pthread_mutex_unlock(&hub->lock);
	if (gone)
		hub_bury(hub, gone);
	if (err == OK)
		*ret_stream = stream;
	return err;
}

struct stream *hub_find(struct hub *hub, struct slice name)
{
	MUST_BE(hub, HUB_TAG);
	pthread_mutex_lock(&hub->lock);
	struct stream *stream = map_get(hub->map, name);
	if (stream)
		hub_hold(stream);
	pthread_mutex_unlock(&hub->lock);
	return stream;
}

struct stream *hub_visit(struct hub *hub, struct slice name)
{
	MUST_BE(hub, HUB_TAG);
	pthread_mutex_lock(&hub->lock);
	struct stream *stream = map_get(hub->map, name);
	if (stream)
		stream->refs++;
	pthread_mutex_unlock(&hub->lock);
	return stream;
}

/* Nothing was ever on it: no use in keeping it, so that reads of made-up names leave no trace. */
static bool stream_blank(struct stream *stream)
{
	stream_lock(stream);
	bool blank = tape_head_ord(stream->tape) == 0;
	stream_unlock(stream);
	return blank;
}

void hub_put(struct hub *hub, struct stream **stream, uint64_t now_ms)
{
	if (!*stream)
		return;
	MUST_BE(hub, HUB_TAG);
	struct stream *gone = NULL;
	pthread_mutex_lock(&hub->lock);
	MUST((*stream)->refs > 0);
	if (--(*stream)->refs == 0) {
		if (list_empty(&(*stream)->idle_link)) { /* else it has been idle all along */
			(*stream)->idle_since_ms = now_ms;
			list_push(&hub->idle, &(*stream)->idle_link);
		}
		if (hub->config.linger_ms == 0 || stream_blank(*stream)) {
			gone = *stream;
			hub_take(hub, gone);
		}
	}
	pthread_mutex_unlock(&hub->lock);
	*stream = NULL;
	if (gone)
		hub_bury(hub, gone);
}

/* The next idle stream to let go of, off the map; NULL if none is due. */
static struct stream *hub_next_due(struct hub *hub, uint64_t now_ms)
{
	struct stream *stream = NULL;
	pthread_mutex_lock(&hub->lock);
	if (!list_empty(&hub->idle)) {
		stream = CONTAINER_OF(hub->idle.next, struct stream, idle_link);
		bool due = now_ms >= stream->idle_since_ms + hub->config.linger_ms;
		due = due || hub_weight(hub) > hub->config.bytes_max;
		if (due && stream->refs == 0)
			hub_take(hub, stream);
		else
			stream = NULL;
	}
	pthread_mutex_unlock(&hub->lock);
	return stream;
}

void hub_turn(struct hub *hub, uint64_t now_ms)
{
	MUST_BE(hub, HUB_TAG);
	for (int i = 0; i < HUB_FREED_PER_TURN; i++) {
		struct stream *stream = hub_next_due(hub, now_ms);
		if (!stream)
			break;
		hub_bury(hub, stream);
	}
	pthread_mutex_lock(&hub->lock);
	for (int i = 0; i < HUB_AGED_PER_TURN; i++) {
		struct stream *stream = map_next(hub->map, &hub->aged_at);
		if (!stream) {
			hub->aged_at = 0;
			break;
		}
		stream_lock(stream);
		tape_age(stream->tape, now_ms);
		stream_unlock(stream);
	}
	pthread_mutex_unlock(&hub->lock);
}

bool hub_list(struct hub *hub, struct slice prefix, size_t count_max, hub_list_fn *fn, void *arg)
{
	MUST_BE(hub, HUB_TAG);
	struct stream *stream;
	size_t told = 0;
	size_t at = 0;
	pthread_mutex_lock(&hub->lock);
	while (told <= count_max && (stream = map_next(hub->map, &at))) {
		if (!slice_starts(stream_name(stream), prefix))
			continue;
		if (told++ == count_max)
			break;
		stream_lock(stream);
		fn(arg, stream);
		stream_unlock(stream);
	}
	pthread_mutex_unlock(&hub->lock);
	return told <= count_max;
}

size_t hub_count(const struct hub *hub)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&hub->lock;
	pthread_mutex_lock(lock);
	size_t count = map_count(hub->map);
	pthread_mutex_unlock(lock);
	return count;
}

size_t hub_weight(const struct hub *hub)
{
	return atomic_load_explicit(&hub->weight, memory_order_relaxed);
}

#include "stream/stream_impl.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum err stream_new(struct slice name, struct tape_bounds bounds, _Atomic size_t *hub_weight,
		    struct stream **ret_stream)
{
	struct stream *stream = mem_zalloc(sizeof *stream + name.bytes);
	if (!stream)
		return ERR_NOMEM;
	stream->tag = STREAM_TAG;
	memcpy(stream->name, name.at, name.bytes);
	stream->name_bytes = name.bytes;
	stream->hub_weight = hub_weight;
	stream->refs = 1;
	list_init(&stream->watches);
	list_init(&stream->idle_link);
	pthread_mutex_init(&stream->lock, NULL);
	enum err err = tape_new(stream_name(stream), bounds, &stream->tape);
	if (err)
		stream_free(&stream);
	else
		*ret_stream = stream;
	return err;
}

void stream_free(struct stream **stream)
{
	if (!*stream)
		return;
	MUST_BE(*stream, STREAM_TAG);
	MUST((*stream)->watch_count == 0 && list_empty(&(*stream)->idle_link));
	tape_free(&(*stream)->tape);
	atomic_fetch_sub_explicit((*stream)->hub_weight, (*stream)->weighed, memory_order_relaxed);
	pthread_mutex_destroy(&(*stream)->lock);
	(*stream)->tag = 0;
	mem_free(*stream);
	*stream = NULL;
}

struct slice stream_name(const struct stream *stream)
{
	return slice_from(stream->name, stream->name_bytes);
}

void stream_lock(struct stream *stream)
{
	MUST_BE(stream, STREAM_TAG);
	pthread_mutex_lock(&stream->lock);
}

void stream_unlock(struct stream *stream)
{
	size_t weight = tape_weight(stream->tape);
	if (weight != stream->weighed) {
		atomic_fetch_add_explicit(stream->hub_weight, weight - stream->weighed,
					  memory_order_relaxed);
		stream->weighed = weight;
	}
	pthread_mutex_unlock(&stream->lock);
}

struct tape *stream_tape(struct stream *stream)
{
	return stream->tape;
}

bool stream_live(const struct stream *stream)
{
	return stream->live;
}

void stream_live_set(struct stream *stream, bool live)
{
	stream->live = live;
}

void stream_watch_add(struct stream *stream, struct watch *watch)
{
	MUST(list_empty(&watch->link));
	list_push(&stream->watches, &watch->link);
	stream->watch_count++;
}

void stream_watch_drop(struct stream *stream, struct watch *watch)
{
	if (list_empty(&watch->link))
		return;
	list_drop(&watch->link);
	stream->watch_count--;
}

size_t stream_watch_count(const struct stream *stream)
{
	return stream->watch_count;
}

void stream_moved(struct stream *stream)
{
	const struct list *end = &stream->watches;
	for (struct list *link = end->next; link != end; link = link->next) {
		struct watch *watch = CONTAINER_OF(link, struct watch, link);
		watch->moved(watch);
	}
}

void *stream_feed(const struct stream *stream)
{
	return stream->feed;
}

void stream_feed_set(struct stream *stream, void *feed)
{
	stream->feed = feed;
}

#include "backplane/feed_impl.h"
#include "base/mem.h"
#include "base/must.h"

uint64_t feed_now(const struct feed *feed)
{
	return feed->world->ops->now_ms(feed->world);
}

struct fed *fed_of(const struct stream *stream)
{
	struct fed *fed = stream_feed(stream);
	if (fed)
		MUST_BE(fed, FED_TAG);
	return fed;
}

/* --- what the backplane says by itself --- */

static void feed_pushed(void *arg, const struct push *push)
{
	struct feed *feed = arg;
	struct stream *stream = hub_visit(feed->hub, push->name);
	if (!stream)
		return;
	uint64_t now_ms = feed_now(feed);
	stream_lock(stream);
	struct fed *fed = fed_of(stream);
	if (fed)
		fed_hear(fed, push, now_ms);
	stream_unlock(stream);
	hub_put(feed->hub, &stream, now_ms);
}

static void feed_doubt(void *arg)
{
	struct feed *feed = arg;
	pthread_mutex_lock(&feed->lock);
	for (struct list *at = feed->records.next; at != &feed->records; at = at->next) {
		struct fed *fed = CONTAINER_OF(at, struct fed, link);
		fed->doubted = true;
		if (list_empty(&fed->due_link))
			list_push(&feed->due, &fed->due_link);
	}
	pthread_mutex_unlock(&feed->lock);
}

static void feed_watched(void *arg, struct slice name)
{
	struct feed *feed = arg;
	struct stream *stream = hub_visit(feed->hub, name);
	if (!stream)
		return;
	stream_lock(stream);
	struct fed *fed = fed_of(stream);
	if (fed && fed->state == FED_SUBSCRIBING)
		fed->state = FED_CATCHING;
	stream_unlock(stream);
	if (fed)
		fed_run(fed);
	hub_put(feed->hub, &stream, feed_now(feed));
}

/* --- streams come and go --- */

static enum err fed_new(struct feed *feed, struct stream *stream, struct fed **ret_fed)
{
	struct fed *fed = mem_zalloc(sizeof *fed);
	if (!fed)
		return ERR_NOMEM;
	fed->tag = FED_TAG;
	fed->feed = feed;
	fed->stream = stream;
	list_init(&fed->held);
	list_init(&fed->link);
	list_init(&fed->due_link);
	deadline_init(&fed->deadline, fed_ring);
	pthread_mutex_lock(&feed->lock);
	list_push(&feed->records, &fed->link);
	feed_tally_add(&feed->tally.streams, 1);
	pthread_mutex_unlock(&feed->lock);
	*ret_fed = fed;
	return OK;
}

/* Nobody refers to the stream any more, so no errand is under way. */
static void feed_unfed(void *arg, struct slice name, void *record)
{
	struct feed *feed = arg;
	struct fed *fed = record;
	MUST_BE(fed, FED_TAG);
	MUST(fed->errand == ERRAND_NONE && !fed->running);

	pthread_mutex_lock(&feed->lock);
	list_drop(&fed->link);
	list_drop(&fed->due_link);
	atomic_fetch_sub_explicit(&feed->tally.streams, 1, memory_order_relaxed);
	wheel_disarm(feed->wheel, &fed->deadline);
	pthread_mutex_unlock(&feed->lock);
	if (fed->state != FED_COLD)
		feed->backplane->ops->unwatch(feed->backplane, name);
	fed_held_clear(fed);
	fed->tag = 0;
	mem_free(fed);
}

enum err feed_attach(struct feed *feed, struct stream *stream)
{
	MUST_BE(feed, FEED_TAG);
	enum err err = OK;

	stream_lock(stream);
	struct fed *fed = fed_of(stream);
	if (!fed) {
		err = fed_new(feed, stream, &fed);
		if (err == OK)
			stream_feed_set(stream, fed);
	}
	bool cold = err == OK && fed->state == FED_COLD;
	if (cold)
		fed->state = FED_SUBSCRIBING;
	stream_unlock(stream);
	if (!cold)
		return err;
#ifdef MUTANT_FEED_READFIRST
	feed_watched(feed, stream_name(stream));
#endif
	feed->backplane->ops->watch(feed->backplane, stream_name(stream), feed_watched, feed);
	return OK;
}

enum err feed_new(struct world *world, struct hub *hub, struct backplane *backplane,
		  struct feed **ret_feed)
{
	struct feed *feed = mem_zalloc(sizeof *feed);
	if (!feed)
		return ERR_NOMEM;
	enum err err = wheel_new(world->ops->now_ms(world), &feed->wheel);
	if (err) {
		mem_free(feed);
		return err;
	}
	feed->tag = FEED_TAG;
	feed->world = world;
	feed->hub = hub;
	feed->backplane = backplane;
	list_init(&feed->records);
	list_init(&feed->due);
	pthread_mutex_init(&feed->lock, NULL);
	world->ops->random(world, &feed->chance, sizeof feed->chance);
	hub_unfed_set(hub, feed_unfed, feed);
	backplane->sink = (struct backplane_sink){ feed, feed_pushed, feed_doubt };
	*ret_feed = feed;
	return OK;
}

void feed_counts_get(struct feed *feed, struct feed_counts *ret_counts)
{
	MUST_BE(feed, FEED_TAG);
	struct feed_tally *tally = &feed->tally;
	*ret_counts = (struct feed_counts){
		.reads = atomic_load(&tally->reads),
		.probes = atomic_load(&tally->probes),
		.failed = atomic_load(&tally->failed),
		.hurt = atomic_load(&tally->hurt),
		.healed = atomic_load(&tally->healed),
		.healed_ms = atomic_load(&tally->healed_ms),
		.healed_ms_max = atomic_load(&tally->healed_ms_max),
		.gaps_trimmed = atomic_load(&tally->gaps_trimmed),
		.gaps_epoch = atomic_load(&tally->gaps_epoch),
		.gaps_rewound = atomic_load(&tally->gaps_rewound),
		.streams = atomic_load(&tally->streams),
	};
}

void feed_free(struct feed **feed)
{
	if (!*feed)
		return;
	MUST_BE(*feed, FEED_TAG);
	MUST(list_empty(&(*feed)->records));
	wheel_free(&(*feed)->wheel);
	pthread_mutex_destroy(&(*feed)->lock);
	(*feed)->tag = 0;
	mem_free(*feed);
	*feed = NULL;
}

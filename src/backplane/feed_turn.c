/*
 * feed_turn: when a stream has to be looked at again: after a hole, a failed read, a long quiet.
 */
#include "backplane/feed_impl.h"
#include "base/must.h"
#include "wire/name.h"

static void fed_due(struct fed *fed)
{
	pthread_mutex_lock(&fed->feed->lock);
	if (list_empty(&fed->due_link))
		list_push(&fed->feed->due, &fed->due_link);
	pthread_mutex_unlock(&fed->feed->lock);
}

void fed_ring(struct deadline *deadline, uint64_t now_ms)
{
	struct fed *fed = CONTAINER_OF(deadline, struct fed, deadline);
	(void)now_ms;
	if (list_empty(&fed->due_link))
		list_push(&fed->feed->due, &fed->due_link);
}

static void fed_wake_at(struct fed *fed, uint64_t at_ms)
{
	struct feed *feed = fed->feed;
	fed->wake_ms = at_ms;
	pthread_mutex_lock(&feed->lock);
	/* Beyond the span only if nobody has turned the feed for long: the next turn sees to it. */
	if (wheel_arm(feed->wheel, &fed->deadline, at_ms) != OK && list_empty(&fed->due_link))
		list_push(&feed->due, &fed->due_link);
	pthread_mutex_unlock(&feed->lock);
}

static uint32_t feed_draw(struct feed *feed, uint32_t min, uint32_t max)
{
	pthread_mutex_lock(&feed->lock);
	feed->chance = feed->chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	uint64_t drawn = feed->chance >> 33;
	pthread_mutex_unlock(&feed->lock);
	return min + (uint32_t)(drawn % (max - min + 1));
}

static bool fed_probes(const struct fed *fed)
{
#ifdef MUTANT_FEED_NOPROBE
	return false;
#endif
	return fed->feed->backplane->ops->pushes_can_fail;
}

void fed_wake_to_probe(struct fed *fed)
{
	if (fed_probes(fed))
		fed_wake_at(fed, fed->heard_ms +
				 feed_draw(fed->feed, FED_PROBE_MS_MIN, FED_PROBE_MS_MAX));
}

/* From 100 ms on, twice as long each time, up to 2 s; up to half of it less, by chance. */
void fed_wake_to_retry(struct fed *fed, uint64_t now_ms)
{
	fed->retry_ms = fed->retry_ms ? fed->retry_ms * 2 : FED_RETRY_MS_MIN;
	if (fed->retry_ms > FED_RETRY_MS_MAX)
		fed->retry_ms = FED_RETRY_MS_MAX;
	fed_wake_at(fed, now_ms + feed_draw(fed->feed, fed->retry_ms / 2, fed->retry_ms));
}

void fed_hurt(struct fed *fed)
{
	if (fed->hurt_ms)
		return;
	fed->hurt_ms = feed_now(fed->feed);
	feed_tally_add(&fed->feed->tally.hurt, 1);
}

void fed_healed(struct fed *fed, uint64_t now_ms)
{
	struct feed_tally *tally = &fed->feed->tally;
	if (!fed->hurt_ms)
		return;
	uint64_t took_ms = now_ms > fed->hurt_ms ? now_ms - fed->hurt_ms : 0;
	uint64_t most_ms = atomic_load_explicit(&tally->healed_ms_max, memory_order_relaxed);
	fed->hurt_ms = 0;
	feed_tally_add(&tally->healed, 1);
	feed_tally_add(&tally->healed_ms, took_ms);
	while (most_ms < took_ms &&
	       !atomic_compare_exchange_weak(&tally->healed_ms_max, &most_ms, took_ms))
		;
}

void fed_catch(struct fed *fed)
{
	fed_hurt(fed);
	fed->state = FED_CATCHING;
	fed_due(fed);
}

/* The name is copied out, because the stream may go as soon as the lock is open. */
static bool feed_next_due(struct feed *feed, char name[NAME_BYTES_MAX], size_t *ret_bytes,
			  bool *ret_doubted)
{
	pthread_mutex_lock(&feed->lock);
	bool found = !list_empty(&feed->due);
	if (found) {
		struct fed *fed = CONTAINER_OF(feed->due.next, struct fed, due_link);
		struct slice whole = stream_name(fed->stream);
		MUST(whole.bytes <= NAME_BYTES_MAX);
		memcpy(name, whole.at, whole.bytes);
		*ret_bytes = whole.bytes;
		list_drop(&fed->due_link);
		*ret_doubted = fed->doubted;
		fed->doubted = false;
	}
	pthread_mutex_unlock(&feed->lock);
	return found;
}

static void fed_look(struct fed *fed, bool doubted, uint64_t now_ms)
{
	switch (fed->state) {
	case FED_COLD:
	case FED_SUBSCRIBING:
		return;
	case FED_CATCHING:
		if (doubted)
			fed->again = true;
		return;
	case FED_LIVE:
		if (doubted) {
			fed_hurt(fed);
			fed->state = FED_CATCHING;
		} else if (fed_probes(fed) && now_ms >= fed->wake_ms &&
			 now_ms >= fed->heard_ms + FED_PROBE_MS_MIN)
			fed->probe_wanted = true;
		else
			fed_wake_to_probe(fed);
		return;
	case FED_SUSPECT:
		if (doubted || now_ms >= fed->wake_ms)
			fed->state = FED_CATCHING;
		else
			fed_wake_at(fed, fed->wake_ms);
		return;
	}
}

void feed_turn(struct feed *feed, uint64_t now_ms)
{
	MUST_BE(feed, FEED_TAG);
	char name[NAME_BYTES_MAX];
	size_t bytes = 0;
	bool doubted = false;

	pthread_mutex_lock(&feed->lock);
	wheel_advance(feed->wheel, now_ms);
	pthread_mutex_unlock(&feed->lock);
	for (int i = 0; i < FEED_TURN_STREAMS; i++) {
		if (!feed_next_due(feed, name, &bytes, &doubted))
			return;
		struct stream *stream = hub_visit(feed->hub, slice_from(name, bytes));
		if (!stream)
			continue;
		stream_lock(stream);
		struct fed *fed = fed_of(stream);
		if (fed)
			fed_look(fed, doubted, now_ms);
		stream_unlock(stream);
		if (fed)
			fed_run(fed);
		hub_put(feed->hub, &stream, now_ms);
	}
}

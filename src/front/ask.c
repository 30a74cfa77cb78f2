/*
 * ask: a request's question to the backplane, which answers at once or later, from any thread.
 */
#include "front/visit.h"

#include <stdio.h>

#include "base/metric.h"
#include "base/must.h"
#include "front/caller.h"

/* Who comes second goes on with the request: the asker, if the answer was there before it returned
 * to libmicrohttpd, else the answer, which then finds the connection suspended. */
enum { PHASE_IDLE, PHASE_ASKED, PHASE_WAITING, PHASE_ANSWERED };

static void ask_told(struct task *task, uint64_t now_ms)
{
	struct visit *visit = CONTAINER_OF(task, struct visit, ask.task);
	visit->door->now_ms = now_ms;
	atomic_store_explicit(&visit->ask.phase, PHASE_IDLE, memory_order_relaxed);
	visit_answered(visit);
	/* Last: the visit may be gone, the door is not while it is busy. */
}

static void ask_answered(struct ask *ask)
{
	struct visit *visit = CONTAINER_OF(ask, struct visit, ask);
	if (atomic_exchange(&ask->phase, PHASE_ANSWERED) == PHASE_WAITING)
		loop_post(visit->door->config.loop, &ask->task);
}

static void ask_begin(struct visit *visit, next_fn *next)
{
	struct ask *ask = &visit->ask;
	MUST(atomic_load(&ask->phase) == PHASE_IDLE);
	visit->next = next;
	ask->task.run = ask_told;
	atomic_store(&ask->phase, PHASE_ASKED);
}

static bool ask_end(struct visit *visit)
{
	if (atomic_exchange(&visit->ask.phase, PHASE_WAITING) == PHASE_ANSWERED) {
		atomic_store(&visit->ask.phase, PHASE_IDLE);
		return true;
	}
	return false;
}

static uint64_t now_ns(struct visit *visit)
{
	struct world *world = visit->door->config.world;
	return world->ops->now_ns(world);
}

static void published(struct publish *publish)
{
	struct ask *ask = CONTAINER_OF(publish, struct ask, publish);
	struct visit *visit = CONTAINER_OF(ask, struct visit, ask);
	metric_observe(METRIC_PUBLISH, 0, (now_ns(visit) - ask->asked_ns) / 1000);
	if (publish->err == OK && !publish->duplicate) {
		metric_add(METRIC_EVENTS_IN, 0, 0, publish->count);
		metric_add(METRIC_BYTES_IN, 0, 0, ask->asked_bytes);
	}
	ask_answered(ask);
}

static void was_read(struct read *read)
{
	ask_answered(CONTAINER_OF(read, struct ask, read));
}

static void dropped(struct drop *drop)
{
	ask_answered(CONTAINER_OF(drop, struct ask, drop));
}

/* As the backplane would, had it looked who asks. */
static void refuse_publish(struct publish *publish, enum err err)
{
	for (size_t i = 0; i < publish->count; i++)
		event_unref(&publish->events[i]);
	publish->err = err;
	(void)snprintf(publish->note, sizeof publish->note, "%s", err_note_text());
}

bool ask_publish(struct visit *visit, next_fn *next)
{
	struct backplane *backplane = visit->door->config.backplane;
	enum err err = caller_allow_now(visit, VERB_PUBLISH, visit->ask.publish.name);
	if (err) {
		refuse_publish(&visit->ask.publish, err);
		return true;
	}
	ask_begin(visit, next);
	visit->ask.publish.done = published;
	visit->ask.asked_ns = now_ns(visit);
	visit->ask.asked_bytes = 0;
	for (size_t i = 0; i < visit->ask.publish.count; i++)
		visit->ask.asked_bytes += event_data(visit->ask.publish.events[i]).bytes;
	backplane->ops->publish(backplane, &visit->ask.publish);
	return ask_end(visit);
}

bool ask_read(struct visit *visit, next_fn *next)
{
	struct backplane *backplane = visit->door->config.backplane;
	ask_begin(visit, next);
	visit->ask.read.done = was_read;
	backplane->ops->read(backplane, &visit->ask.read);
	return ask_end(visit);
}

bool ask_drop(struct visit *visit, next_fn *next)
{
	struct backplane *backplane = visit->door->config.backplane;
	ask_begin(visit, next);
	visit->ask.drop.done = dropped;
	backplane->ops->drop(backplane, &visit->ask.drop);
	return ask_end(visit);
}

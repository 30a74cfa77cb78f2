#include "backplane/redis.h"

#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/mem.h"
#include "base/must.h"
#include "wire/name.h"

enum { WAIT_MS_MAX = 250, READY_MAX = 8 };

struct redis *redis_of(struct backplane *backplane)
{
	struct redis *redis = (struct redis *)backplane;
	MUST_BE(redis, REDIS_TAG);
	return redis;
}

struct code_rules redis_rules(struct redis *redis)
{
	struct world *world = redis->config.world;
	return (struct code_rules){
		.data_bytes_max = redis->config.data_bytes_max,
		.wall_ms = world->ops->wall_ms(world),
		.now_ms = world->ops->now_ms(world),
	};
}

struct slice redis_key(const struct redis *redis, struct slice name, const char *suffix,
		       char ret_key[REDIS_KEY_MAX])
{
	MUST(name.bytes <= NAME_BYTES_MAX);
	int bytes = snprintf(ret_key, REDIS_KEY_MAX, "%s:{%.*s}:%s", redis->prefix,
			     (int)name.bytes, name.at, suffix);
	return slice_from(ret_key, (size_t)bytes);
}

/* --- the mailbox --- */

static bool mail(struct redis *redis, struct list *box, struct list *link)
{
	pthread_mutex_lock(&redis->lock);
	bool open = !redis->closed;
	if (open) {
		list_init(link);
		list_push(box, link);
	}
	pthread_mutex_unlock(&redis->lock);
	if (open)
		redis->config.world->ops->poller_wake(redis->poller);
	return open;
}

static struct list *mail_take(struct redis *redis, struct list *box, struct list *ret_mail)
{
	list_init(ret_mail);
	pthread_mutex_lock(&redis->lock);
	list_splice(ret_mail, box);
	if (box == &redis->notes)
		redis->told_bytes = 0;
	pthread_mutex_unlock(&redis->lock);
	return ret_mail;
}

static struct note *note_new(enum note_kind kind, struct slice name)
{
	struct note *note = mem_zalloc(sizeof *note + name.bytes);
	if (!note)
		return NULL;
	note->kind = kind;
	note->name_bytes = name.bytes;
	memcpy(note->name, name.at, name.bytes);
	list_init(&note->link);
	return note;
}

static void note_free(struct note *note)
{
	event_unref(&note->event);
	mem_free(note);
}

static void note_read(struct redis *redis, struct note *note)
{
	switch (note->kind) {
	case NOTE_WATCH:
		watch_take(redis, note);
		break;
	case NOTE_UNWATCH:
		unwatch_take(redis, slice_from(note->name, note->name_bytes));
		break;
	case NOTE_SHOUT:
		shout_take(redis, note);
		break;
	case NOTE_TELL:
		tell_take(redis, note);
		break;
	}
	note_free(note);
}

static void mail_read(struct redis *redis)
{
	struct list box;

	mail_take(redis, &redis->notes, &box);
	while (!list_empty(&box)) {
		struct note *note = CONTAINER_OF(box.next, struct note, link);
		list_drop(&note->link);
		note_read(redis, note);
	}
	mail_take(redis, &redis->publishes, &box);
	while (!list_empty(&box)) {
		struct publish *publish = CONTAINER_OF(box.next, struct publish, link);
		list_drop(&publish->link);
		flow_take(redis, publish);
	}
	mail_take(redis, &redis->facts, &box);
	while (!list_empty(&box)) {
		struct fact *fact = CONTAINER_OF(box.next, struct fact, link);
		list_drop(&fact->link);
		fact_take(redis, fact);
	}
	mail_take(redis, &redis->fact_lists, &box);
	while (!list_empty(&box)) {
		struct fact_list *list = CONTAINER_OF(box.next, struct fact_list, link);
		list_drop(&list->link);
		fact_list_take(redis, list);
	}
	mail_take(redis, &redis->drops, &box);
	while (!list_empty(&box)) {
		struct drop *drop = CONTAINER_OF(box.next, struct drop, link);
		list_drop(&drop->link);
		errand_take_drop(redis, drop);
	}
	mail_take(redis, &redis->reads, &box);
	while (!list_empty(&box)) {
		struct read *read = CONTAINER_OF(box.next, struct read, link);
		list_drop(&read->link);
		errand_take_read(redis, read);
	}
}

/* --- the thread --- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* All that is due now. Returns when it wants to be called again, whatever comes in. */
static uint64_t redis_step(struct redis *redis, uint64_t now_ms)
{
	redis->now_ms = now_ms;
	/* Pushes first: the newest news, and what makes an answer to a read complete. */
	link_receive(&redis->subscription);
	link_receive(&redis->command);
	finder_turn(redis);
	link_turn(&redis->command);
	link_turn(&redis->subscription);
	if (redis->command.state == LINK_UP)
		redis->down_since_ms = 0;
	else if (!redis->down_since_ms)
		redis->down_since_ms = now_ms;
	mail_read(redis);
	if (!redis->wait_sent)
		flows_turn(redis);
	wait_turn(redis);
	atomic_store_explicit(&redis->tally.posts_waiting, redis->posts_count,
			      memory_order_relaxed);
	errands_turn(redis);
	canary_turn(redis);
	link_flush(&redis->command);
	link_flush(&redis->subscription);
	if (redis->command.readable || redis->subscription.readable || redis->finder.readable)
		return now_ms;
	uint64_t due_ms = least(link_due(&redis->command), link_due(&redis->subscription));
	due_ms = least(due_ms, finder_due(redis));
	return least(due_ms, least(flows_due(redis), errands_due(redis)));
}

static void redis_wait(struct redis *redis, uint64_t due_ms)
{
	struct world *world = redis->config.world;
	struct readiness ready[READY_MAX];
	uint64_t now_ms = world->ops->now_ms(world);
	uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;

	if (wait_ms > WAIT_MS_MAX)
		wait_ms = WAIT_MS_MAX;
	size_t count = world->ops->poller_wait(redis->poller, ready, READY_MAX, (int)wait_ms);
	for (size_t i = 0; i < count; i++) {
		bool *readable = ready[i].token == &redis->finder ?
					 &redis->finder.readable :
					 &((struct link *)ready[i].token)->readable;
		if (ready[i].flags & (WORLD_READABLE | WORLD_HANGUP))
			*readable = true;
	}
}

static void *redis_run(void *arg)
{
	struct redis *redis = arg;
	struct world *world = redis->config.world;
	while (!atomic_load(&redis->stopping))
		redis_wait(redis, redis_step(redis, world->ops->now_ms(world)));
	return NULL;
}

/* --- the seam --- */

static void redis_publish(struct backplane *backplane, struct publish *publish)
{
	struct redis *redis = redis_of(backplane);
	MUST(publish->count >= 1 && publish->count <= BACKPLANE_GROUP_MAX);
	if (mail(redis, &redis->publishes, &publish->link))
		return;
	for (size_t i = 0; i < publish->count; i++)
		event_unref(&publish->events[i]);
	publish->err = ERR_UNAVAILABLE;
	publish->note[0] = '\0';
	publish->done(publish);
}

static void redis_read(struct backplane *backplane, struct read *read)
{
	struct redis *redis = redis_of(backplane);
	MUST(read->events_max <= BACKPLANE_READ_MAX);
	if (mail(redis, &redis->reads, &read->link))
		return;
	read->events = NULL;
	read->count = 0;
	read->err = ERR_UNAVAILABLE;
	read->done(read);
}

static void redis_drop(struct backplane *backplane, struct drop *drop)
{
	struct redis *redis = redis_of(backplane);
	if (mail(redis, &redis->drops, &drop->link))
		return;
	drop->err = ERR_UNAVAILABLE;
	drop->done(drop);
}

static enum err redis_shout(struct backplane *backplane, struct slice name, struct event *event)
{
	struct redis *redis = redis_of(backplane);
	MUST(event->ephemeral && event->end == END_NONE);
	struct note *note = note_new(NOTE_SHOUT, name);
	bool up = atomic_load(&redis->up);

	if (note)
		note->event = event;
	else
		event_unref(&event);
	if (note && up && mail(redis, &redis->notes, &note->link))
		return OK;
	if (!note)
		return ERR_NOMEM;
	note_free(note);
	return err_note(ERR_UNAVAILABLE, "Redis does not answer");
}

static void redis_watch(struct backplane *backplane, struct slice name,
			void (*watched)(void *arg, struct slice name), void *arg)
{
	struct redis *redis = redis_of(backplane);
	struct note *note = note_new(NOTE_WATCH, name);

	if (note) {
		note->watched = watched;
		note->arg = arg;
		if (mail(redis, &redis->notes, &note->link))
			return;
		note_free(note);
	}
	/* Nothing will be pushed; what is read will still be right. */
	watched(arg, name);
}

static void redis_unwatch(struct backplane *backplane, struct slice name)
{
	struct redis *redis = redis_of(backplane);
	struct note *note = note_new(NOTE_UNWATCH, name);
	if (note && !mail(redis, &redis->notes, &note->link))
		note_free(note);
}

static enum err redis_tell(struct backplane *backplane, struct slice bytes)
{
	struct redis *redis = redis_of(backplane);

	if (bytes.bytes > BACKPLANE_TELL_BYTES_MAX)
		return err_note(ERR_TOO_BIG, "a word has at most %d bytes",
				BACKPLANE_TELL_BYTES_MAX);
	if (!atomic_load(&redis->up))
		return err_note(ERR_UNAVAILABLE, "Redis does not answer");
	struct note *note = note_new(NOTE_TELL, bytes);
	if (!note)
		return ERR_NOMEM;
	pthread_mutex_lock(&redis->lock);
	bool full = redis->told_bytes + bytes.bytes > REDIS_TOLD_BYTES_MAX;
	if (!full)
		redis->told_bytes += bytes.bytes;
	pthread_mutex_unlock(&redis->lock);
	if (!full && mail(redis, &redis->notes, &note->link))
		return OK;
	note_free(note);
	return full ? err_note(ERR_FULL, "too many words are waiting for Redis")
		    : err_note(ERR_UNAVAILABLE, "the node is going away");
}

static void redis_fact_put(struct backplane *backplane, struct fact *fact)
{
	struct redis *redis = redis_of(backplane);
	fact->err = fact_check(fact);
	if (fact->err == OK && mail(redis, &redis->facts, &fact->link))
		return;
	if (fact->err == OK)
		fact->err = err_note(ERR_UNAVAILABLE, "the node is going away");
	fact->done(fact);
}

static void redis_fact_list(struct backplane *backplane, struct fact_list *list)
{
	struct redis *redis = redis_of(backplane);
	fact_set_must_be_good(list->set);
	if (mail(redis, &redis->fact_lists, &list->link))
		return;
	list->err = err_note(ERR_UNAVAILABLE, "the node is going away");
	list->done(list);
}

static void redis_health(struct backplane *backplane, struct backplane_health *ret_health)
{
	struct redis *redis = redis_of(backplane);
	struct world *world = redis->config.world;
	uint64_t echo_ms = atomic_load(&redis->echo_ms), now_ms = world->ops->now_ms(world);

	*ret_health = (struct backplane_health){
		.ready = atomic_load(&redis->ready),
		.echo_age_ms = !echo_ms ? UINT64_MAX : now_ms > echo_ms ? now_ms - echo_ms : 0,
		.echo_us = echo_ms ? atomic_load(&redis->echo_us) : UINT64_MAX,
	};
}

static void redis_counts(struct backplane *backplane, struct backplane_counts *ret_counts)
{
	struct tally *tally = &redis_of(backplane)->tally;
	*ret_counts = (struct backplane_counts){
		.commands = atomic_load(&tally->commands),
		.commits = atomic_load(&tally->commits),
		.committed_events = atomic_load(&tally->committed_events),
		.connects = atomic_load(&tally->connects),
		.disconnects = atomic_load(&tally->disconnects),
		.pushes_received = atomic_load(&tally->pushes_received),
		.bytes_sent = atomic_load(&tally->bytes_sent),
		.bytes_received = atomic_load(&tally->bytes_received),
		.lost_tails = atomic_load(&tally->lost_tails),
		.posts_waiting = atomic_load(&tally->posts_waiting),
	};
}

static uint64_t redis_turn(struct backplane *backplane, uint64_t now_ms)
{
	(void)backplane, (void)now_ms;
	return UINT64_MAX; /* its thread turns it */
}

static bool redis_ready(struct backplane *backplane)
{
	return atomic_load(&redis_of(backplane)->ready);
}

static void redis_stop(struct backplane *backplane)
{
	struct redis *redis = redis_of(backplane);

	atomic_store(&redis->stopping, true);
	if (redis->runs) {
		redis->config.world->ops->poller_wake(redis->poller);
		(void)pthread_join(redis->thread, NULL);
	}
	redis->runs = false;
	pthread_mutex_lock(&redis->lock);
	redis->closed = true;
	pthread_mutex_unlock(&redis->lock);
	mail_read(redis);
	finder_fini(redis);
	link_fini(&redis->command);
	link_fini(&redis->subscription);
	flows_clear(redis);
	errands_clear(redis);
}

static void redis_free(struct backplane **backplane)
{
	if (!*backplane)
		return;
	struct redis *redis = redis_of(*backplane);

	redis_stop(*backplane);
	watches_clear(redis);
	map_free(&redis->flows);
	map_free(&redis->watches);
	redis->config.world->ops->poller_free(&redis->poller);
	pthread_mutex_destroy(&redis->lock);
	redis->tag = 0;
	mem_free(redis);
	*backplane = NULL;
}

static const struct backplane_ops redis_ops = {
	.name = "redis",
	.pushes_can_fail = true,
	.publish = redis_publish,
	.read = redis_read,
	.drop = redis_drop,
	.shout = redis_shout,
	.watch = redis_watch,
	.unwatch = redis_unwatch,
	.tell = redis_tell,
	.fact_put = redis_fact_put,
	.fact_list = redis_fact_list,
	.turn = redis_turn,
	.ready = redis_ready,
	.health = redis_health,
	.counts = redis_counts,
	.stop = redis_stop,
	.free = redis_free,
};

static void redis_init(struct redis *redis, const struct redis_config *config)
{
	struct world *world = config->world;
	uint64_t self = 0;

	redis->tag = REDIS_TAG;
	redis->config = *config;
	redis->backplane.ops = &redis_ops;
	redis->now_ms = world->ops->now_ms(world);
	memcpy(redis->prefix, config->prefix.at, config->prefix.bytes);
	world->ops->random(world, &self, sizeof self);
	(void)snprintf(redis->self, sizeof redis->self, "%016llx", (unsigned long long)self);
	pthread_mutex_init(&redis->lock, NULL);
	list_init(&redis->publishes);
	list_init(&redis->reads);
	list_init(&redis->drops);
	list_init(&redis->facts);
	list_init(&redis->fact_lists);
	list_init(&redis->notes);
	list_init(&redis->flows_ready);
	list_init(&redis->flows_waiting);
	finder_init(&redis->finder);
	list_init(&redis->errands);
	link_init(&redis->command, redis, false);
	link_init(&redis->subscription, redis, true);
}

enum err redis_new(const struct redis_config *config, struct backplane **ret_backplane)
{
	size_t bytes = config->prefix.bytes;

	if (bytes < 1 || bytes > REDIS_PREFIX_MAX || memchr(config->prefix.at, '{', bytes) ||
	    memchr(config->prefix.at, '}', bytes))
		return err_note(ERR_SYNTAX, "a prefix of keys has 1 to %d bytes and no { or }",
				REDIS_PREFIX_MAX);
	struct redis *redis = mem_zalloc(sizeof *redis);
	if (!redis)
		return ERR_NOMEM;
	struct backplane *backplane = &redis->backplane;
	redis_init(redis, config);
	enum err err = map_new(flow_name_of, config->streams_max, &redis->flows);
	if (!err)
		err = map_new(watch_name_of, config->streams_max, &redis->watches);
	if (!err)
		err = config->world->ops->poller_new(config->world, &redis->poller);
	if (!err && pthread_create(&redis->thread, NULL, redis_run, redis) != 0)
		err = err_note(ERR_SYSTEM, "no thread for Redis");
	if (err) {
		redis_free(&backplane);
		return err;
	}
	redis->runs = true;
	*ret_backplane = backplane;
	return OK;
}

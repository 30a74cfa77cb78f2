/*
 * redis_watch: the subscription: channels come and go, pushes arrive, a canary proves that they do.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/mem.h"
#include "base/must.h"

enum { CHANNELS_A_CALL = 256 };

struct slice watch_name_of(const void *object)
{
	const struct watch *watch = object;
	return slice_from(watch->name, watch->name_bytes);
}

static struct slice canary_channel(const struct redis *redis, char ret_key[REDIS_KEY_MAX])
{
	/* No stream has such a name. */
	int bytes = snprintf(ret_key, REDIS_KEY_MAX, "%s:{!%s}:c", redis->prefix, redis->self);
	return slice_from(ret_key, (size_t)bytes);
}

/* --- asking for channels --- */

static void watch_ask(struct redis *redis, struct watch *watch, bool wanted)
{
	char key[REDIS_KEY_MAX];
	struct slice channel = redis_key(redis, watch_name_of(watch), "c", key);

	if (redis->subscription.state != LINK_UP)
		return;
	watch->asked++;
	redis->asked_count++;
	watch->wanted = wanted;
	link_send(&redis->subscription, NULL,
		  (struct slice[]){ wanted ? SLICE("SUBSCRIBE") : SLICE("UNSUBSCRIBE"), channel },
		  2);
}

static bool watch_is_sure(const struct watch *watch)
{
	return watch->wanted && watch->asked == 0;
}

static void watch_tell(struct watch *watch)
{
	while (!list_empty(&watch->watchers)) {
		struct watcher *watcher = CONTAINER_OF(watch->watchers.next, struct watcher, link);
		list_drop(&watcher->link);
		watcher->watched(watcher->arg, watch_name_of(watch));
		mem_free(watcher);
	}
}

static void watch_free(struct redis *redis, struct watch *watch)
{
	(void)map_take(redis->watches, watch_name_of(watch));
	while (!list_empty(&watch->watchers)) {
		struct watcher *watcher = CONTAINER_OF(watch->watchers.next, struct watcher, link);
		list_drop(&watcher->link);
		mem_free(watcher);
	}
	mem_free(watch);
}

static struct watch *watch_find(struct redis *redis, struct slice name)
{
	struct watch *watch = map_get(redis->watches, name);
	if (watch)
		return watch;
	watch = mem_zalloc(sizeof *watch + name.bytes);
	if (!watch)
		return NULL;
	watch->name_bytes = name.bytes;
	memcpy(watch->name, name.at, name.bytes);
	list_init(&watch->watchers);
	if (map_put(redis->watches, watch) != OK) {
		mem_free(watch);
		return NULL;
	}
	return watch;
}

/* Without memory for it no push will come; the feed's probes find what is missed. */
void watch_take(struct redis *redis, struct note *note)
{
	struct slice name = slice_from(note->name, note->name_bytes);
	struct watch *watch = watch_find(redis, name);
	struct watcher *watcher = watch ? mem_zalloc(sizeof *watcher) : NULL;

	if (watch)
		watch->count++;
	if (!watcher) {
		note->watched(note->arg, name);
		return;
	}
	watcher->watched = note->watched;
	watcher->arg = note->arg;
	list_init(&watcher->link);
	list_push(&watch->watchers, &watcher->link);
	if (!watch->wanted)
		watch_ask(redis, watch, true);
	if (watch_is_sure(watch))
		watch_tell(watch);
}

void unwatch_take(struct redis *redis, struct slice name)
{
	struct watch *watch = map_get(redis->watches, name);

	if (!watch || watch->count == 0 || --watch->count > 0)
		return;
	if (watch->wanted)
		watch_ask(redis, watch, false);
	if (watch->asked == 0)
		watch_free(redis, watch);
}

/* All of them, a few hundred a command. Words come first, and the node's own channel behind them:
 * once that is confirmed, so are they. */
void watches_subscribe(struct redis *redis)
{
	struct slice words[CHANNELS_A_CALL + 1] = { SLICE("SUBSCRIBE") };
	char keys[CHANNELS_A_CALL][REDIS_KEY_MAX];
	size_t count = 1;
	struct watch *watch;

	words[count++] = tell_channel(redis, keys[0]);
	words[count++] = canary_channel(redis, keys[1]);
	for (size_t at = 0; (watch = map_next(redis->watches, &at));) {
		if (watch->count == 0)
			continue;
		watch->asked++;
		watch->wanted = true;
		redis->asked_count++;
		words[count] = redis_key(redis, watch_name_of(watch), "c", keys[count - 1]);
		if (++count == CHANNELS_A_CALL + 1) {
			link_send(&redis->subscription, NULL, words, count);
			count = 1;
		}
	}
	if (count > 1)
		link_send(&redis->subscription, NULL, words, count);
}

void watches_lost(struct redis *redis)
{
	struct watch *watch;
	for (size_t at = 0; redis->watches && (watch = map_next(redis->watches, &at));) {
		watch->asked = 0;
		watch->wanted = false;
		if (watch->count == 0)
			watch_free(redis, watch);
	}
	redis->asked_count = 0;
	redis->doubted |= redis->canary_confirmed;
	redis->canary_confirmed = false;
	redis->canary_seen_ms = 0;
}

void watches_clear(struct redis *redis)
{
	struct watch *watch;
	for (size_t at = 0; redis->watches && (watch = map_next(redis->watches, &at));)
		watch_free(redis, watch);
}

/* --- what is heard --- */

/* The stream's name in a channel's: {prefix}:{name}:c. */
static bool channel_name(const struct redis *redis, struct slice channel, struct slice *ret_name)
{
	size_t prefix = strlen(redis->prefix);
	if (channel.bytes < prefix + 6 ||
	    memcmp(channel.at, redis->prefix, prefix) != 0 ||
	    memcmp(channel.at + prefix, ":{", 2) != 0 ||
	    memcmp(channel.at + channel.bytes - 3, "}:c", 3) != 0)
		return false;
	*ret_name = slice_from(channel.at + prefix + 2, channel.bytes - prefix - 5);
	return true;
}

static void heard_push(struct redis *redis, struct slice name, struct slice bytes)
{
	struct code_rules rules = redis_rules(redis);
	struct backplane_sink *sink = &redis->backplane.sink;
	struct code_push coded = { .kind = CODE_PUBLISHED };

	const struct watch *watch = map_get(redis->watches, name);
	if (!watch || watch->count == 0 || !sink->pushed)
		return;
	/* What cannot be read is as good as lost: the next push, or a probe, shows the hole. */
	if (code_take_push(bytes, &rules, &coded) != OK)
		return;
	const struct push push = {
		.name = name,
		.parent = coded.parent,
		.events = coded.events,
		.count = coded.count,
		.fence = coded.kind == CODE_FENCED,
		.dropped = coded.kind == CODE_DROPPED,
	};
	tally_add(&redis->tally.pushes_received, 1);
	sink->pushed(sink->arg, &push);
	for (size_t i = 0; i < coded.count; i++)
		event_unref(&coded.events[i]);
}

static void heard_confirmation(struct redis *redis, struct slice name)
{
	struct watch *watch = map_get(redis->watches, name);

	if (slice_equal(name, SLICE(TELL_NAME))) {
		return;
	} else if (name.bytes && name.at[0] == '!') {
		redis->canary_confirmed = true;
		told_missed(redis);
	} else if (watch && watch->asked > 0) {
		watch->asked--;
		redis->asked_count--;
		if (watch_is_sure(watch))
			watch_tell(watch);
		else if (watch->asked == 0 && watch->count == 0)
			watch_free(redis, watch);
	}
	/* Only now: what is read from here on is whole together with what will be pushed. */
	if (redis->doubted && redis->canary_confirmed && redis->asked_count == 0) {
		redis->doubted = false;
		if (redis->backplane.sink.doubt)
			redis->backplane.sink.doubt(redis->backplane.sink.arg);
	}
}

static void canary_seen(struct redis *redis)
{
	struct world *world = redis->config.world;
	uint64_t now_ns = world->ops->now_ns(world);

	redis->canary_seen_ms = redis->now_ms;
	redis->canary_heard = true;
	if (redis->canary_sent_ns && now_ns >= redis->canary_sent_ns)
		atomic_store(&redis->echo_us, (now_ns - redis->canary_sent_ns) / 1000);
	atomic_store(&redis->echo_ms, redis->now_ms);
}

void watches_heard(struct redis *redis, const redisReply *reply)
{
	struct slice kind = reply_word(reply, 0), name;

	if (reply->type == REDIS_REPLY_ERROR) {
		link_lose(&redis->subscription, "it refuses to subscribe");
		return;
	}
	if (!channel_name(redis, reply_word(reply, 1), &name))
		return;
	if (slice_equal(kind, SLICE("message"))) {
		if (slice_equal(name, SLICE(TELL_NAME))) {
			told_heard(redis, reply_word(reply, 2));
		} else if (name.at[0] == '!') {
			canary_seen(redis);
		} else {
			heard_push(redis, name, reply_word(reply, 2));
		}
	} else if (slice_equal(kind, SLICE("subscribe")) ||
		   slice_equal(kind, SLICE("unsubscribe"))) {
		heard_confirmation(redis, name);
	}
}

/* --- shouts and the canary --- */

struct shout {
	struct call call;
};

static void shout_answered(struct redis *redis, struct call *call, const redisReply *reply)
{
	(void)redis, (void)reply;
	mem_free(CONTAINER_OF(call, struct shout, call));
}

/* One that meets no script, or no link, is lost as any unheard shout. */
void shout_take(struct redis *redis, struct note *note)
{
	struct slice name = slice_from(note->name, note->name_bytes);
	struct code_place place = { .count = 1 };
	char m[REDIS_KEY_MAX], c[REDIS_KEY_MAX];
	struct shout *shout;
	struct buf buf;

	if (redis->command.state != LINK_UP || !(shout = mem_zalloc(sizeof *shout)))
		return;
	buf_init(&buf, REDIS_OUT_BYTES_MAX);
	code_put(note->event, &place, &buf);
	const struct slice words[] = { redis_key(redis, name, "m", m),
				       redis_key(redis, name, "c", c), buf_slice(&buf) };
	shout->call = (struct call){ .answered = shout_answered };
	if (!buf.err)
		link_eval(redis, &shout->call, SCRIPT_SHOUT, true, 1, words, 3);
	else
		mem_free(shout);
	buf_fini(&buf);
}

static void canary_answered(struct redis *redis, struct call *call, const redisReply *reply)
{
	(void)call, (void)reply;
	redis->canary_sent = false;
}

/* What is published must be heard; a subscription that hears nothing is made anew. */
void canary_turn(struct redis *redis)
{
	char key[REDIS_KEY_MAX];
	bool both = redis->command.state == LINK_UP && redis->subscription.state == LINK_UP;

	if (!both) {
		redis->canary_seen_ms = redis->canary_due_ms = 0;
		redis->canary_heard = false;
	}
	if (both && redis->canary_confirmed && !redis->canary_sent &&
	    redis->now_ms >= redis->canary_due_ms) {
		if (!redis->canary_seen_ms)
			redis->canary_seen_ms = redis->now_ms;
		redis->canary_sent = true;
		redis->canary_sent_ns = redis->config.world->ops->now_ns(redis->config.world);
		redis->canary_due_ms = redis->now_ms + REDIS_CANARY_MS;
		redis->canary = (struct call){ .answered = canary_answered };
		link_send(&redis->command, &redis->canary,
			  (struct slice[]){ SLICE("PUBLISH"), canary_channel(redis, key),
					    SLICE("1") }, 3);
	}
	bool deaf = redis->canary_seen_ms &&
		    redis->now_ms - redis->canary_seen_ms > REDIS_DEAF_MS;
	bool mute = both && !redis->canary_confirmed &&
		    redis->now_ms >= redis->subscription.due_ms;
	if (both && (deaf || mute))
		link_lose(&redis->subscription, deaf ? "it is deaf" : "it confirms nothing");
	atomic_store(&redis->ready, both && redis->canary_heard && !deaf);
}

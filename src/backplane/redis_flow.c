/*
 * redis_flow: the publishes of each stream: one call under way; what comes meanwhile leaves as one.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/mem.h"
#include "base/must.h"

enum { FLOW_WALK_MAX = 1000, FLOW_PAUSE_MS = 50 };

struct slice flow_name_of(const void *object)
{
	const struct flow *flow = object;
	return slice_from(flow->name, flow->name_bytes);
}

static enum err flow_find(struct redis *redis, struct slice name, struct flow **ret_flow)
{
	struct flow *flow = map_get(redis->flows, name);
	if (!flow) {
		flow = mem_zalloc(sizeof *flow + name.bytes);
		if (!flow)
			return ERR_NOMEM;
		flow->tag = FLOW_TAG;
		flow->redis = redis;
		flow->name_bytes = name.bytes;
		memcpy(flow->name, name.at, name.bytes);
		list_init(&flow->posts);
		list_init(&flow->group);
		list_init(&flow->ready);
		enum err err = map_put(redis->flows, flow);
		if (err) {
			mem_free(flow);
			return err;
		}
	}
	*ret_flow = flow;
	return OK;
}

void flow_make_ready(struct flow *flow)
{
	if (list_empty(&flow->ready))
		list_push(&flow->redis->flows_ready, &flow->ready);
}

static void publish_refuse(struct publish *publish, enum err err, const char *note)
{
	for (size_t i = 0; i < publish->count; i++)
		event_unref(&publish->events[i]);
	publish->err = err;
	(void)snprintf(publish->note, sizeof publish->note, "%s", note);
	publish->done(publish);
}

void flow_post_done(struct redis *redis, struct post *post, enum err err, const char *note)
{
	struct publish *publish = post->publish;

	list_drop(&post->link);
	redis->posts_count--;
	redis->posts_bytes -= post->bytes;
	mem_free(post);
	publish_refuse(publish, err, note);
}

void flow_answer_group(struct flow *flow, enum err err, const char *note)
{
	flow->group_count = 0;
	flow->doubt = flow->whole = false;
	while (!list_empty(&flow->group))
		flow_post_done(flow->redis, CONTAINER_OF(flow->group.next, struct post, link), err,
			       note);
}

void flow_take(struct redis *redis, struct publish *publish)
{
	struct flow *flow = NULL;
	size_t bytes = sizeof *publish;

	publish->duplicate = publish->behind = false;
	publish->note[0] = '\0';
	publish->head = (struct position){ 0 };
	for (size_t i = 0; i < publish->count; i++)
		bytes += event_weight(publish->events[i]);
	bool away = redis->down_since_ms && redis->now_ms - redis->down_since_ms > REDIS_POST_MS;
	if (away || redis->posts_count >= REDIS_POSTS_MAX ||
	    redis->posts_bytes + bytes > REDIS_POSTS_BYTES_MAX) {
		publish_refuse(publish, ERR_UNAVAILABLE,
			       away ? "Redis does not answer" : "too much is waiting for Redis");
		return;
	}
	enum err err = flow_find(redis, publish->name, &flow);
	struct post *post = err ? NULL : mem_zalloc(sizeof *post);
	if (!post) {
		publish_refuse(publish, err ? err : ERR_NOMEM,
			       err == ERR_FULL ? "too many streams are published to here" : "");
		return;
	}
	*post = (struct post){ .publish = publish, .until_ms = redis->now_ms + REDIS_POST_MS,
			       .bytes = bytes };
	list_init(&post->link);
	list_push(&flow->posts, &post->link);
	redis->posts_count++;
	redis->posts_bytes += bytes;
	flow->used_ms = redis->now_ms;
	if (flow->doing == FLOW_IDLE)
		flow_make_ready(flow);
}

/* What has waited for too long. The group's outcome is unknown if it was sent before. */
static void flow_expire(struct flow *flow)
{
	struct redis *redis = flow->redis;
	bool late = !list_empty(&flow->group) &&
		    redis->now_ms >=
			    CONTAINER_OF(flow->group.next, struct post, link)->until_ms;

	if (late && flow->doubt)
		flow_answer_group(flow, ERR_TIMEOUT, "Redis went away before it answered");
	else if (late)
		flow_answer_group(flow, ERR_UNAVAILABLE,
				  *redis->refusal ? redis->refusal : "Redis does not answer");
	while (!list_empty(&flow->posts)) {
		struct post *post = CONTAINER_OF(flow->posts.next, struct post, link);
		if (redis->now_ms < post->until_ms)
			break;
		flow_post_done(redis, post, ERR_UNAVAILABLE, "Redis does not answer");
	}
}

static bool flow_wants(const struct flow *flow)
{
	return !list_empty(&flow->posts) || !list_empty(&flow->group) ||
	       (flow->verify && flow->acked.epoch);
}

static void flow_look(struct flow *flow)
{
	struct redis *redis = flow->redis;

	MUST(flow->doing == FLOW_IDLE);
	flow_expire(flow);
	if (!flow_wants(flow))
		return;
	if (redis->command.state == LINK_UP && redis->now_ms >= flow->not_before_ms &&
	    redis->calls_count < REDIS_CALLS_MAX)
		flow_send(flow);
	else
		flow_make_ready(flow);
}

static void flow_free(struct redis *redis, struct flow *flow)
{
	(void)map_take(redis->flows, flow_name_of(flow));
	list_drop(&flow->ready);
	flow->tag = 0;
	mem_free(flow);
}

/* Streams that nobody here has published to for an hour have no past here. */
static void flows_walk(struct redis *redis)
{
	if (redis->now_ms < redis->walk_due_ms)
		return;
	redis->walk_due_ms = redis->now_ms + FLOW_PAUSE_MS;
	bool full = map_count(redis->flows) > redis->config.streams_max / 10 * 9;
	for (int i = 0; i < FLOW_WALK_MAX; i++) {
		struct flow *flow = map_next(redis->flows, &redis->flows_walk);
		if (!flow) {
			redis->flows_walk = 0;
			return;
		}
		uint64_t idle_ms = redis->now_ms - flow->used_ms;
		if (flow->doing == FLOW_IDLE && !flow_wants(flow) &&
		    idle_ms > (full ? REDIS_FLOW_IDLE_MS / 60 : REDIS_FLOW_IDLE_MS))
			flow_free(redis, flow);
	}
}

void flows_turn(struct redis *redis)
{
	struct list ready;

	flows_walk(redis);
	list_init(&ready);
	list_splice(&ready, &redis->flows_ready);
	while (!list_empty(&ready)) {
		struct flow *flow = CONTAINER_OF(ready.next, struct flow, ready);
		list_drop(&flow->ready);
		flow_look(flow);
	}
}

uint64_t flows_due(const struct redis *redis)
{
	return list_empty(&redis->flows_ready) ? UINT64_MAX : redis->now_ms + FLOW_PAUSE_MS;
}

void flows_verify_all(struct redis *redis)
{
	struct flow *flow;
	for (size_t at = 0; (flow = map_next(redis->flows, &at));) {
		flow->verify = true;
		if (flow->doing == FLOW_IDLE && flow->acked.epoch)
			flow_make_ready(flow);
	}
}

/* The link is closed, so nothing is under way. */
void flows_clear(struct redis *redis)
{
	struct flow *flow;
	for (size_t at = 0; redis->flows && (flow = map_next(redis->flows, &at));) {
		MUST(flow->doing == FLOW_IDLE);
		flow_answer_group(flow, flow->doubt ? ERR_TIMEOUT : ERR_UNAVAILABLE,
				  "the node is going away");
		while (!list_empty(&flow->posts))
			flow_post_done(redis, CONTAINER_OF(flow->posts.next, struct post, link),
				       ERR_UNAVAILABLE, "the node is going away");
		flow_free(redis, flow);
	}
}

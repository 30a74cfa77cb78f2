/*
 * redis_wait: publishes that count once replicas have them. One WAIT stands behind all publishes
 * of a turn, on their connection, which makes it mean them; none is sent before it is answered.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"

static void settle(struct flow *flow, bool behind)
{
	flow->doing = FLOW_IDLE;
	for (struct list *at = flow->group.next; at != &flow->group; at = at->next)
		CONTAINER_OF(at, struct post, link)->publish->behind = behind;
	flow_answer_group(flow, OK, "");
	flow_make_ready(flow);
}

void flow_settle(struct flow *flow)
{
	struct redis *redis = flow->redis;

	if (redis->config.replicas == 0) {
		settle(flow, false);
		return;
	}
	list_drop(&flow->ready);
	list_push(&redis->flows_waiting, &flow->ready);
	flow->doing = FLOW_WAITING;
}

/* Without an answer it is stored all the same, as far as anybody knows. */
static void waited(struct redis *redis, struct call *call, const redisReply *reply)
{
	struct list waiting;
	(void)call;

	redis->wait_sent = false;
	bool behind = !reply || reply->type != REDIS_REPLY_INTEGER ||
		      reply->integer < (long long)redis->config.replicas;
	list_init(&waiting);
	list_splice(&waiting, &redis->flows_waiting);
	while (!list_empty(&waiting)) {
		struct flow *flow = CONTAINER_OF(waiting.next, struct flow, ready);
		list_drop(&flow->ready);
		settle(flow, behind);
	}
}

void wait_turn(struct redis *redis)
{
	char count[16], wait_ms[16];

	if (!redis->wait_wanted || redis->wait_sent || redis->command.state != LINK_UP)
		return;
	redis->wait_wanted = false;
	redis->wait_sent = true;
	(void)snprintf(count, sizeof count, "%u", redis->config.replicas);
	(void)snprintf(wait_ms, sizeof wait_ms, "%d", REDIS_WAIT_MS);
	redis->wait = (struct call){ .answered = waited };
	link_send(&redis->command, &redis->wait,
		  (struct slice[]){ SLICE("WAIT"), slice_of(count), slice_of(wait_ms) }, 3);
}

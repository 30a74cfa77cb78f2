/*
 * redis_send: a group on its way into the history, and what the answer makes of it.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/say.h"

enum { ARGS_BEFORE_BODIES = 15, KEYS_OF_PUBLISH = 4, NUMBER_MAX = 24 };

static void hex_of(const uint8_t *bytes, size_t count, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < count; i++) {
		ret_text[2 * i] = digits[bytes[i] >> 4];
		ret_text[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_text[2 * count] = '\0';
}

/* All of these were not executed, and will be one day. */
static bool not_now(const redisReply *reply)
{
	static const char *const words[] = { "LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN",
					     "MASTERDOWN", "READONLY", "OOM", "NOREPLICAS",
					     "MISCONF" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (reply_starts(reply, words[i]))
			return true;
	}
	return false;
}

/* Whether there is an answer to look at; else the flow waits, or goes again. */
static bool flow_answered(struct flow *flow, const redisReply *reply)
{
	struct redis *redis = flow->redis;

	redis->calls_count--;
	flow->doing = FLOW_IDLE;
	flow_make_ready(flow);
	if (!reply)
		return false;
	if (reply_starts(reply, "NOSCRIPT")) {
		flow->whole = true;
		return false;
	}
	if (not_now(reply)) {
		flow->not_before_ms = redis->now_ms + 50;
		(void)snprintf(redis->refusal, sizeof redis->refusal, "Redis says: %.*s",
			       (int)(reply->len < 48 ? reply->len : 48), reply->str);
		if (reply_starts(reply, "READONLY"))
			link_lose(&redis->command, "it is no primary any more");
		return false;
	}
	redis->refusal[0] = '\0';
	return true;
}

/* --- the ledger --- */

static void flow_verified(struct redis *redis, struct call *call, const redisReply *reply)
{
	struct flow *flow = CONTAINER_OF(call, struct flow, call);
	struct position fence;
	(void)redis;

	if (!flow_answered(flow, reply))
		return;
	flow->verify = flow->whole = false;
	struct slice status = reply_word(reply, 0);
	if (slice_equal(status, SLICE("OK")))
		return;
	char name[64];
	(void)snprintf(name, sizeof name, "%.*s",
		       (int)(flow->name_bytes < 60 ? flow->name_bytes : 60), flow->name);
	tally_add(&redis->tally.lost_tails, 1);
	say(SAY_WARN, "acknowledged_and_lost", "stream", name, NULL);
	if (slice_equal(status, SLICE("FENCED")) && reply_position(reply, 1, &fence) == OK)
		flow->acked = fence;
	else
		flow->acked = (struct position){ 0 };
}

static void flow_send_verify(struct flow *flow)
{
	struct redis *redis = flow->redis;
	struct slice name = flow_name_of(flow);
	struct tape_bounds bounds = redis->config.bounds_of(redis->config.bounds_arg, name);
	char m[REDIS_KEY_MAX], l[REDIS_KEY_MAX], c[REDIS_KEY_MAX];
	char epoch[NUMBER_MAX], seq[NUMBER_MAX], tag[NUMBER_MAX];
	char chance[NUMBER_MAX], ttl[NUMBER_MAX];
	uint8_t r[5];

	redis->config.world->ops->random(redis->config.world, r, sizeof r);
	hex_of(r, sizeof r, chance);
	(void)snprintf(epoch, sizeof epoch, "%016llx", (unsigned long long)flow->acked.epoch);
	(void)snprintf(seq, sizeof seq, "%llu", (unsigned long long)flow->acked.seq);
	(void)snprintf(tag, sizeof tag, "%012llx", (unsigned long long)flow->acked.tag);
	(void)snprintf(ttl, sizeof ttl, "%llu", (unsigned long long)bounds.age_ms_max);
	const struct slice words[] = {
		redis_key(redis, name, "m", m), redis_key(redis, name, "l", l),
		slice_of(epoch), slice_of(seq), slice_of(tag), slice_of(chance),
		redis_key(redis, name, "c", c), slice_of(ttl),
	};
	flow->doing = FLOW_VERIFYING;
	flow->call = (struct call){ .answered = flow_verified };
	redis->calls_count++;
	link_eval(redis, &flow->call, SCRIPT_VERIFY, flow->whole, 2, words,
		  sizeof words / sizeof words[0]);
}

/* --- groups --- */

static bool post_is_alone(const struct post *post)
{
	return post->publish->idem.bytes || post->publish->expects;
}

static bool post_ends(const struct post *post)
{
	return post->publish->events[post->publish->count - 1]->end != END_NONE;
}

/* Whoever asked for nothing special leaves together, as far as it fits. */
static void group_form(struct flow *flow)
{
	size_t bytes = 0;
	struct world *world = flow->redis->config.world;

	flow->whole = flow->doubt = false;
	while (!list_empty(&flow->posts)) {
		struct post *post = CONTAINER_OF(flow->posts.next, struct post, link);
		bool first = flow->group_count == 0;
		if (!first && (post_is_alone(post) || bytes + post->bytes > REDIS_GROUP_BYTES ||
			       flow->group_count + post->publish->count > BACKPLANE_GROUP_MAX))
			break;
		list_drop(&post->link);
		list_push(&flow->group, &post->link);
		flow->group_count += post->publish->count;
		bytes += post->bytes;
		if (post_is_alone(post) || post_ends(post))
			break;
	}
	world->ops->random(world, flow->nonce, sizeof flow->nonce);
	flow->before = flow->acked;
}

static void group_encode(const struct flow *flow, struct buf *buf,
			 struct slice ret_bodies[BACKPLANE_GROUP_MAX])
{
	struct code_place place = { .count = (uint8_t)flow->group_count };
	size_t starts[BACKPLANE_GROUP_MAX + 1];

	memcpy(place.nonce, flow->nonce, sizeof place.nonce);
	for (struct list *at = flow->group.next; at != &flow->group; at = at->next) {
		const struct publish *publish = CONTAINER_OF(at, struct post, link)->publish;
		for (size_t i = 0; i < publish->count; i++) {
			starts[place.at] = buf->bytes;
			code_put(publish->events[i], &place, buf);
			place.at++;
		}
	}
	starts[place.at] = buf->bytes;
	for (size_t i = 0; i < flow->group_count && !buf->err; i++)
		ret_bodies[i] = slice_from(buf->at + starts[i], starts[i + 1] - starts[i]);
}

/* first, last and head of each, in their order. */
static void group_place(struct flow *flow, struct position last, size_t count)
{
	struct position at = last;
	at.seq -= count;
	flow->acked = last;
	for (struct list *in = flow->group.next; in != &flow->group; in = in->next) {
		struct publish *publish = CONTAINER_OF(in, struct post, link)->publish;
		publish->first = publish->last = publish->head = at;
		publish->first.seq = at.seq + 1;
		publish->last.seq = publish->head.seq = at.seq + publish->count;
		at.seq += publish->count;
	}
	flow_settle(flow);
}

static void group_duplicate(struct flow *flow, const redisReply *reply)
{
	struct publish *publish = CONTAINER_OF(flow->group.next, struct post, link)->publish;
	struct position last;
	unsigned long long count = 0;

	if (!publish->idem.bytes || reply_position(reply, 1, &last) != OK || last.seq == 0 ||
	    !slice_to_u64(reply_word(reply, 4), &count) || count < 1 || count > last.seq) {
		flow_answer_group(flow, ERR_UNAVAILABLE, "the store's answer makes no sense");
		return;
	}
	publish->duplicate = true;
	publish->first = publish->last = publish->head = last;
	publish->first.seq = last.seq - count + 1;
	flow_settle(flow);
}

static void group_refused(struct flow *flow, const redisReply *reply)
{
	struct publish *publish = CONTAINER_OF(flow->group.next, struct post, link)->publish;
	struct slice status = reply_word(reply, 0), end = reply_word(reply, 4);
	struct position head = { 0 };
	char text[POSITION_TEXT_MAX], note[128];

	if (reply_position(reply, 1, &head) != OK)
		head = (struct position){ 0 };
	for (struct list *at = flow->group.next; at != &flow->group; at = at->next)
		CONTAINER_OF(at, struct post, link)->publish->head = head;
	if (slice_equal(status, SLICE("CONFLICT"))) {
		publish->head = head;
		(void)position_format(&head, text);
		(void)snprintf(note, sizeof note, "the last position is %s", text);
		flow_answer_group(flow, ERR_CONFLICT, note);
	} else if (slice_equal(status, SLICE("ENDED"))) {
		int at = end.bytes == 1 && end.at[0] >= '1' && end.at[0] <= '3' ? end.at[0] - '0'
										: END_CANCELLED;
		(void)snprintf(note, sizeof note, "the stream has ended: %s",
			       end_state_text((enum end_state)at));
		flow_answer_group(flow, ERR_ENDED, note);
	} else if (slice_equal(status, SLICE("REUSED"))) {
		flow_answer_group(flow, ERR_KEY_REUSED,
				  "this Idempotency-Key came with another event");
	} else if (slice_equal(status, SLICE("FULL"))) {
		flow_answer_group(flow, ERR_FULL, "the stream has used up its numbers");
	} else if (slice_equal(status, SLICE("UNKNOWN"))) {
		flow_answer_group(flow, ERR_TIMEOUT, "too much came since to tell");
	} else {
		(void)snprintf(note, sizeof note, "Redis says: %.*s",
			       reply->type == REDIS_REPLY_ERROR && reply->len < 100 ?
				       (int)reply->len : 0, reply->str ? reply->str : "");
		flow_answer_group(flow, flow->doubt ? ERR_TIMEOUT : ERR_UNAVAILABLE, note);
	}
}

static void flow_published(struct redis *redis, struct call *call, const redisReply *reply)
{
	struct flow *flow = CONTAINER_OF(call, struct flow, call);
	struct position last;

	if (!flow_answered(flow, reply)) {
		flow->doubt |= !reply;
		flow->refreshed_ms = 0;
		return;
	}
	struct slice status = reply_word(reply, 0);
	MUST(flow->group_count > 0);
	if (slice_equal(status, SLICE("OK")) && reply_position(reply, 1, &last) == OK &&
	    last.seq >= flow->group_count) {
		flow->used_ms = redis->now_ms;
		tally_add(&redis->tally.commits, 1);
		tally_add(&redis->tally.committed_events, flow->group_count);
		group_place(flow, last, flow->group_count);
	} else if (slice_equal(status, SLICE("DUP"))) {
		group_duplicate(flow, reply);
	} else {
		group_refused(flow, reply);
	}
}

static void expected_text(const struct publish *publish, char ret_text[64])
{
	const struct position *expected = &publish->expected;
	if (!publish->expects)
		ret_text[0] = '\0';
	else if (position_is_origin(expected))
		(void)snprintf(ret_text, 64, "0");
	else
		(void)snprintf(ret_text, 64, "%016llx %llu %012llx",
			       (unsigned long long)expected->epoch,
			       (unsigned long long)expected->seq,
			       (unsigned long long)expected->tag);
}

struct publish_words {
	char m[REDIS_KEY_MAX], l[REDIS_KEY_MAX], d0[REDIS_KEY_MAX], d1[REDIS_KEY_MAX];
	char c[REDIS_KEY_MAX];
	char epoch[32], digest[33], idem[33], request[33], expected[64];
	char end[4], events[NUMBER_MAX], bytes[NUMBER_MAX], ttl[NUMBER_MAX], now[NUMBER_MAX];
	char window[NUMBER_MAX], keys[NUMBER_MAX];
	char mark[CODE_NONCE_BYTES + CODE_EPOCH_BYTES + NUMBER_MAX];
	size_t mark_bytes; /* 0: the group goes out for the first time */
};

static void words_fill(struct flow *flow, const struct tape_bounds *bounds, struct slice bodies,
		       struct publish_words *words)
{
	struct redis *redis = flow->redis;
	struct world *world = redis->config.world;
	const struct publish *publish = CONTAINER_OF(flow->group.next, struct post, link)->publish;
	const struct publish *last = CONTAINER_OF(flow->group.prev, struct post, link)->publish;
	uint8_t digest[HASH_DIGEST_BYTES];

	world->ops->random(world, digest, 5);
	memcpy(words->epoch, "000001", 6);
	hex_of(digest, 5, words->epoch + 6);
	hash_digest(bodies, digest);
	hex_of(digest, sizeof digest, words->digest);
	words->idem[0] = words->request[0] = '\0';
	if (publish->idem.bytes) {
		hash_digest(publish->idem, digest);
		hex_of(digest, sizeof digest, words->idem);
		hex_of(publish->digest, sizeof publish->digest, words->request);
	}
	expected_text(publish, words->expected);
	words->mark_bytes = 0;
	if (flow->doubt) {
		memcpy(words->mark, flow->nonce, sizeof flow->nonce);
		words->mark_bytes = sizeof flow->nonce;
		words->mark_bytes += (size_t)snprintf(
			words->mark + words->mark_bytes, sizeof words->mark - words->mark_bytes,
			"%016llx%llu", (unsigned long long)flow->before.epoch,
			(unsigned long long)flow->before.seq);
	}
	(void)snprintf(words->end, sizeof words->end, "%u",
		       (unsigned)last->events[last->count - 1]->end & 3u);
	(void)snprintf(words->events, NUMBER_MAX, "%u", bounds->events_max);
	(void)snprintf(words->bytes, NUMBER_MAX, "%llu", (unsigned long long)bounds->bytes_max);
	(void)snprintf(words->ttl, NUMBER_MAX, "%llu", (unsigned long long)bounds->age_ms_max);
	(void)snprintf(words->now, NUMBER_MAX, "%llu",
		       (unsigned long long)world->ops->wall_ms(world));
	(void)snprintf(words->window, NUMBER_MAX, "%llu",
		       (unsigned long long)redis->config.idem_window_ms);
	(void)snprintf(words->keys, NUMBER_MAX, "%zu", redis->config.idem_max);
}

void flow_send(struct flow *flow)
{
	struct redis *redis = flow->redis;
	struct slice name = flow_name_of(flow);
	struct tape_bounds bounds = redis->config.bounds_of(redis->config.bounds_arg, name);
	struct slice all[KEYS_OF_PUBLISH + ARGS_BEFORE_BODIES + BACKPLANE_GROUP_MAX];
	struct publish_words words;
	struct buf buf;

	if (flow->verify && flow->acked.epoch) {
		flow_send_verify(flow);
		return;
	}
	flow->verify = false;
	if (list_empty(&flow->group))
		group_form(flow);
	buf_init(&buf, REDIS_OUT_BYTES_MAX);
	group_encode(flow, &buf, all + KEYS_OF_PUBLISH + ARGS_BEFORE_BODIES);
	if (buf.err) {
		buf_fini(&buf);
		flow_answer_group(flow, ERR_NOMEM, "");
		flow_make_ready(flow);
		return;
	}
	bool refresh = redis->now_ms - flow->refreshed_ms > bounds.age_ms_max / 4 ||
		       flow->refreshed_ms == 0;
	if (refresh)
		flow->refreshed_ms = redis->now_ms;
	words_fill(flow, &bounds, buf_slice(&buf), &words);
	const struct slice before[KEYS_OF_PUBLISH + ARGS_BEFORE_BODIES] = {
		redis_key(redis, name, "m", words.m), redis_key(redis, name, "l", words.l),
		redis_key(redis, name, "d0", words.d0), redis_key(redis, name, "d1", words.d1),
		slice_of(words.epoch), slice_of(words.digest), slice_of(words.idem),
		slice_of(words.request), slice_of(words.expected),
		slice_from(words.mark, words.mark_bytes),
		refresh ? SLICE("1") : SLICE(""), slice_of(words.end),
		redis_key(redis, name, "c", words.c), slice_of(words.events),
		slice_of(words.bytes), slice_of(words.ttl), slice_of(words.now),
		slice_of(words.window), slice_of(words.keys),
	};
	memcpy(all, before, sizeof before);
	flow->doing = FLOW_PUBLISHING;
	redis->wait_wanted = redis->config.replicas > 0;
	flow->call = (struct call){ .answered = flow_published };
	redis->calls_count++;
	link_eval(redis, &flow->call, SCRIPT_PUBLISH, flow->whole, KEYS_OF_PUBLISH, all,
		  KEYS_OF_PUBLISH + ARGS_BEFORE_BODIES + flow->group_count);
	buf_fini(&buf);
}

/*
 * redis_read: reads and drops: asked, asked again while there is time, answered.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

enum { ERRAND_ROUNDS_MAX = 8, ERRAND_PAUSE_MS = 50, TAIL_FIRST = 100, LAZY_MAX = 80 };

struct errand *errand_new(struct redis *redis)
{
	struct errand *errand = mem_zalloc(sizeof *errand);
	if (!errand)
		return NULL;
	errand->until_ms = redis->now_ms + REDIS_POST_MS;
	list_init(&errand->link);
	list_push(&redis->errands, &errand->link);
	return errand;
}

void errand_take_read(struct redis *redis, struct read *read)
{
	read_clear(read);
	struct errand *errand = errand_new(redis);
	if (!errand) {
		read->err = ERR_NOMEM;
		read->done(read);
		return;
	}
	/* The newest are mostly what is missing; or else the oldest, and what lies before them. */
	size_t tail = read->events_max < TAIL_FIRST ? read->events_max : TAIL_FIRST;
	errand->read = read;
	errand->range_at = read->from_given ? -(int64_t)tail - 1 : 0;
	errand->range_end = read->from_given ? -1 : (int64_t)read->events_max + LAZY_MAX;
	struct tape_bounds bounds = redis->config.bounds_of(redis->config.bounds_arg, read->name);
	if (bounds.bytes_max > REDIS_ANSWER_BYTES_MAX / 2) {
		errand->range_at = 1; /* nothing before it is known how much there is */
		errand->range_end = 0;
	}
}

void errand_take_drop(struct redis *redis, struct drop *drop)
{
	struct world *world = redis->config.world;
	struct errand *errand = errand_new(redis);
	if (errand && event_new_end(END_CANCELLED, world->ops->wall_ms(world), redis->now_ms,
				    &errand->end) != OK) {
		list_drop(&errand->link);
		mem_free(errand);
		errand = NULL;
	}
	if (!errand) {
		drop->err = ERR_NOMEM;
		drop->done(drop);
		return;
	}
	errand->drop = drop;
}

void errand_finish(struct redis *redis, struct errand *errand, enum err err)
{
	struct read *read = errand->read;
	struct drop *drop = errand->drop;
	struct fact *fact = errand->fact;
	struct fact_list *facts = errand->facts;

	(void)redis;
	list_drop(&errand->link);
	event_unref(&errand->end);
	mem_free(errand);
	if (read) {
		read->err = err;
		read->done(read);
	} else if (fact) {
		fact->err = err;
		fact->done(fact);
	} else if (facts) {
		facts->err = err;
		facts->done(facts);
	} else {
		drop->err = err;
		drop->done(drop);
	}
}

void errand_again(struct redis *redis, struct errand *errand, uint32_t pause_ms)
{
	errand->not_before_ms = redis->now_ms + pause_ms;
	list_push(&redis->errands, &errand->link);
}

static void drop_answered(struct redis *redis, struct errand *errand, const redisReply *reply)
{
	struct slice status = reply_word(reply, 0);
	if (reply && reply_starts(reply, "NOSCRIPT")) {
		errand->whole = true;
		errand_again(redis, errand, 0);
	} else if (slice_equal(status, SLICE("OK")) &&
		   reply_position(reply, 1, &errand->drop->last) == OK) {
		errand_finish(redis, errand, OK);
	} else if (slice_equal(status, SLICE("NONE"))) {
		errand_finish(redis, errand, err_note(ERR_NOT_FOUND, "there is no such stream"));
	} else {
		errand_finish(redis, errand, err_note(ERR_UNAVAILABLE, "Redis does not answer"));
	}
}

void errand_answered(struct redis *redis, struct call *call, const redisReply *reply)
{
	struct errand *errand = CONTAINER_OF(call, struct errand, call);
	enum err err;

	redis->errands_sent--;
	if (errand->drop) {
		drop_answered(redis, errand, reply);
		return;
	}
	if (errand->fact || errand->facts) {
		if (errand->fact)
			fact_answered(redis, errand, reply);
		else
			fact_list_answered(redis, errand, reply);
		return;
	}
	if (!reply || reply->type == REDIS_REPLY_ERROR) {
		errand_again(redis, errand, reply ? ERRAND_PAUSE_MS : 0);
		return;
	}
	err = errand_answer(redis, errand, reply);
	if (err == ERR_AGAIN && ++errand->rounds < ERRAND_ROUNDS_MAX)
		errand_again(redis, errand, 0);
	else if (err == OK || err == ERR_NOMEM)
		errand_finish(redis, errand, err);
	else
		errand_finish(redis, errand, ERR_UNAVAILABLE);
}

static void read_send(struct redis *redis, struct errand *errand)
{
	struct slice name = errand->read->name;
	struct tape_bounds bounds = redis->config.bounds_of(redis->config.bounds_arg, name);
	struct link *link = &redis->command;
	char m[REDIS_KEY_MAX], l[REDIS_KEY_MAX], oldest[24], at[24], end[24];
	struct slice head = redis_key(redis, name, "m", m), list = redis_key(redis, name, "l", l);

	(void)snprintf(oldest, sizeof oldest, "-%u", bounds.events_max);
	(void)snprintf(at, sizeof at, "%lld", (long long)errand->range_at);
	(void)snprintf(end, sizeof end, "%lld", (long long)errand->range_end);
	errand->call = (struct call){ .answered = errand_answered, .skip = 6 };
	link_send(link, &errand->call, (struct slice[]){ SLICE("MULTI") }, 1);
	link_send(link, NULL, (struct slice[]){ SLICE("HMGET"), head, SLICE("e"), SLICE("h"),
						SLICE("t"), SLICE("x"), SLICE("b") }, 7);
	link_send(link, NULL, (struct slice[]){ SLICE("LLEN"), list }, 2);
	link_send(link, NULL, (struct slice[]){ SLICE("LINDEX"), list, SLICE("0") }, 3);
	link_send(link, NULL, (struct slice[]){ SLICE("LINDEX"), list, slice_of(oldest) }, 3);
	link_send(link, NULL, (struct slice[]){ SLICE("LRANGE"), list, slice_of(at),
						slice_of(end) }, 4);
	link_send(link, NULL, (struct slice[]){ SLICE("EXEC") }, 1);
}

static void drop_send(struct redis *redis, struct errand *errand)
{
	struct slice name = errand->drop->name;
	struct code_place place = { .count = 1 };
	char m[REDIS_KEY_MAX], l[REDIS_KEY_MAX], c[REDIS_KEY_MAX];
	uint8_t digest[HASH_DIGEST_BYTES];
	struct buf buf;

	buf_init(&buf, 1024);
	redis->config.world->ops->random(redis->config.world, place.nonce, sizeof place.nonce);
	code_put(errand->end, &place, &buf);
	hash_digest(buf_slice(&buf), digest);
	const struct slice words[] = {
		redis_key(redis, name, "m", m), redis_key(redis, name, "l", l),
		slice_from((const char *)digest, sizeof digest), buf_slice(&buf),
		redis_key(redis, name, "c", c),
	};
	errand->call = (struct call){ .answered = errand_answered };
	link_eval(redis, &errand->call, SCRIPT_DROP, errand->whole, 2, words,
		  sizeof words / sizeof words[0]);
	buf_fini(&buf);
}

static void errand_send(struct redis *redis, struct errand *errand)
{
	if (errand->read)
		read_send(redis, errand);
	else if (errand->drop)
		drop_send(redis, errand);
	else if (errand->fact)
		fact_send(redis, errand);
	else
		fact_list_send(redis, errand);
}

void errands_turn(struct redis *redis)
{
	struct list waiting;

	list_init(&waiting);
	list_splice(&waiting, &redis->errands);
	while (!list_empty(&waiting)) {
		struct errand *errand = CONTAINER_OF(waiting.next, struct errand, link);
		list_drop(&errand->link);
		if (redis->now_ms >= errand->until_ms) {
			errand_finish(redis, errand,
				      err_note(ERR_UNAVAILABLE, "Redis does not answer"));
		} else if (redis->command.state == LINK_UP &&
			   redis->errands_sent < REDIS_READS_MAX &&
			   redis->now_ms >= errand->not_before_ms) {
			redis->errands_sent++;
			errand_send(redis, errand);
		} else {
			list_push(&redis->errands, &errand->link);
		}
	}
}

uint64_t errands_due(const struct redis *redis)
{
	return list_empty(&redis->errands) ? UINT64_MAX : redis->now_ms + ERRAND_PAUSE_MS;
}

void errands_clear(struct redis *redis)
{
	MUST(redis->errands_sent == 0);
	while (!list_empty(&redis->errands))
		errand_finish(redis, CONTAINER_OF(redis->errands.next, struct errand, link),
			      err_note(ERR_UNAVAILABLE, "the node is going away"));
}

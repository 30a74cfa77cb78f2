/*
 * redis_fact: facts, in a hash a set. Their time is that of the server, which all nodes share.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"

enum { FACT_NAME_MAX = BACKPLANE_FACT_SET_MAX + 8, NUMBER_MAX = 24, FACT_PAUSE_MS = 50 };

static struct slice fact_key(const struct redis *redis, struct slice set, const char *suffix,
			     char ret_key[REDIS_KEY_MAX])
{
	char name[FACT_NAME_MAX];
	/* No stream has such a name. */
	int bytes = snprintf(name, sizeof name, "!fact.%.*s", (int)set.bytes, set.at);
	return redis_key(redis, slice_from(name, (size_t)bytes), suffix, ret_key);
}

void fact_take(struct redis *redis, struct fact *fact)
{
	struct errand *errand = errand_new(redis);
	if (errand) {
		errand->fact = fact;
		return;
	}
	fact->err = ERR_NOMEM;
	fact->done(fact);
}

void fact_list_take(struct redis *redis, struct fact_list *list)
{
	struct errand *errand = errand_new(redis);
	if (errand) {
		errand->facts = list;
		return;
	}
	list->err = ERR_NOMEM;
	list->done(list);
}

void fact_send(struct redis *redis, struct errand *errand)
{
	const struct fact *fact = errand->fact;
	char hash[REDIS_KEY_MAX], times[REDIS_KEY_MAX], ttl[NUMBER_MAX], max[NUMBER_MAX];
	/* A year is for ever, and Lua's numbers stay exact. */
	uint64_t ttl_ms = fact->ttl_ms < UINT64_C(31536000000) ? fact->ttl_ms
								: UINT64_C(31536000000);

	(void)snprintf(ttl, sizeof ttl, "%llu", (unsigned long long)ttl_ms);
	(void)snprintf(max, sizeof max, "%d", BACKPLANE_FACTS_MAX);
	const struct slice words[] = {
		fact_key(redis, fact->set, "h", hash), fact_key(redis, fact->set, "z", times),
		fact->key, fact->value, slice_of(ttl), slice_of(max),
	};
	errand->call = (struct call){ .answered = errand_answered };
	link_eval(redis, &errand->call, SCRIPT_FACT, errand->whole, 2, words,
		  sizeof words / sizeof words[0]);
}

void fact_answered(struct redis *redis, struct errand *errand, const redisReply *reply)
{
	struct slice status = reply_word(reply, 0);

	if (slice_equal(status, SLICE("OK"))) {
		errand_finish(redis, errand, OK);
	} else if (slice_equal(status, SLICE("FULL"))) {
		errand_finish(redis, errand,
			      err_note(ERR_FULL, "there are %d facts of this kind already",
				       BACKPLANE_FACTS_MAX));
	} else {
		/* To say it twice does no harm. */
		bool unknown = reply && reply_starts(reply, "NOSCRIPT");
		errand->whole |= unknown;
		errand_again(redis, errand, unknown ? 0 : FACT_PAUSE_MS);
	}
}

void fact_list_send(struct redis *redis, struct errand *errand)
{
	struct link *link = &redis->command;
	char hash[REDIS_KEY_MAX];
	struct slice key = fact_key(redis, errand->facts->set, "h", hash);

	errand->call = (struct call){ .answered = errand_answered, .skip = 3 };
	link_send(link, &errand->call, (struct slice[]){ SLICE("MULTI") }, 1);
	link_send(link, NULL, (struct slice[]){ SLICE("TIME") }, 1);
	link_send(link, NULL, (struct slice[]){ SLICE("HGETALL"), key }, 2);
	link_send(link, NULL, (struct slice[]){ SLICE("EXEC") }, 1);
}

/* "time of its end, value". What nobody here has put there is passed over. */
static void fact_hand_out(struct fact_list *list, struct slice key, struct slice text,
			  uint64_t now_ms)
{
	const char *gap = text.bytes ? memchr(text.at, ' ', text.bytes) : NULL;
	unsigned long long until_ms = 0;

	if (!gap || key.bytes == 0 || key.bytes > BACKPLANE_FACT_KEY_MAX)
		return;
	size_t digits = (size_t)(gap - text.at);
	struct slice value = slice_from(gap + 1, text.bytes - digits - 1);
	if (value.bytes <= BACKPLANE_FACT_VALUE_MAX &&
	    slice_to_u64(slice_from(text.at, digits), &until_ms) && until_ms > now_ms)
		list->each(list, key, value, until_ms - now_ms);
}

void fact_list_answered(struct redis *redis, struct errand *errand, const redisReply *reply)
{
	unsigned long long seconds = 0, micros = 0;
	bool whole = reply && reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
		     reply->element[1]->type == REDIS_REPLY_ARRAY &&
		     slice_to_u64(reply_word(reply->element[0], 0), &seconds) &&
		     slice_to_u64(reply_word(reply->element[0], 1), &micros);

	if (!whole) {
		errand_again(redis, errand, FACT_PAUSE_MS);
		return;
	}
	const redisReply *pairs = reply->element[1];
	for (size_t i = 0; i + 1 < pairs->elements; i += 2)
		fact_hand_out(errand->facts, reply_word(pairs, i), reply_word(pairs, i + 1),
			      seconds * 1000 + micros / 1000);
	errand_finish(redis, errand, OK);
}

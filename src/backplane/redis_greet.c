/*
 * redis_greet: who is at the other end: the right to talk, a primary, which of its lives.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/say.h"

enum { GREET_AUTH, GREET_SELECT, GREET_SERVER, GREET_REPLICATION, GREET_SCRIPTS };

static struct link *link_of_greeting(struct redis *redis, const struct call *call)
{
	const struct link *subscription = &redis->subscription;
	size_t count = sizeof subscription->greetings / sizeof subscription->greetings[0];
	bool hears = call >= subscription->greetings && call < subscription->greetings + count;
	return hears ? &redis->subscription : &redis->command;
}

/* "name:value" on a line of INFO. */
static void info_take(struct slice info, const char *name, char ret_value[REDIS_ID_MAX])
{
	struct slice wanted = slice_of(name);
	for (size_t at = 0; at < info.bytes; at++) {
		struct slice rest = slice_from(info.at + at, info.bytes - at);
		bool begins = at == 0 || info.at[at - 1] == '\n';
		if (!begins || !slice_starts(rest, wanted) || rest.bytes <= wanted.bytes ||
		    rest.at[wanted.bytes] != ':')
			continue;
		size_t bytes = 0;
		for (size_t from = wanted.bytes + 1; from + bytes < rest.bytes &&
		     rest.at[from + bytes] > ' ' && bytes < REDIS_ID_MAX - 1; bytes++)
			ret_value[bytes] = rest.at[from + bytes];
		ret_value[bytes] = '\0';
		return;
	}
}

static bool is_retired(const struct redis *redis, const char *replid)
{
	for (size_t i = 0; i < REDIS_RETIRED_MAX; i++) {
		if (*replid && strcmp(redis->retired[i], replid) == 0)
			return true;
	}
	return false;
}

/* Whose history was taken over by a server may never be followed again: there is no way back. */
static void retire(struct redis *redis, const char *replid)
{
	if (!*replid || *replid == '0' || is_retired(redis, replid))
		return;
	char *slot = redis->retired[redis->retired_next++ % REDIS_RETIRED_MAX];
	(void)snprintf(slot, REDIS_ID_MAX, "%s", replid);
}

static void generation_enter(struct redis *redis, const struct link *link)
{
	bool first = !*redis->run_id;
	bool other = strcmp(redis->run_id, link->run_id) != 0 ||
		     strcmp(redis->replid, link->replid) != 0;
	if (!other)
		return;
	(void)snprintf(redis->run_id, sizeof redis->run_id, "%s", link->run_id);
	(void)snprintf(redis->replid, sizeof redis->replid, "%s", link->replid);
	if (!first) {
		say(SAY_WARN, "redis_is_another", "run_id", redis->run_id, NULL);
		flows_verify_all(redis);
	}
}

static void link_up(struct link *link)
{
	struct redis *redis = link->redis;
	struct link *other = link->hears ? &redis->command : &redis->subscription;

	retire(redis, link->replid2);
	if (!*link->run_id || !link->master || is_retired(redis, link->replid)) {
		link_lose(link, link->master ? "it is a server of the past" : "it is no primary");
		return;
	}
	/* Two servers behind one name: what one stores, the other does not push. */
	if (other->state == LINK_UP && strcmp(other->run_id, link->run_id) != 0)
		link_lose(other, "the two connections lead to two servers");
	link->state = LINK_UP;
	tally_add(&redis->tally.connects, 1);
	link->tries = 0;
	if (link->hears) {
		link->subscribed = true;
		link->due_ms = redis->now_ms + REDIS_DEAF_MS;
		watches_subscribe(redis);
		return;
	}
	generation_enter(redis, link);
	atomic_store(&redis->up, true);
	say(SAY_INFO, "redis_is_here", "run_id", redis->run_id, NULL);
	redis->complained = false;
}

static void greeted(struct redis *redis, struct call *call, const redisReply *reply)
{
	struct link *link = link_of_greeting(redis, call);
	size_t what = (size_t)(call - link->greetings);

	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		char why[160];
		(void)snprintf(why, sizeof why, "it says: %.*s",
			       (int)(reply->len < 120 ? reply->len : 120), reply->str);
		link_lose(link, why);
		return;
	}
	struct slice text = SLICE("");
	if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS)
		text = slice_from(reply->str, reply->len);
	if (what == GREET_SERVER)
		info_take(text, "run_id", link->run_id);
	if (what == GREET_REPLICATION) {
		char role[REDIS_ID_MAX] = "";
		info_take(text, "role", role);
		info_take(text, "master_replid", link->replid);
		info_take(text, "master_replid2", link->replid2);
		link->master = strcmp(role, "master") == 0;
	}
	if (what >= GREET_SCRIPTS)
		(void)snprintf(redis->scripts[what - GREET_SCRIPTS], sizeof redis->scripts[0],
			       "%.*s", (int)(text.bytes < 40 ? text.bytes : 40), text.at);
	if (--link->greetings_left == 0)
		link_up(link);
}

static void greet(struct link *link, size_t what, const struct slice *words, size_t count)
{
	struct call *call = &link->greetings[what];
	*call = (struct call){ .answered = greeted };
	link->greetings_left++;
	link_send(link, call, words, count);
}

void link_greet(struct link *link)
{
	const struct redis_config *config = &link->redis->config;
	struct slice user = slice_of(config->place.user), password = slice_of(config->password);
	char db[16];

	link->state = LINK_GREETING;
	link->greetings_left = 0;
	link->run_id[0] = link->replid[0] = link->replid2[0] = '\0';
	if (password.bytes && user.bytes)
		greet(link, GREET_AUTH, (struct slice[]){ SLICE("AUTH"), user, password }, 3);
	else if (password.bytes)
		greet(link, GREET_AUTH, (struct slice[]){ SLICE("AUTH"), password }, 2);
	(void)snprintf(db, sizeof db, "%u", config->place.db);
	if (config->place.db && !link->hears)
		greet(link, GREET_SELECT, (struct slice[]){ SLICE("SELECT"), slice_of(db) }, 2);
	greet(link, GREET_SERVER, (struct slice[]){ SLICE("INFO"), SLICE("server") }, 2);
	greet(link, GREET_REPLICATION, (struct slice[]){ SLICE("INFO"), SLICE("replication") }, 2);
	for (size_t i = 0; i < SCRIPT_COUNT && !link->hears; i++)
		greet(link, GREET_SCRIPTS + i, (struct slice[]){
			SLICE("SCRIPT"), SLICE("LOAD"), slice_of(redis_script_texts[i]) }, 3);
}

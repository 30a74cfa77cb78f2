/*
 * redis_sentinel: where the primary is. Sentinels are asked in turn until one knows; then it is
 * listened to, for it tells when the primary moves. Whom a sentinel names is still looked at: a
 * link asks for its role, and never goes back to a server whose history another has taken over.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/say.h"
#include "world/connect.h"

enum { ASK_MS = 300, PAUSE_MS = 50, ROUND_PAUSE_MS = 250, ASK_AGAIN_MS = 250, ROUNDS_MAX = 16 };

void finder_init(struct finder *finder)
{
	finder->fd = -1;
}

static void finder_close(struct redis *redis)
{
	struct finder *finder = &redis->finder;
	struct world *world = redis->config.world;

	if (finder->fd >= 0) {
		world->ops->poller_drop(redis->poller, finder->fd);
		world->ops->close(world, finder->fd);
	}
	if (finder->reader)
		redisReaderFree(finder->reader);
	finder->reader = NULL;
	finder->fd = -1;
	finder->readable = false;
	finder->state = FINDER_REST;
}

void finder_fini(struct redis *redis)
{
	finder_close(redis);
}

/* The next one, soon; after a round of all of them, a little later. */
static void finder_fail(struct redis *redis)
{
	struct finder *finder = &redis->finder;

	finder_close(redis);
	finder->unsure = true;
	finder->at = (finder->at + 1) % redis->config.place.sentinel_count;
	finder->due_ms = redis->now_ms + (finder->at ? PAUSE_MS : ROUND_PAUSE_MS);
	if (!finder->found && finder->at == 0 && !redis->complained) {
		redis->complained = true;
		say(SAY_WARN, "redis_away", "why", "no sentinel knows the primary", "master",
		    redis->config.place.master, NULL);
	}
}

static void finder_connect(struct redis *redis)
{
	struct finder *finder = &redis->finder;
	const struct redis_address *sentinel = &redis->config.place.sentinels[finder->at];
	struct world *world = redis->config.world;

	finder->asked_ms = redis->now_ms;
	if (connect_tcp(sentinel->host, sentinel->port, &finder->fd) != OK) {
		finder->fd = -1;
		finder_fail(redis);
		return;
	}
	finder->reader = redisReaderCreate();
	if (!finder->reader ||
	    world->ops->poller_add(redis->poller, finder->fd, WORLD_READABLE | WORLD_WRITABLE,
				   finder) != OK) {
		world->ops->close(world, finder->fd);
		finder->fd = -1;
		finder_fail(redis);
		return;
	}
	finder->state = FINDER_CONNECTING;
	finder->due_ms = redis->now_ms + ASK_MS;
}

/* Some two hundred bytes on a fresh connection: a kernel that does not take them at once is as
 * good as a sentinel that does not answer. */
static void finder_ask(struct redis *redis)
{
	struct finder *finder = &redis->finder;
	struct world *world = redis->config.world;
	const char *master = redis->config.place.master;
	char text[256 + REDIS_MASTER_MAX];
	size_t sent = 0;

	int bytes = snprintf(text, sizeof text,
			     "*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n"
			     "$%zu\r\n%s\r\n"
			     "*2\r\n$9\r\nSUBSCRIBE\r\n$14\r\n+switch-master\r\n",
			     strlen(master), master);
	struct slice words = slice_from(text, (size_t)bytes);
	if (world->ops->send(world, finder->fd, words, &sent) != OK || sent < words.bytes) {
		finder_fail(redis);
		return;
	}
	finder->state = FINDER_ASKING;
	finder->readable = true;
	finder->due_ms = redis->now_ms + ASK_MS;
}

static void finder_take(struct redis *redis, struct slice host, struct slice port)
{
	struct finder *finder = &redis->finder;
	struct redis_address address = { .port = 0 };
	unsigned long long number = 0;

	if (host.bytes == 0 || host.bytes >= sizeof address.host ||
	    memchr(host.at, '\0', host.bytes) || !slice_to_u64(port, &number) || number < 1 ||
	    number > UINT16_MAX) {
		finder_fail(redis);
		return;
	}
	memcpy(address.host, host.at, host.bytes);
	address.port = (uint16_t)number;
	bool other = !finder->found || finder->primary.port != address.port ||
		     strcmp(finder->primary.host, address.host) != 0;
	finder->primary = address;
	finder->found = true;
	if (!other)
		return;
	if (redis->command.state != LINK_DOWN)
		link_lose(&redis->command, "the primary has moved");
	if (redis->subscription.state != LINK_DOWN)
		link_lose(&redis->subscription, "the primary has moved");
	redis->command.due_ms = redis->subscription.due_ms = redis->now_ms;
	finder->unsure = false;
}

static struct slice next_word(struct slice *text)
{
	const char *gap = text->bytes ? memchr(text->at, ' ', text->bytes) : NULL;
	size_t bytes = gap ? (size_t)(gap - text->at) : text->bytes;
	struct slice word = slice_from(text->at, bytes);
	size_t eaten = gap ? bytes + 1 : bytes;
	*text = slice_from(text->at + eaten, text->bytes - eaten);
	return word;
}

/* "name old-host old-port new-host new-port" */
static void finder_heard(struct redis *redis, struct slice text)
{
	if (!slice_equal(next_word(&text), slice_of(redis->config.place.master)))
		return;
	(void)next_word(&text);
	(void)next_word(&text);
	struct slice host = next_word(&text), port = next_word(&text);
	if (port.bytes)
		finder_take(redis, host, port);
}

static void finder_answer(struct redis *redis, const redisReply *reply)
{
	struct finder *finder = &redis->finder;

	if (finder->state == FINDER_ASKING) {
		if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
			finder_fail(redis); /* it knows of no such primary, or wants a password */
			return;
		}
		finder->state = FINDER_LISTENING;
		finder->unsure = false;
		finder_take(redis, reply_word(reply, 0), reply_word(reply, 1));
	} else if (reply->type == REDIS_REPLY_ERROR) {
		finder_fail(redis);
	} else if (slice_equal(reply_word(reply, 0), SLICE("message"))) {
		finder_heard(redis, reply_word(reply, 2));
	}
}

static void finder_receive(struct redis *redis)
{
	struct finder *finder = &redis->finder;
	struct world *world = redis->config.world;

	for (int i = 0; i < ROUNDS_MAX && finder->readable && finder->fd >= 0; i++) {
		size_t got = 0;
		enum err err = world->ops->recv(world, finder->fd, redis->bytes,
						sizeof redis->bytes, &got);
		if (err == ERR_AGAIN) {
			finder->readable = false;
			return;
		}
		if (err != OK || redisReaderFeed(finder->reader, redis->bytes, got) != REDIS_OK ||
		    finder->reader->len > REDIS_RECV_BYTES * 2u) {
			finder_fail(redis);
			return;
		}
		for (void *reply = NULL; finder->reader; reply = NULL) {
			if (redisReaderGetReply(finder->reader, &reply) != REDIS_OK) {
				finder_fail(redis);
				return;
			}
			if (!reply)
				break;
			finder_answer(redis, reply);
			freeReplyObject(reply);
		}
	}
}

void finder_turn(struct redis *redis)
{
	struct finder *finder = &redis->finder;
	uint64_t now_ms = redis->now_ms;

	if (redis->config.place.sentinel_count == 0)
		return;
	if (finder->state >= FINDER_ASKING)
		finder_receive(redis);
	if (finder->state == FINDER_LISTENING && finder->unsure &&
	    now_ms >= finder->asked_ms + ASK_AGAIN_MS) {
		finder_fail(redis);
		finder->due_ms = now_ms;
	}
	if (finder->state == FINDER_REST && now_ms >= finder->due_ms)
		finder_connect(redis);
	if (finder->state == FINDER_CONNECTING) {
		enum err err = connect_over(finder->fd);
		if (err == OK)
			finder_ask(redis);
		else if (err != ERR_AGAIN)
			finder_fail(redis);
	}
	if ((finder->state == FINDER_CONNECTING || finder->state == FINDER_ASKING) &&
	    now_ms >= finder->due_ms)
		finder_fail(redis);
}

uint64_t finder_due(const struct redis *redis)
{
	const struct finder *finder = &redis->finder;
	if (redis->config.place.sentinel_count == 0)
		return UINT64_MAX;
	if (finder->state == FINDER_LISTENING)
		return finder->unsure ? finder->asked_ms + ASK_AGAIN_MS : UINT64_MAX;
	return finder->due_ms;
}

void finder_doubt(struct redis *redis)
{
	redis->finder.unsure = true;
}

bool finder_primary(const struct redis *redis, const char **ret_host, uint16_t *ret_port)
{
	const struct redis_place *place = &redis->config.place;
	const struct finder *finder = &redis->finder;

	if (place->sentinel_count == 0) {
		*ret_host = place->host;
		*ret_port = place->port;
		return true;
	}
	*ret_host = finder->primary.host;
	*ret_port = finder->primary.port;
	return finder->found;
}

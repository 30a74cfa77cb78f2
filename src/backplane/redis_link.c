/*
 * redis_link: a connection that is made again for ever: bytes out, answers in, each to its call.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/must.h"
#include "base/say.h"
#include "world/connect.h"

enum { ELEMENTS_MAX = 32768, RECV_ROUNDS_MAX = 64, RETRY_MS_MIN = 50 };

/* The reader would ask for as much memory as the answer's head says. */
static void *create_array(const redisReadTask *task, int elements)
{
	const struct link *link = task->privdata;
	return elements > ELEMENTS_MAX ? NULL : link->plain->createArray(task, elements);
}

void link_init(struct link *link, struct redis *redis, bool hears)
{
	link->redis = redis;
	link->hears = hears;
	link->fd = -1;
	buf_init(&link->out, REDIS_OUT_BYTES_MAX);
	list_init(&link->calls);
}

void link_fini(struct link *link)
{
	if (link->fd >= 0)
		link_lose(link, NULL);
	buf_fini(&link->out);
}

static uint64_t draw(struct redis *redis, uint64_t below)
{
	uint64_t r = 0;
	redis->config.world->ops->random(redis->config.world, &r, sizeof r);
	return r % below;
}

/* At once the first time, then from 50 ms on, twice as long each time; by chance less, to half. */
static void link_rest(struct link *link)
{
	uint64_t pause_ms = 0;
	if (link->tries > 0) {
		uint32_t shift = link->tries < 6 ? link->tries - 1 : 5;
		pause_ms = (uint64_t)RETRY_MS_MIN << shift;
		if (pause_ms > REDIS_RETRY_MS_MAX)
			pause_ms = REDIS_RETRY_MS_MAX;
		pause_ms -= draw(link->redis, pause_ms / 2 + 1);
	}
	link->tries++;
	link->state = LINK_DOWN;
	link->due_ms = link->redis->now_ms + pause_ms;
}

static void complain(struct link *link, const char *why)
{
	struct redis *redis = link->redis;
	if (redis->complained || !why)
		return;
	redis->complained = true;
	say(SAY_WARN, "redis_away", "connection", link->hears ? "subscription" : "commands", "why",
	    why, NULL);
}

void link_lose(struct link *link, const char *why)
{
	struct redis *redis = link->redis;
	struct world *world = redis->config.world;
	struct list calls;

	complain(link, why);
	if (link->state == LINK_UP)
		tally_add(&redis->tally.disconnects, 1);
	if (link->fd >= 0) {
		world->ops->poller_drop(redis->poller, link->fd);
		world->ops->close(world, link->fd);
		link->fd = -1;
	}
	if (link->reader)
		redisReaderFree(link->reader);
	link->reader = NULL;
	link->readable = link->subscribed = false;
	buf_fini(&link->out);
	buf_init(&link->out, REDIS_OUT_BYTES_MAX);
	link_rest(link);
	finder_doubt(redis);
	if (link->hears)
		watches_lost(redis);
	else
		atomic_store(&redis->up, false);

	list_init(&calls);
	list_splice(&calls, &link->calls);
	while (!list_empty(&calls)) {
		struct call *call = CONTAINER_OF(calls.next, struct call, link);
		list_drop(&call->link);
		call->answered(redis, call, NULL);
	}
}

static void link_connect(struct link *link)
{
	struct redis *redis = link->redis;
	struct world *world = redis->config.world;
	const char *host = NULL;
	uint16_t port = 0;

	if (!finder_primary(redis, &host, &port)) {
		link->due_ms = redis->now_ms + RETRY_MS_MIN;
		return;
	}
	enum err err = port ? connect_tcp(host, port, &link->fd) : connect_unix(host, &link->fd);
	if (err) {
		link->fd = -1;
		link_lose(link, err_note_text());
		return;
	}
	link->reader = redisReaderCreate();
	if (!link->reader || world->ops->poller_add(redis->poller, link->fd,
						    WORLD_READABLE | WORLD_WRITABLE, link) != OK) {
		world->ops->close(world, link->fd);
		link->fd = -1;
		link_lose(link, "out of memory");
		return;
	}
	link->plain = link->reader->fn;
	link->functions = *link->plain;
	link->functions.createArray = create_array;
	link->reader->fn = &link->functions;
	link->reader->privdata = link;
	link->state = LINK_CONNECTING;
	link->readable = true;
	link->due_ms = redis->now_ms + REDIS_CALL_MS;
}

void link_turn(struct link *link)
{
	uint64_t now_ms = link->redis->now_ms;

	if (link->state == LINK_DOWN && now_ms >= link->due_ms)
		link_connect(link);
	if (link->state == LINK_CONNECTING) {
		enum err err = connect_over(link->fd);
		if (err == OK)
			link_greet(link);
		else if (err != ERR_AGAIN)
			link_lose(link, err_note_text());
	}
	if ((link->state == LINK_CONNECTING || link->state == LINK_GREETING) &&
	    now_ms >= link->due_ms)
		link_lose(link, "it does not greet");
	if (link->state == LINK_UP && !list_empty(&link->calls) &&
	    now_ms >= CONTAINER_OF(link->calls.next, struct call, link)->sent_ms + REDIS_CALL_MS)
		link_lose(link, "it does not answer");
}

uint64_t link_due(const struct link *link)
{
	if (link->state != LINK_UP)
		return link->due_ms;
	if (list_empty(&link->calls))
		return UINT64_MAX;
	return CONTAINER_OF(link->calls.next, struct call, link)->sent_ms + REDIS_CALL_MS;
}

/* Each answer to whom it belongs. */
static void link_hand_out(struct link *link, const redisReply *reply)
{
	struct redis *redis = link->redis;
	if (list_empty(&link->calls)) {
		if (link->subscribed)
			watches_heard(redis, reply);
		else
			link_lose(link, "it answers unasked");
		return;
	}
	struct call *call = CONTAINER_OF(link->calls.next, struct call, link);
	if (call->skip > 0) {
		call->skip--;
		return;
	}
	list_drop(&call->link);
	call->answered(redis, call, reply);
}

static bool link_read_answers(struct link *link)
{
	for (;;) {
		void *reply = NULL;
		if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
			link_lose(link, "it does not speak as Redis does");
			return false;
		}
		if (!reply)
			break;
		link_hand_out(link, reply);
		freeReplyObject(reply);
		if (link->state == LINK_DOWN)
			return false;
	}
	if (link->reader->len > REDIS_ANSWER_BYTES_MAX) {
		link_lose(link, "its answer is too large");
		return false;
	}
	return true;
}

void link_receive(struct link *link)
{
	struct redis *redis = link->redis;
	struct world *world = redis->config.world;

	for (int i = 0; i < RECV_ROUNDS_MAX && link->readable; i++) {
		size_t got = 0;
		if (link->state == LINK_DOWN || link->state == LINK_CONNECTING)
			return;
		enum err err = world->ops->recv(world, link->fd, redis->bytes, sizeof redis->bytes,
						&got);
		tally_add(&redis->tally.bytes_received, got);
		if (err == ERR_AGAIN) {
			link->readable = false;
		} else if (err != OK) {
			link_lose(link, "the connection was closed");
		} else if (redisReaderFeed(link->reader, redis->bytes, got) != REDIS_OK) {
			link_lose(link, "out of memory");
		} else if (!link_read_answers(link)) {
			return;
		}
	}
}

void link_flush(struct link *link)
{
	struct world *world = link->redis->config.world;

	if (link->state != LINK_UP && link->state != LINK_GREETING)
		return;
	if (link->out.err) {
		link_lose(link, "too much is waiting to be sent");
		return;
	}
	size_t sent_bytes = 0;
	while (sent_bytes < link->out.bytes) {
		size_t sent = 0;
		struct slice left = slice_from(link->out.at + sent_bytes,
					       link->out.bytes - sent_bytes);
		enum err err = world->ops->send(world, link->fd, left, &sent);
		if (err == ERR_AGAIN)
			break;
		if (err) {
			link_lose(link, "the connection was closed");
			return;
		}
		sent_bytes += sent;
	}
	tally_add(&link->redis->tally.bytes_sent, sent_bytes);
	buf_eat(&link->out, sent_bytes);
}

void link_send(struct link *link, struct call *call, const struct slice *words, size_t count)
{
	MUST(link->state == LINK_UP || link->state == LINK_GREETING);
	tally_add(&link->redis->tally.commands, 1);
	(void)buf_putf(&link->out, "*%zu\r\n", count);
	for (size_t i = 0; i < count; i++) {
		(void)buf_putf(&link->out, "$%zu\r\n", words[i].bytes);
		if (words[i].bytes)
			(void)buf_put(&link->out, words[i]);
		(void)buf_put(&link->out, SLICE("\r\n"));
	}
	if (!call)
		return;
	call->sent_ms = link->redis->now_ms;
	list_init(&call->link);
	list_push(&link->calls, &call->link);
}

void link_eval(struct redis *redis, struct call *call, enum script script, bool whole,
	       size_t key_count, const struct slice *words, size_t count)
{
	struct slice all[3 + 20 + BACKPLANE_GROUP_MAX];
	char number[8];

	MUST(count <= 20 + BACKPLANE_GROUP_MAX);
	(void)snprintf(number, sizeof number, "%zu", key_count);
	all[0] = whole ? SLICE("EVAL") : SLICE("EVALSHA");
	all[1] = slice_of(whole ? redis_script_texts[script] : redis->scripts[script]);
	all[2] = slice_of(number);
	memcpy(all + 3, words, count * sizeof *words);
	link_send(&redis->command, call, all, 3 + count);
}

struct slice reply_word(const redisReply *reply, size_t index)
{
	if (!reply || reply->type != REDIS_REPLY_ARRAY || index >= reply->elements)
		return SLICE("");
	const redisReply *word = reply->element[index];
	if (!word || (word->type != REDIS_REPLY_STRING && word->type != REDIS_REPLY_STATUS))
		return SLICE("");
	return slice_from(word->str, word->len);
}

bool reply_starts(const redisReply *reply, const char *text)
{
	return reply && (reply->type == REDIS_REPLY_ERROR || reply->type == REDIS_REPLY_STATUS) &&
	       slice_starts(slice_from(reply->str, reply->len), slice_of(text));
}

enum err reply_position(const redisReply *reply, size_t index, struct position *ret_position)
{
	struct slice epoch = reply_word(reply, index), tag = reply_word(reply, index + 2);
	struct position position;
	unsigned long long seq = 0;

	if (epoch.bytes != CODE_EPOCH_BYTES || tag.bytes != 12 ||
	    !slice_to_u64(reply_word(reply, index + 1), &seq) || seq > POSITION_SEQ_MAX)
		return err_note(ERR_SYNTAX, "the store's answer is no position");
	position.seq = seq;
	enum err err = code_take_hex(&epoch, CODE_EPOCH_BYTES, &position.epoch);
	if (!err)
		err = code_take_hex(&tag, 12, &position.tag);
	if (!err)
		*ret_position = seq ? position : (struct position){ 0 };
	return err;
}

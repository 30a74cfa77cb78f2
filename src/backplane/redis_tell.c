/*
 * redis_tell: words from every node to every node, on one channel that all of them hear.
 */
#include <stdio.h>

#include "backplane/redis_impl.h"
#include "base/mem.h"

struct telling {
	struct call call;
};

struct slice tell_channel(const struct redis *redis, char ret_key[REDIS_KEY_MAX])
{
	return redis_key(redis, SLICE(TELL_NAME), "c", ret_key);
}

static void tell_answered(struct redis *redis, struct call *call, const redisReply *reply)
{
	(void)redis, (void)reply;
	mem_free(CONTAINER_OF(call, struct telling, call));
}

/* One that meets no link is lost, as words may be. */
void tell_take(struct redis *redis, const struct note *note)
{
	char key[REDIS_KEY_MAX];
	struct telling *telling;

	if (redis->command.state != LINK_UP || !(telling = mem_zalloc(sizeof *telling)))
		return;
	telling->call = (struct call){ .answered = tell_answered };
	link_send(&redis->command, &telling->call,
		  (struct slice[]){ SLICE("PUBLISH"), tell_channel(redis, key),
				    slice_from(note->name, note->name_bytes) }, 3);
}

void told_heard(struct redis *redis, struct slice bytes)
{
	const struct backplane_ear *ear = &redis->config.ear;
	if (ear->heard && bytes.bytes <= BACKPLANE_TELL_BYTES_MAX)
		ear->heard(ear->arg, bytes);
}

void told_missed(struct redis *redis)
{
	const struct backplane_ear *ear = &redis->config.ear;
	if (ear->missed)
		ear->missed(ear->arg);
}

/*
 * redis: the backplane that nodes share: one Redis server keeps the streams and carries the pushes.
 *
 * Owns    a thread, a poller and two connections: one for commands, one for the subscription.
 * Thread  any may call; answers and pushes come from the backplane's thread.
 * Promise positions and answers as the memory backplane gives them. Connections are made again
 *         for ever. A publish whose connection died is sent again under its own mark, so that it
 *         stands in the history once; it is answered within a second or so either way. When the
 *         server is another one than before, what this node had acknowledged is looked for, and
 *         its loss told.
 * Bound   posts waiting: 65,536 and 64 MB; 64 reads and 256 publishes under way; answers of 32 MB;
 *         names with a past here: streams_max.
 */
#ifndef TAPECAST_BACKPLANE_REDIS_H
#define TAPECAST_BACKPLANE_REDIS_H

#include "backplane/backplane.h"
#include "stream/tape.h"
#include "world/world.h"

enum {
	REDIS_HOST_MAX = 256,
	REDIS_PASSWORD_MAX = 512,
	REDIS_PREFIX_MAX = 32,
	REDIS_SENTINELS_MAX = 8,
	REDIS_MASTER_MAX = 64,
};

struct redis_address {
	char host[REDIS_HOST_MAX];
	uint16_t port;
};


struct redis_place {
	char host[REDIS_HOST_MAX]; /* or the path of a Unix socket */
	char user[64]; /* "": none */
	uint16_t port; /* 0: a Unix socket */
	uint32_t db;
	/* Whom to ask where `master` is; 0: nobody, it is at host and port. */
	size_t sentinel_count;
	struct redis_address sentinels[REDIS_SENTINELS_MAX];
	char master[REDIS_MASTER_MAX];
};

/* "redis://[user@]host[:port][/db]", "unix:/path" or
 * "redis-sentinel://[user@]host[:port][,host[:port]…]/master[/db]". ERR_SYNTAX with a note. */
enum err redis_place_parse(struct slice text, struct redis_place *ret_place) ERR_CHECKED;

struct redis_config {
	struct world *world;
	struct redis_place place;
	char password[REDIS_PASSWORD_MAX]; /* "": none */
	struct slice prefix; /* of keys and channels: "tc1" */
	size_t streams_max;
	size_t data_bytes_max; /* of an event: what is larger in the store is not believed */
	size_t idem_max; /* keys a generation and stream */
	uint32_t replicas; /* that must have an event before it counts as published; 0: none */
	uint64_t idem_window_ms;
	struct tape_bounds (*bounds_of)(void *arg, struct slice name);
	void *bounds_arg;
	struct backplane_ear ear;
};

/* The thread runs when it returns; the server may be away. ERR_NOMEM, ERR_SYSTEM, ERR_SYNTAX. */
enum err redis_new(const struct redis_config *config, struct backplane **ret_backplane) ERR_CHECKED;

#endif

/*
 * world: the only door to the system: time, chance, sockets, readiness. A table of functions, so
 *        that the simulation can be the system.
 *
 * Thread  now/wall/random and wake: any. A poller's other calls: the thread that owns the poller.
 * Time    now_ms is monotonic and never 0; wall_ms is Unix time.
 * Promise no call blocks but poller_wait; what was written before a poller_wake is seen after the
 *         poller_wait that it ended.
 */
#ifndef TAPECAST_WORLD_WORLD_H
#define TAPECAST_WORLD_WORLD_H

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct world;
struct poller;

enum {
	WORLD_READABLE = 1, /* or the peer has closed its side */
	WORLD_WRITABLE = 2,
	WORLD_HANGUP = 4, /* both sides are gone, or an error: only close helps */
	WORLD_LEVEL = 8, /* interest only: level-triggered; otherwise edge-triggered */
	WORLD_PIECES_MAX = 64, /* of one sendv */
};

struct readiness {
	void *token;
	unsigned flags;
};

struct world_ops {
	const char *name;
	uint64_t (*now_ms)(struct world *world);
	uint64_t (*now_ns)(struct world *world);
	uint64_t (*wall_ms)(struct world *world);
	void (*random)(struct world *world, void *bytes, size_t count);

	/* Sends what the kernel takes at once. OK with *ret_sent >= 1; ERR_AGAIN; ERR_CLOSED. */
	enum err (*send)(struct world *world, int fd, struct slice bytes, size_t *ret_sent);
	enum err (*sendv)(struct world *world, int fd, const struct slice *pieces, size_t count,
			  size_t *ret_sent);
	/* OK with *ret_got >= 1; ERR_AGAIN; ERR_CLOSED (end of stream or error). */
	enum err (*recv)(struct world *world, int fd, char *bytes, size_t bytes_max,
			 size_t *ret_got);
	/* Off every poller first: see poller_drop. */
	void (*close)(struct world *world, int fd);
	/* Makes a freshly taken-over socket fit for streaming: TCP_NODELAY 1, TCP_CORK 0,
	 * TCP_USER_TIMEOUT dead_ms (0: leave). Failure is harmless and not told. */
	void (*tune)(struct world *world, int fd, uint32_t dead_ms);

	enum err (*poller_new)(struct world *world, struct poller **ret_poller);
	void (*poller_free)(struct poller **poller);
	/* interest: WORLD_* or-ed. token comes back in readiness. ERR_SYSTEM, ERR_NOMEM. */
	enum err (*poller_add)(struct poller *poller, int fd, unsigned interest, void *token);
	/* Always before close. */
	void (*poller_drop)(struct poller *poller, int fd);
	/* Waits at most wait_ms (-1: for ever) or until poller_wake. Returns how many of ret_ready
	 * are filled. */
	size_t (*poller_wait)(struct poller *poller, struct readiness *ret_ready, size_t count_max,
			      int wait_ms);
	/* Ends the present or the next poller_wait early. Any thread. */
	void (*poller_wake)(struct poller *poller);
};

/* Embedded first in every world. */
struct world {
	const struct world_ops *ops;
};

/* The real one; there is one a process and it needs no freeing. Calls sodium_init once. */
struct world *world_linux(void);

#endif

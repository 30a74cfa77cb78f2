/*
 * takeover: takes a connection's socket away from libmicrohttpd, which then forgets the connection.
 *
 * Thread  the loop's; takeover_probe: main, at start.
 * Promise after takeover_fd and MHD_NO from the access handler, the descriptor returned is the only
 *         way to the peer, and nothing has been sent or shut down on it.
 *
 * With MHD_USE_TURBO libmicrohttpd closes its descriptor without shutdown(), so a duplicate lives
 * on (TAKEOVER_DUP). That is documented but not promised, hence the probe at start. TAKEOVER_SWAP
 * needs no such kindness: a dead socket is put in the descriptor's place, and shut down in its
 * stead.
 */
#ifndef TAPECAST_FRONT_TAKEOVER_H
#define TAPECAST_FRONT_TAKEOVER_H

#include <stdbool.h>

#include "base/err.h"
#include "world/world.h"

struct MHD_Connection;
struct MHD_Daemon;

enum takeover_way { TAKEOVER_DUP, TAKEOVER_SWAP };

const char *takeover_way_text(enum takeover_way way);

/* ERR_SYSTEM with a note (no descriptor left): the connection is as it was. dead_fd: a socket that
 * was never connected; TAKEOVER_SWAP only. */
enum err takeover_fd(struct MHD_Daemon *daemon, struct MHD_Connection *connection,
		     enum takeover_way way, int dead_fd, int *ret_fd) ERR_CHECKED;

/* A socket for takeover_fd's dead_fd. */
enum err takeover_dead_new(int *ret_fd) ERR_CHECKED;

/* Takes over a loopback connection of a daemon made for it, and sees whether the peer still hears
 * us once libmicrohttpd is done. Tries DUP, then SWAP. turbo: false only in tests.
 * ERR_SYSTEM: neither works. */
enum err takeover_probe(struct world *world, bool turbo, enum takeover_way *ret_way) ERR_CHECKED;

#endif

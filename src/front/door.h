/*
 * door: HTTP on one loop: takes connections in, answers short requests, hands listeners to
 * delivery.
 *
 * Owns    its libmicrohttpd daemons (one a listening socket), the visits in them, the sockets.
 * Thread  the loop's; door_new, door_free: main, while the loop does not turn; door_close: any.
 * Promise a request has absolute deadlines for its head and its body, and one answer. No request
 *         makes the loop wait.
 * Bound   settings.requests_max connections inside libmicrohttpd at a time; beyond it the kernel
 *         queues them. Out of descriptors: accepting pauses, and never spins.
 */
#ifndef TAPECAST_FRONT_DOOR_H
#define TAPECAST_FRONT_DOOR_H

#include "auth/auth.h"
#include "backplane/backplane.h"
#include "delivery/engine.h"
#include "front/settings.h"
#include "front/takeover.h"

struct door;

struct door_config {
	struct world *world;
	struct engine *engine;
	struct loop *loop;
	struct backplane *backplane;
	struct auth *auth; /* NULL: nobody is asked who they are */
	const struct front_settings *settings;
	enum takeover_way way;
	const int *listen_fds; /* taken over by door_new, in every case */
	size_t listen_count;
	size_t admin_count; /* the last so many of them are for administrators */
	struct hub *hub; /* for administrators; else NULL */
};

/* Becomes the loop's guest. ERR_NOMEM, ERR_SYSTEM. */
enum err door_new(const struct door_config *config, struct door **ret_door) ERR_CHECKED;
/* door_busy must be false. */
void door_free(struct door **door);

/* Listeners are turned away at once, and with the loop's next turn no connection is taken in any
 * more. Any thread. */
void door_close(struct door *door);
/* Requests wait for the backplane: the loop must go on turning. Any thread. */
bool door_busy(const struct door *door);
/* No request is under way. Any thread. */
bool door_idle(const struct door *door);

/* Below 1.0.10 libmicrohttpd has known faults that the internet could use. */
bool door_library_is_old(void);
const char *door_library_version(void);

#endif

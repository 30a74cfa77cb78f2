/*
 * lobby: a door with all that is behind it, on one loop turned by hand; clients on loopback
 * sockets;
 *        a backplane that answers when it is told to, from another thread.
 */
#ifndef TAPECAST_TESTS_FRONT_LOBBY_H
#define TAPECAST_TESTS_FRONT_LOBBY_H

#include "backplane/feed.h"
#include "base/buf.h"
#include "front/door.h"
#include "world/listen.h"

enum { LOBBY_HELD_MAX = 64, LOBBY_GATES_MAX = 2 };

struct lobby {
	struct front_settings settings;
	size_t sessions_max;
	enum takeover_way way;
	size_t gate_count;

	struct backplane late; /* what the door and the feed see */
	struct backplane_ops ops;
	struct backplane *store;
	bool holds; /* requests are kept until lobby_release */
	enum err refuses; /* publishes and drops are answered so */
	struct { int kind; void *request; } held[LOBBY_HELD_MAX];
	size_t held_count;
	size_t publishes; /* asked so far */
	size_t group_max; /* events of the largest */

	struct hub *hub;
	struct feed *feed;
	struct engine *engine;
	struct loop *loop;
	struct door *door;
	struct address address[LOBBY_GATES_MAX];
	uint64_t turns;
};

/* Defaults; change what the test needs before lobby_open. */
void lobby_init(struct lobby *lobby);
/* The first error of what is opened; what was opened is closed again. */
enum err lobby_try(struct lobby *lobby) ERR_CHECKED;
void lobby_open(struct lobby *lobby);
void lobby_close(struct lobby *lobby);

int lobby_connect(struct lobby *lobby);
void lobby_send(int fd, const char *text);
/* Turns the loop while the client has nothing to read, for about `patience` turns of 10 ms. */
bool lobby_hear(struct lobby *lobby, int fd, struct buf *heard, int patience);
/* Until `text` has been heard (true), or the server closed, or patience is out. */
bool lobby_expect(struct lobby *lobby, int fd, struct buf *heard, const char *text);
/* Until the server has closed. */
bool lobby_ended(struct lobby *lobby, int fd, struct buf *heard);
/* A whole request on a connection of its own: the status, 0 if there was no answer. */
unsigned lobby_ask(struct lobby *lobby, const char *request, struct buf *heard);
void lobby_turn(struct lobby *lobby, int count);

/* Answers what is held, oldest first, from another thread. */
void lobby_release(struct lobby *lobby);

#endif

/*
 * door_impl: what door.c (the turn) and reception.c (libmicrohttpd's calls) share.
 */
#ifndef TAPECAST_FRONT_DOOR_IMPL_H
#define TAPECAST_FRONT_DOOR_IMPL_H

#include "front/visit.h"

#include <microhttpd.h>

/* One listening socket and the daemon behind it. */
struct gate {
	struct door *door;
	struct MHD_Daemon *daemon;
	int listen_fd; /* the daemon's */
	int set_fd; /* the daemon's epoll set */
	size_t connections;
	bool admin; /* for administrators: see front/route.h */
	bool was_full; /* the daemon has stopped accepting */
};

/* Starts the gate's daemon. ERR_SYSTEM: listen_fd is still the caller's. */
enum err gate_open(struct gate *gate) ERR_CHECKED;

/* A deadline of the visit has passed: it is told so if it can be, and loses its connection. */
void visit_expire(struct visit *visit);

/* The door has its turn soon, on the loop's own thread's word: a daemon that the loop turns has no
 * descriptor that tells of a connection resumed. */
void door_ring(struct door *door);

/* libmicrohttpd could not accept: see door_turn. */
void door_descriptors_short(struct door *door);

#endif

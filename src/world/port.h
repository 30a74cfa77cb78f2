/*
 * port: whether somebody listens on an address already.
 *
 * Thread  main, at start.
 */
#ifndef TAPECAST_WORLD_PORT_H
#define TAPECAST_WORLD_PORT_H

#include "world/listen.h"

/* Sockets that share a port (listen_on) let a second server of the same user in without a word, and
 * each gets a part of the connections. ERR_SYSTEM with a note if there is one; port 0 is free. */
enum err port_check(const struct address *address) ERR_CHECKED;

#endif

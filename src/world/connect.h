/*
 * connect: sockets to another server, on this machine or elsewhere.
 *
 * Thread  any.
 * Promise connecting does not block; looking up a name may, an address in digits never does.
 */
#ifndef TAPECAST_WORLD_CONNECT_H
#define TAPECAST_WORLD_CONNECT_H

#include <stdint.h>

#include "base/err.h"

/* Begins to connect a stream socket, non-blocking, CLOEXEC; it is writable once that is over,
 * either way: then ask connect_over. ERR_SYSTEM with a note. */
enum err connect_tcp(const char *host, uint16_t port, int *ret_fd) ERR_CHECKED;
/* A Unix socket's path. ERR_SYSTEM, ERR_TOO_BIG with a note. */
enum err connect_unix(const char *path, int *ret_fd) ERR_CHECKED;
/* OK; ERR_AGAIN: not yet; ERR_SYSTEM with a note: it was refused. */
enum err connect_over(int fd) ERR_CHECKED;

#endif

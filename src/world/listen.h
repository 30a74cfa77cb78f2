/*
 * listen: addresses and listening sockets of the real system, and its descriptor limit.
 *
 * Thread  main, at start.
 */
#ifndef TAPECAST_WORLD_LISTEN_H
#define TAPECAST_WORLD_LISTEN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/slice.h"

enum { ADDRESS_TEXT_MAX = 80 };

struct address {
	struct sockaddr_storage sa;
	socklen_t bytes;
};

/* "127.0.0.1:8080", "[::1]:8080", ":8080" (all addresses), "localhost:8080" (127.0.0.1).
 * ERR_SYNTAX with a note. No name look-ups. */
enum err address_parse(struct slice text, struct address *ret_address) ERR_CHECKED;
void address_format(const struct address *address, char ret_text[ADDRESS_TEXT_MAX]);
bool address_is_loopback(const struct address *address);

/* A non-blocking listening TCP socket: SO_REUSEADDR, SO_REUSEPORT, TCP_DEFER_ACCEPT 5, backlog
 * 4096, CLOEXEC. With port 0 the kernel's choice is written back to *address.
 * ERR_SYSTEM with a note that says what to do (port in use, permission). */
enum err listen_on(struct address *address, int *ret_fd) ERR_CHECKED;

/* What the kernel may hold of unread bytes for each socket accepted from now on (SO_SNDBUF, which
 * the kernel doubles for its own bookkeeping). Left alone it grows to megabytes for every reader
 * that stalls. Failure is harmless and not told. */
void listen_bound_send(int fd, size_t bytes);

/* Raises the soft RLIMIT_NOFILE to the hard one; returns what now holds. */
size_t descriptors_raise(void);

#endif

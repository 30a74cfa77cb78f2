/*
 * foreign: epoll sets that are not a poller's: another library's, and a set made of such sets.
 *
 * Owns    nothing: descriptors are the caller's, to close with world_ops.close.
 * Thread  whoever runs the library that owns the set.
 */
#ifndef TAPECAST_WORLD_FOREIGN_H
#define TAPECAST_WORLD_FOREIGN_H

#include <stdbool.h>

#include "base/err.h"

/* Takes fd out of the set. ERR_NOT_FOUND: it was not in it. */
enum err foreign_take(int set_fd, int fd) ERR_CHECKED;
/* Puts fd in, to hear of nothing but the end of it. */
enum err foreign_put_mute(int set_fd, int fd, void *token) ERR_CHECKED;
/* Whether the set hears that fd is readable. ERR_NOT_FOUND: it is not in it. */
enum err foreign_hear(int set_fd, int fd, bool hears, void *token) ERR_CHECKED;

/* A set that is readable when one of its members is: the loop watches one descriptor for several.
 * ERR_SYSTEM with a note. */
enum err nest_new(int *ret_fd) ERR_CHECKED;
enum err nest_add(int nest_fd, int fd) ERR_CHECKED;

/* A descriptor that is readable from ring to hush. ERR_SYSTEM with a note. */
enum err bell_new(int *ret_fd) ERR_CHECKED;
void bell_ring(int fd);
void bell_hush(int fd);

#endif

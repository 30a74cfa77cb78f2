/*
 * sim_world_impl: what sim_world.c and sim_net.c share: sockets and their queues.
 */
#ifndef TAPECAST_SIM_WORLD_IMPL_H
#define TAPECAST_SIM_WORLD_IMPL_H

#include "sim_world.h"

/* NULL: not one of ours. */
struct sim_socket *sim_socket_at(struct sim_world *sim, int fd);
/* Gives the slot back when both ends are closed. */
void sim_socket_settle(struct sim_socket *socket);
/* Both directions are gone at once, with what was under way. */
void sim_socket_reset(struct sim_socket *socket);
/* The queue has enough room for the kernel to call it writable: a third. */
bool sim_socket_has_room(const struct sim_socket *socket);
/* If a send has met a full queue and there is room again, that is news. */
void sim_socket_room_told(struct sim_socket *socket);

void sim_queue_put(struct sim_queue *queue, char *ring, uint32_t ring_bytes, const char *bytes,
		   size_t count);
size_t sim_queue_get(struct sim_queue *queue, const char *ring, uint32_t ring_bytes, char *bytes,
		     size_t bytes_max);

#endif

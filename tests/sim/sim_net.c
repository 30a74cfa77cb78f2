/* The clients' side of the simulated sockets. */
#include "sim_world.h"

#include "sim_world_impl.h"

struct sim_socket *sim_socket_at(struct sim_world *sim, int fd)
{
	if (fd < SIM_FD_BASE || fd >= SIM_FD_BASE + SIM_SOCKETS_MAX)
		return NULL;
	return &sim->sockets[fd - SIM_FD_BASE];
}

void sim_socket_settle(struct sim_socket *socket)
{
	if (!socket->server_open && !socket->client_open)
		socket->used = false;
}

void sim_socket_reset(struct sim_socket *socket)
{
	socket->reset = true;
	socket->down.used = 0;
	socket->up.used = 0;
	socket->listed = true;
}

bool sim_socket_has_room(const struct sim_socket *socket)
{
	uint32_t room = socket->down.bytes_max - socket->down.used;
	return !socket->doorbell && room > 0 && room >= socket->down.bytes_max / 3;
}

void sim_socket_room_told(struct sim_socket *socket)
{
	if (socket->no_room && sim_socket_has_room(socket)) {
		socket->no_room = false;
		socket->listed = true;
	}
}

void sim_queue_put(struct sim_queue *queue, char *ring, uint32_t ring_bytes, const char *bytes,
		   size_t count)
{
	uint32_t to = (queue->at + queue->used) % ring_bytes;
	uint32_t first = ring_bytes - to < count ? ring_bytes - to : (uint32_t)count;

	memcpy(ring + to, bytes, first);
	memcpy(ring, bytes + first, count - first);
	queue->used += (uint32_t)count;
}

size_t sim_queue_get(struct sim_queue *queue, const char *ring, uint32_t ring_bytes, char *bytes,
		     size_t bytes_max)
{
	uint32_t count = queue->used < bytes_max ? queue->used : (uint32_t)bytes_max;
	uint32_t first = ring_bytes - queue->at < count ? ring_bytes - queue->at : count;

	memcpy(bytes, ring + queue->at, first);
	memcpy(bytes + first, ring, count - first);
	queue->at = (queue->at + count) % ring_bytes;
	queue->used -= count;
	return count;
}

/* The lowest number that is free, as the kernel gives: a stale descriptor then meets a stranger. */
static int socket_new(struct sim_world *sim, uint32_t down_bytes_max)
{
	for (int i = 0; i < SIM_SOCKETS_MAX; i++) {
		struct sim_socket *socket = &sim->sockets[i];
		if (socket->used)
			continue;
		/* Not the queues' bytes: they are many, and what is not `used` is never read. */
		memset(socket, 0, offsetof(struct sim_socket, down_bytes));
		socket->used = true;
		socket->server_open = true;
		socket->client_open = true;
		socket->down.bytes_max = down_bytes_max;
		socket->up.bytes_max = SIM_UP_BYTES;
		return SIM_FD_BASE + i;
	}
	return -1;
}

int sim_connect(struct sim_world *sim, uint32_t down_bytes_max)
{
	return socket_new(sim, down_bytes_max < SIM_QUEUE_BYTES ? down_bytes_max : SIM_QUEUE_BYTES);
}

int sim_doorbell_new(struct sim_world *sim)
{
	int fd = socket_new(sim, 0);
	if (fd >= 0)
		sim_socket_at(sim, fd)->doorbell = true;
	return fd;
}

void sim_doorbell_free(struct sim_world *sim, int fd)
{
	struct sim_socket *socket = sim_socket_at(sim, fd);
	if (socket)
		socket->used = false;
}

void sim_doorbell_set(struct sim_world *sim, int fd, bool rung)
{
	sim_socket_at(sim, fd)->up.used = rung;
}

enum sim_read sim_client_read(struct sim_world *sim, int fd, char *bytes, size_t bytes_max,
			      size_t *ret_got)
{
	struct sim_socket *socket = sim_socket_at(sim, fd);

	*ret_got = 0;
	if (socket->reset)
		return SIM_READ_RESET;
	if (socket->stuck_until_ns > sim->now_ns)
		return SIM_READ_NOTHING;
	*ret_got = sim_queue_get(&socket->down, socket->down_bytes, SIM_QUEUE_BYTES, bytes,
				 bytes_max);
	sim_socket_room_told(socket);
	if (*ret_got)
		return SIM_READ_SOME;
	return socket->server_done ? SIM_READ_END : SIM_READ_NOTHING;
}

size_t sim_client_waiting(const struct sim_world *sim, int fd)
{
	return sim->sockets[fd - SIM_FD_BASE].down.used;
}

void sim_client_write(struct sim_world *sim, int fd, struct slice bytes)
{
	struct sim_socket *socket = sim_socket_at(sim, fd);
	size_t room = socket->up.bytes_max - socket->up.used;
	size_t count = bytes.bytes < room ? bytes.bytes : room;

	if (socket->reset || socket->client_done || count == 0)
		return;
	if (socket->server_done) {
		sim_socket_reset(socket);
		return;
	}
	sim_queue_put(&socket->up, socket->up_bytes, SIM_UP_BYTES, bytes.at, count);
	socket->listed = true;
}

void sim_client_close(struct sim_world *sim, int fd)
{
	struct sim_socket *socket = sim_socket_at(sim, fd);

	if (socket->down.used)
		sim_socket_reset(socket);
	socket->client_open = false;
	socket->listed = true;
	sim_socket_settle(socket);
}

void sim_client_half_close(struct sim_world *sim, int fd)
{
	struct sim_socket *socket = sim_socket_at(sim, fd);
	socket->client_done = true;
	socket->listed = true;
}

void sim_client_reset(struct sim_world *sim, int fd)
{
	struct sim_socket *socket = sim_socket_at(sim, fd);

	sim_socket_reset(socket);
	socket->client_open = false;
	sim_socket_settle(socket);
}

void sim_client_stick(struct sim_world *sim, int fd, uint64_t ms)
{
	struct sim_socket *socket = sim_socket_at(sim, fd);
	socket->stuck_until_ns = sim->now_ns + ms * 1000000;
}

size_t sim_sockets_open(const struct sim_world *sim)
{
	size_t count = 0;
	for (size_t i = 0; i < SIM_SOCKETS_MAX; i++)
		count += sim->sockets[i].used;
	return count;
}

size_t sim_server_open(const struct sim_world *sim)
{
	size_t count = 0;
	for (size_t i = 0; i < SIM_SOCKETS_MAX; i++)
		count += sim->sockets[i].used && sim->sockets[i].server_open &&
			 !sim->sockets[i].doorbell;
	return count;
}

void sim_world_clear(struct sim_world *sim)
{
	for (size_t i = 0; i < SIM_SOCKETS_MAX; i++) {
		struct sim_socket *socket = &sim->sockets[i];
		if (!socket->used || socket->doorbell)
			continue;
		socket->stuck_until_ns = 0;
		socket->down.bytes_max = SIM_QUEUE_BYTES;
		sim_socket_room_told(socket);
	}
}

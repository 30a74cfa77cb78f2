/* The product's side: the table of functions, and readiness. The clients' side is sim_net.c. */
#include "sim_world.h"

#include "sim_world_impl.h"

static struct sim_world *sim_of(struct world *world)
{
	return (struct sim_world *)(void *)world;
}

static void misuse(struct sim_world *sim, const char *what)
{
	if (!sim->misuse)
		sim->misuse = what;
}

static uint64_t sim_now_ms(struct world *world)
{
	return sim_of(world)->now_ns / 1000000;
}

static uint64_t sim_now_ns(struct world *world)
{
	return sim_of(world)->now_ns;
}

static uint64_t sim_wall_ms(struct world *world)
{
	return (uint64_t)(sim_of(world)->wall_ms + (int64_t)(sim_of(world)->now_ns / 1000000));
}

static void sim_random(struct world *world, void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		((unsigned char *)bytes)[i] = (unsigned char)draw_next(&sim_of(world)->draw);
}

/* The server's end of fd, or NULL with a misuse. */
static struct sim_socket *server_end(struct sim_world *sim, int fd, const char *what)
{
	struct sim_socket *socket = sim_socket_at(sim, fd);

	if (!socket || !socket->used || !socket->server_open) {
		misuse(sim, what);
		return NULL;
	}
	return socket;
}

/* How much the queue takes of `wanted` bytes; 0: none. */
static size_t room_for(struct sim_world *sim, struct sim_socket *socket, size_t wanted)
{
	size_t room = socket->down.bytes_max - socket->down.used;
	/* The kernel always takes something into an empty queue: otherwise no acknowledgement would
	 * ever tell of room. */
	if (socket->down.used && draw_one_in(&sim->draw, sim->faults.again_one_in))
		room = 0;

	size_t taken = wanted < room ? wanted : room;
	if (taken > 1 && draw_one_in(&sim->draw, sim->faults.short_one_in))
		taken = 1 + draw_below(&sim->draw, taken - 1);
	if (taken < wanted)
		socket->no_room = true;
	return taken;
}

static enum err sim_sendv(struct world *world, int fd, const struct slice *pieces, size_t count,
			  size_t *ret_sent)
{
	struct sim_world *sim = sim_of(world);
	struct sim_socket *socket = server_end(sim, fd, "send on a closed descriptor");
	size_t wanted = 0;

	for (size_t i = 0; i < count; i++)
		wanted += pieces[i].bytes;
	if (wanted == 0 || count > WORLD_PIECES_MAX)
		misuse(sim, "send of no bytes or of too many pieces");
	if (!socket || socket->reset)
		return ERR_CLOSED;
	if (draw_one_in(&sim->draw, sim->faults.reset_one_in)) {
		sim_socket_reset(socket);
		return ERR_CLOSED;
	}
	sim->sends++;
	if (!socket->client_open) {
		/* The peer has gone: the kernel takes the bytes, and the answer is a reset. */
		sim_socket_reset(socket);
		*ret_sent = wanted;
		return OK;
	}

	size_t taken = room_for(sim, socket, wanted);
	if (taken == 0)
		return ERR_AGAIN;
	size_t left = taken;
	for (size_t i = 0; i < count && left; i++) {
		size_t some = pieces[i].bytes < left ? pieces[i].bytes : left;
		sim_queue_put(&socket->down, socket->down_bytes, SIM_QUEUE_BYTES, pieces[i].at,
			      some);
		left -= some;
	}
	sim->sent_bytes += taken;
	*ret_sent = taken;
	return OK;
}

static enum err sim_send(struct world *world, int fd, struct slice bytes, size_t *ret_sent)
{
	return sim_sendv(world, fd, &bytes, 1, ret_sent);
}

static enum err sim_recv(struct world *world, int fd, char *bytes, size_t bytes_max,
			 size_t *ret_got)
{
	struct sim_world *sim = sim_of(world);
	struct sim_socket *socket = server_end(sim, fd, "recv on a closed descriptor");

	if (!socket || socket->reset)
		return ERR_CLOSED;
	size_t got = sim_queue_get(&socket->up, socket->up_bytes, SIM_UP_BYTES, bytes, bytes_max);
	if (got == 0)
		return socket->client_done || !socket->client_open ? ERR_CLOSED : ERR_AGAIN;
	*ret_got = got;
	return OK;
}

static void sim_close(struct world *world, int fd)
{
	struct sim_world *sim = sim_of(world);
	struct sim_socket *socket = server_end(sim, fd, "close of a closed descriptor");

	if (!socket)
		return;
	if (socket->poller)
		misuse(sim, "close before poller_drop");
	socket->server_open = false;
	/* Bytes from the client that nobody read make the kernel reset the connection. */
	if (socket->up.used)
		sim_socket_reset(socket);
	socket->server_done = true;
	sim_socket_settle(socket);
}

static void sim_tune(struct world *world, int fd, uint32_t dead_ms)
{
	(void)dead_ms;
	(void)server_end(sim_of(world), fd, "tune of a closed descriptor");
}

static enum err sim_poller_new(struct world *world, struct poller **ret_poller)
{
	struct sim_world *sim = sim_of(world);

	if (draw_one_in(&sim->draw, sim->faults.poller_one_in))
		return ERR_SYSTEM;
	for (size_t i = 0; i < SIM_POLLERS_MAX; i++) {
		if (sim->pollers[i].used)
			continue;
		sim->pollers[i] = (struct poller){ .sim = sim, .used = true };
		*ret_poller = &sim->pollers[i];
		return OK;
	}
	return ERR_SYSTEM;
}

static void sim_poller_free(struct poller **poller)
{
	if (!*poller)
		return;
	if ((*poller)->added_count)
		misuse((*poller)->sim, "poller_free with descriptors on it");
	(*poller)->used = false;
	*poller = NULL;
}

static enum err sim_poller_add(struct poller *poller, int fd, unsigned interest, void *token)
{
	struct sim_world *sim = poller->sim;
	struct sim_socket *socket = server_end(sim, fd, "poller_add of a closed descriptor");

	if (!socket || draw_one_in(&sim->draw, sim->faults.poller_one_in))
		return ERR_SYSTEM;
	if (socket->poller) {
		misuse(sim, "poller_add twice");
		return ERR_SYSTEM;
	}
	socket->poller = poller;
	socket->interest = interest;
	socket->token = token;
	socket->listed = true;
	poller->added_count++;
	return OK;
}

static void sim_poller_drop(struct poller *poller, int fd)
{
	struct sim_socket *socket = server_end(poller->sim, fd,
					       "poller_drop of a closed descriptor");

	if (!socket)
		return;
	if (socket->poller != poller) {
		misuse(poller->sim, "poller_drop of a descriptor that is not on it");
		return;
	}
	socket->poller = NULL;
	socket->listed = false;
	poller->added_count--;
}

/* What epoll would say now; 0: nothing. */
static unsigned state_of(const struct sim_socket *socket)
{
	unsigned flags = 0;

	if (socket->up.used || socket->client_done || !socket->client_open || socket->reset)
		flags |= WORLD_READABLE;
	if (sim_socket_has_room(socket) || socket->reset)
		flags |= WORLD_WRITABLE;
	flags &= socket->interest;
	if (socket->reset)
		flags |= WORLD_HANGUP;
	return flags;
}

static bool may_be_ready(const struct sim_socket *socket, const struct poller *poller)
{
	if (!socket->used || socket->poller != poller)
		return false;
	return (socket->listed || (socket->interest & WORLD_LEVEL)) && state_of(socket);
}

static size_t collect(struct poller *poller, struct readiness *ret_ready, size_t count_max)
{
	struct sim_world *sim = poller->sim;
	size_t count = 0, start = draw_below(&sim->draw, SIM_SOCKETS_MAX);

	for (size_t i = 0; i < SIM_SOCKETS_MAX && count < count_max && poller->added_count; i++) {
		struct sim_socket *socket = &sim->sockets[(start + i) % SIM_SOCKETS_MAX];
		if (!may_be_ready(socket, poller))
			continue;
		if (draw_one_in(&sim->draw, sim->faults.late_one_in))
			continue;
		ret_ready[count++] = (struct readiness){ socket->token, state_of(socket) };
		socket->listed = false;
	}
	return count;
}

static size_t sim_poller_wait(struct poller *poller, struct readiness *ret_ready, size_t count_max,
			      int wait_ms)
{
	struct sim_world *sim = poller->sim;
	uint64_t until_ns = wait_ms < 0 ? UINT64_MAX :
					 sim->now_ns + (uint64_t)wait_ms * 1000000;

	for (;;) {
		size_t count = collect(poller, ret_ready, count_max);
		if (count || poller->woken || sim->now_ns >= until_ns || sim->stopping ||
		    !sim->idle) {
			poller->woken = false;
			return count;
		}
		sim->idle(sim->idle_arg, poller, until_ns);
	}
}

static void sim_poller_wake(struct poller *poller)
{
	poller->woken = true;
}

bool sim_poller_pending(const struct poller *poller)
{
	if (poller->woken)
		return true;
	for (size_t i = 0; i < SIM_SOCKETS_MAX; i++) {
		if (may_be_ready(&poller->sim->sockets[i], poller))
			return true;
	}
	return false;
}

static const struct world_ops sim_ops = {
	.name = "sim",
	.now_ms = sim_now_ms,
	.now_ns = sim_now_ns,
	.wall_ms = sim_wall_ms,
	.random = sim_random,
	.send = sim_send,
	.sendv = sim_sendv,
	.recv = sim_recv,
	.close = sim_close,
	.tune = sim_tune,
	.poller_new = sim_poller_new,
	.poller_free = sim_poller_free,
	.poller_add = sim_poller_add,
	.poller_drop = sim_poller_drop,
	.poller_wait = sim_poller_wait,
	.poller_wake = sim_poller_wake,
};

void sim_world_init(struct sim_world *sim, uint64_t seed)
{
	sim->world.ops = &sim_ops;
	sim->draw.state = seed;
	sim->faults = (struct sim_faults){ 0 };
	sim->now_ns = UINT64_C(1000) * 1000000;
	sim->wall_ms = INT64_C(1790000000000);
	sim->stopping = false;
	sim->idle = NULL;
	sim->misuse = NULL;
	sim->sends = 0;
	sim->sent_bytes = 0;
	for (size_t i = 0; i < SIM_POLLERS_MAX; i++)
		sim->pollers[i].used = false;
	for (size_t i = 0; i < SIM_SOCKETS_MAX; i++)
		sim->sockets[i].used = false;
}

void sim_world_advance(struct sim_world *sim, uint64_t ms)
{
	sim->now_ns += ms * 1000000;
}

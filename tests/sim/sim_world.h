/*
 * sim_world: a system of which every byte and every instant is drawn from one seed.
 *
 * Owns    sockets (two bounded queues of bytes each), doorbells, pollers. All memory is its own:
 *         the product's allocation counters and failures do not touch it.
 * Thread  one.
 * Time    stands still but for sim_world_advance.
 * Promise readiness is that of epoll: an edge is told once, with everything that is true when it is
 *         told; adding a socket tells its present state; room is told after a send found none.
 *         What the product does wrong with a descriptor is kept in `misuse`, not repaired.
 * Bound   SIM_SOCKETS_MAX, SIM_POLLERS_MAX; SIM_QUEUE_BYTES a direction.
 */
#ifndef TAPECAST_SIM_WORLD_H
#define TAPECAST_SIM_WORLD_H

#include "sim_draw.h"
#include "world/world.h"

enum {
	SIM_SOCKETS_MAX = 640,
	SIM_POLLERS_MAX = 8,
	SIM_QUEUE_BYTES = 32768,
	SIM_UP_BYTES = 256,
	SIM_FD_BASE = 1000,
};

struct poller {
	struct sim_world *sim;
	bool used, woken;
	uint32_t added_count;
};

struct sim_queue {
	uint32_t at, used, bytes_max;
};

struct sim_socket {
	bool used;
	bool server_open, client_open;
	bool doorbell; /* nothing but a level: readable while rung */
	bool client_done; /* the client's sending side has ended */
	bool server_done; /* the server has closed: the client reads what is left, then the end */
	bool reset;
	bool no_room; /* a send met a full queue: room is news */
	uint64_t stuck_until_ns; /* the network stands still: what was sent does not arrive */
	struct sim_queue down, up;
	struct poller *poller;
	unsigned interest;
	void *token;
	bool listed; /* on the poller's list of what may be ready */
	char down_bytes[SIM_QUEUE_BYTES];
	char up_bytes[SIM_UP_BYTES];
};

/* One in so many; 0: never. */
struct sim_faults {
	uint32_t short_one_in; /* a send takes less than there is room for */
	uint32_t again_one_in; /* a send finds no room though the queue is only partly full */
	uint32_t reset_one_in; /* a send finds the connection gone */
	uint32_t late_one_in; /* readiness is told at a later wait */
	uint32_t poller_one_in; /* poller_new and poller_add are refused */
};

struct sim_world {
	struct world world; /* first: the product's view */
	struct draw draw;
	struct sim_faults faults;
	uint64_t now_ns;
	int64_t wall_ms; /* added to now */
	bool stopping; /* waits return at once */
	/* Called by a wait that has nothing to tell; comes back when it is worth looking again:
	 * when sim_poller_pending, or from until_ns on (UINT64_MAX: never). */
	void (*idle)(void *arg, struct poller *poller, uint64_t until_ns);
	void *idle_arg;
	const char *misuse; /* the first one; NULL: none */
	uint64_t sends, sent_bytes;
	struct poller pollers[SIM_POLLERS_MAX];
	struct sim_socket sockets[SIM_SOCKETS_MAX];
};

void sim_world_init(struct sim_world *sim, uint64_t seed);
void sim_world_advance(struct sim_world *sim, uint64_t ms);

/* The client's end has the number of the server's. -1: no more sockets. */
int sim_connect(struct sim_world *sim, uint32_t down_bytes_max);
int sim_doorbell_new(struct sim_world *sim);
void sim_doorbell_free(struct sim_world *sim, int fd);
void sim_doorbell_set(struct sim_world *sim, int fd, bool rung);

enum sim_read { SIM_READ_SOME, SIM_READ_NOTHING, SIM_READ_END, SIM_READ_RESET };

/* At most bytes_max of what the server sent. */
enum sim_read sim_client_read(struct sim_world *sim, int fd, char *bytes, size_t bytes_max,
			      size_t *ret_got);
size_t sim_client_waiting(const struct sim_world *sim, int fd);
void sim_client_write(struct sim_world *sim, int fd, struct slice bytes);
/* Unread bytes make it a reset, as in the kernel. */
void sim_client_close(struct sim_world *sim, int fd);
void sim_client_half_close(struct sim_world *sim, int fd);
void sim_client_reset(struct sim_world *sim, int fd);
/* For so long nothing arrives, although the client reads. */
void sim_client_stick(struct sim_world *sim, int fd, uint64_t ms);

/* The network is good again: long queues, nothing stuck. */
void sim_world_clear(struct sim_world *sim);

/* A wait on it would return at once. */
bool sim_poller_pending(const struct poller *poller);
size_t sim_sockets_open(const struct sim_world *sim);
/* Ends the server still holds. */
size_t sim_server_open(const struct sim_world *sim);

#endif

/*
 * door: its turn: deadlines, the daemons, the pause when descriptors are short.
 */
#include "front/door_impl.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"
#include "base/say.h"
#include "world/foreign.h"

#define DOOR_TAG 0xd0075e1fu

enum {
	CUT_MS = 2000, /* for the peer to read an answer that came in the middle of its body */
	PAUSE_MS = 200,
};

const char *door_library_version(void)
{
	return MHD_get_version();
}

bool door_library_is_old(void)
{
	unsigned major = 0;
	unsigned minor = 0;
	unsigned patch = 0;
	(void)sscanf(MHD_get_version(), "%u.%u.%u", &major, &minor, &patch);
	return major < 1 || (major == 1 && minor == 0 && patch < 10);
}

/* Whether the daemons hear of new connections. In its own epoll set each one's listening socket
 * carries the daemon as token; the daemon itself may have it out of the set just now. */
static void gates_hear(struct door *door, bool hears)
{
	for (size_t i = 0; i < door->gate_count; i++) {
		struct gate *gate = &door->gates[i];
		if (foreign_hear(gate->set_fd, gate->listen_fd, hears, gate->daemon) != OK)
			err_note_clear();
	}
}

void door_descriptors_short(struct door *door)
{
	if (door->paused)
		return;
	metric_up(METRIC_LIMITS, LIMIT_DESCRIPTORS);
	say(SAY_WARN, "accepting_paused", "reason", "no descriptor left", NULL);
	door->paused = true;
	due_arm(&door->pauses, &door->pause, door->now_ms);
}

static void door_shut(struct task *task, uint64_t now_ms)
{
	(void)now_ms;
	struct door *door = CONTAINER_OF(task, struct door, close_task);
	MUST_BE(door, DOOR_TAG);
	struct world *world = door->config.world;
	door->closed = true;
	for (size_t i = 0; i < door->gate_count; i++) {
		if (door->gates[i].admin)
			continue; /* how it goes is told to the end */
		int fd = MHD_quiesce_daemon(door->gates[i].daemon);
		if (fd != MHD_INVALID_SOCKET)
			world->ops->close(world, fd);
	}
}

void door_ring(struct door *door)
{
	if (!door->rung)
		bell_ring(door->bell_fd);
	door->rung = true;
}

static void expire(struct due_queue *queue, uint64_t now_ms)
{
	struct due *due;
	while ((due = due_next(queue, now_ms)) != NULL)
		visit_expire(CONTAINER_OF(due, struct visit, due));
}

static int door_wants(struct door *door, uint64_t now_ms)
{
	const struct due_queue *queues[] = { &door->heads, &door->bodies, &door->ingests,
					     &door->cuts, &door->pauses };
	int wait_ms = -1;
	for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
		wait_ms = due_within(queues[i], now_ms, wait_ms);
	for (size_t i = 0; i < door->gate_count; i++) {
		unsigned long long in_ms;
		if (MHD_get_timeout(door->gates[i].daemon, &in_ms) != MHD_YES)
			continue;
		if (wait_ms < 0 || in_ms < (unsigned)wait_ms)
			wait_ms = (int)(in_ms < INT32_MAX ? in_ms : INT32_MAX);
	}
	return wait_ms;
}

/* True: once more, for a daemon that was full listens again only with its next run. */
static bool gate_run(struct gate *gate)
{
	size_t before = gate->connections;
	(void)MHD_run(gate->daemon);
	bool has_room = gate->was_full && gate->connections < before;
	gate->was_full = gate->was_full && !has_room;
	return has_room;
}

static int door_turn(void *arg, uint64_t now_ms)
{
	struct door *door = arg;
	MUST_BE(door, DOOR_TAG);
	door->now_ms = now_ms;
	if (door->rung)
		bell_hush(door->bell_fd);
	door->rung = false;
	expire(&door->heads, now_ms);
	expire(&door->bodies, now_ms);
	expire(&door->ingests, now_ms);
	expire(&door->cuts, now_ms);
	if (door->paused && !door->closed) {
		door->paused = due_next(&door->pauses, now_ms) == NULL;
		gates_hear(door, !door->paused);
	}
	bool again = false;
	for (size_t i = 0; i < door->gate_count; i++)
		again |= gate_run(&door->gates[i]);
	return again ? 0 : door_wants(door, now_ms);
}

void door_close(struct door *door)
{
	atomic_store(&door->closing, true);
	if (!atomic_exchange(&door->close_posted, true))
		loop_post(door->config.loop, &door->close_task);
}

bool door_busy(const struct door *door)
{
	return atomic_load(&door->asks_open) > 0;
}

bool door_idle(const struct door *door)
{
	return atomic_load(&door->requests_open) == 0;
}

static enum err gates_open(struct door *door)
{
	for (size_t i = 0; i < door->config.listen_count; i++) {
		struct gate *gate = &door->gates[i];
		*gate = (struct gate){
			.door = door,
			.listen_fd = door->config.listen_fds[i],
			.admin = i >= door->config.listen_count - door->config.admin_count,
		};
		enum err err = gate_open(gate);
		if (err)
			return err;
		door->gate_count++;
	}
	return OK;
}

static enum err door_lodge(struct door *door)
{
	enum err err = nest_new(&door->nest_fd);
	if (!err)
		err = bell_new(&door->bell_fd);
	if (!err)
		err = nest_add(door->nest_fd, door->bell_fd);
	for (size_t i = 0; !err && i < door->gate_count; i++)
		err = nest_add(door->nest_fd, door->gates[i].set_fd);
	if (err)
		return err;
	struct guest guest = { .fd = door->nest_fd, .turn = door_turn, .arg = door };
	return loop_guest_set(door->config.loop, guest);
}

enum err door_new(const struct door_config *config, struct door **ret_door)
{
	const struct front_settings *settings = config->settings;
	struct world *world = config->world;
	enum err err = ERR_NOMEM;
	MUST(config->listen_count > 0);

	struct door *door = mem_zalloc(sizeof *door);
	if (!door)
		goto fail;
	*door = (struct door){ .tag = DOOR_TAG, .config = *config, .nest_fd = -1, .bell_fd = -1,
			       .dead_fd = -1 };
	door->now_ms = world->ops->now_ms(world);
	door->close_task.run = door_shut;
	due_queue_init(&door->heads, settings->head_ms);
	due_queue_init(&door->bodies, settings->body_ms);
	due_queue_init(&door->ingests, settings->ingest_idle_ms);
	due_queue_init(&door->cuts, CUT_MS);
	due_queue_init(&door->pauses, PAUSE_MS);
	due_init(&door->pause);
	door->gates = mem_zalloc_array(config->listen_count, sizeof *door->gates);
	if (!door->gates)
		goto fail;
	err = config->way == TAKEOVER_SWAP ? takeover_dead_new(&door->dead_fd) : OK;
	if (!err)
		err = gates_open(door);
	if (!err)
		err = door_lodge(door);
	if (err)
		goto fail;
	*ret_door = door;
	return OK;
fail:
	for (size_t i = door ? door->gate_count : 0; i < config->listen_count; i++)
		world->ops->close(world, config->listen_fds[i]);
	door_free(&door);
	return err;
}

void door_free(struct door **door)
{
	if (!*door)
		return;
	MUST_BE(*door, DOOR_TAG);
	MUST(!door_busy(*door));
	struct world *world = (*door)->config.world;
	if ((*door)->gate_count) /* before its descriptor goes */
		MUST(loop_guest_set((*door)->config.loop, (struct guest){ .fd = -1 }) == OK);
	(*door)->paused = false;
	if (!(*door)->closed)
		gates_hear(*door, true);
	for (size_t i = 0; i < (*door)->gate_count; i++)
		MHD_stop_daemon((*door)->gates[i].daemon);
	if ((*door)->nest_fd >= 0)
		world->ops->close(world, (*door)->nest_fd);
	if ((*door)->bell_fd >= 0)
		world->ops->close(world, (*door)->bell_fd);
	if ((*door)->dead_fd >= 0)
		world->ops->close(world, (*door)->dead_fd);
	mem_free((*door)->gates);
	(*door)->tag = 0;
	mem_free(*door);
	*door = NULL;
}

/*
 * loop: one epoll set and all that happens on it, a bounded turn at a time.
 */
#include "delivery/delivery_impl.h"

#include <limits.h>

#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"
#include "delivery/loop_impl.h"

enum { READY_MAX = 256, TASKS_PER_TURN = 1024, WALL_JUMP_MS = 200 };

void loop_each_session(struct loop *loop, void (*each)(struct session *, void *), void *arg)
{
	struct list all;
	list_init(&all);
	list_splice(&all, &loop->sessions);
	while (!list_empty(&all)) {
		struct session *session = CONTAINER_OF(all.next, struct session, link);
		list_drop(&session->link);
		list_push(&loop->sessions, &session->link);
		each(session, arg);
	}
}

static void look_at_lapse(struct session *session, void *arg)
{
	(void)arg;
	if (!session->bearer)
		return;
	lapse_set(session);
	/* Now, not at the next tick: this turn may have events for it. */
	if (lapse_due(session))
		session_arm(session, session->due_ms);
}

/* The wall clock may be set at any time: what bearers make of it is looked at again then. */
static void loop_look_at_wall(struct loop *loop)
{
	int64_t offset_ms = (int64_t)loop->world->ops->wall_ms(loop->world) -
			    (int64_t)loop->now_ms;
	int64_t jump_ms = offset_ms - loop->wall_offset_ms;
	if (jump_ms < WALL_JUMP_MS && jump_ms > -WALL_JUMP_MS)
		return;
	loop->wall_offset_ms = offset_ms;
	loop_each_session(loop, look_at_lapse, NULL);
}

enum err loop_new(struct engine *engine, uint32_t index, struct loop **ret_loop)
{
	struct loop *loop = mem_zalloc(sizeof *loop);
	if (!loop)
		return ERR_NOMEM;
	loop->tag = LOOP_TAG;
	loop->engine = engine;
	loop->index = (uint8_t)index;
	loop->world = engine->config.world;
	loop->guest.fd = -1;
	loop->guest_due_ms = UINT64_MAX;
	list_init(&loop->sessions);
	list_init(&loop->busy);
	list_init(&loop->grave);
	list_init(&loop->dirty);
	list_init(&loop->marks);
	list_init(&loop->tasks);
	list_init(&loop->jobs);
	list_init(&loop->unread);
	buf_init(&loop->scratch, SIZE_MAX / 4); /* each use has a bound of its own */
	buf_init(&loop->change, SIZE_MAX / 4); /* CURSOR_STREAMS_MAX names */
	pthread_mutex_init(&loop->lock, NULL);
	loop->now_ms = loop->world->ops->now_ms(loop->world);
	loop_look_at_wall(loop);
	loop->world->ops->random(loop->world, &loop->chance, sizeof loop->chance);
	loop->chance |= 1;
	enum err err = loop->world->ops->poller_new(loop->world, &loop->poller);
	if (err == OK)
		err = wheel_new(loop->now_ms, &loop->wheel);
	if (err == OK)
		err = map_new(follow_name, (size_t)1 << 32, &loop->follows);
	if (err == OK)
		err = map_new(session_name, (size_t)1 << 32, &loop->ids);
	if (err)
		loop_free(&loop);
	else
		*ret_loop = loop;
	return err;
}

static void loop_bury_dead(struct loop *loop)
{
	while (!list_empty(&loop->grave))
		session_bury(CONTAINER_OF(loop->grave.next, struct session, link));
}

void loop_give(struct loop *loop, struct job *job)
{
	MUST_BE(loop, LOOP_TAG);
	pthread_mutex_lock(&loop->lock);
	list_push(&loop->jobs, &job->link);
	pthread_mutex_unlock(&loop->lock);
	loop_wake(loop);
}

/* now_on: the loop, or NULL where it is going. */
static void loop_do_jobs(struct loop *loop, struct loop *now_on)
{
	struct list jobs;
	list_init(&jobs);
	pthread_mutex_lock(&loop->lock);
	list_splice(&jobs, &loop->jobs);
	pthread_mutex_unlock(&loop->lock);
	while (!list_empty(&jobs)) {
		struct job *job = CONTAINER_OF(jobs.next, struct job, link);
		list_drop(&job->link);
		job->run(job, now_on);
	}
}

void loop_free(struct loop **loop)
{
	if (!*loop)
		return;
	MUST_BE(*loop, LOOP_TAG);
	while (!list_empty(&(*loop)->sessions))
		session_close(CONTAINER_OF((*loop)->sessions.next, struct session, link),
			      &(*loop)->counts.drain);
	loop_bury_dead(*loop);
	loop_do_jobs(*loop, NULL);
	map_free(&(*loop)->follows);
	map_free(&(*loop)->ids);
	wheel_free(&(*loop)->wheel);
	if ((*loop)->poller) {
		if ((*loop)->guest.fd >= 0)
			(*loop)->world->ops->poller_drop((*loop)->poller, (*loop)->guest.fd);
		(*loop)->world->ops->poller_free(&(*loop)->poller);
	}
	buf_fini(&(*loop)->scratch);
	buf_fini(&(*loop)->change);
	pthread_mutex_destroy(&(*loop)->lock);
	(*loop)->tag = 0;
	mem_free(*loop);
	*loop = NULL;
}

void loop_wake(struct loop *loop)
{
	loop->world->ops->poller_wake(loop->poller);
}

uint32_t loop_draw(struct loop *loop, uint32_t min, uint32_t max)
{
	/* xorshift64*: spreads timers, guards nothing. */
	loop->chance ^= loop->chance >> 12;
	loop->chance ^= loop->chance << 25;
	loop->chance ^= loop->chance >> 27;
	uint64_t draw = (loop->chance * UINT64_C(2685821657736338717)) >> 32;
	return min + (uint32_t)(draw % ((uint64_t)(max - min) + 1));
}

enum err loop_guest_set(struct loop *loop, struct guest guest)
{
	MUST_BE(loop, LOOP_TAG);
	if (loop->guest.fd >= 0)
		loop->world->ops->poller_drop(loop->poller, loop->guest.fd);
	loop->guest = (struct guest){ .fd = -1 };
	if (guest.fd >= 0) {
		enum err err = loop->world->ops->poller_add(
			loop->poller, guest.fd, WORLD_READABLE | WORLD_LEVEL, &loop->guest);
		if (err)
			return err;
	}
	loop->guest = guest;
	loop->guest_due_ms = 0;
	return OK;
}

void loop_post(struct loop *loop, struct task *task)
{
	MUST_BE(loop, LOOP_TAG);
	pthread_mutex_lock(&loop->lock);
	list_push(&loop->tasks, &task->link);
	pthread_mutex_unlock(&loop->lock);
	loop_wake(loop);
}

/* Bounded by what was there at the start, so that a task may post another. */
static void loop_do_tasks(struct loop *loop)
{
	for (int i = 0; i < TASKS_PER_TURN; i++) {
		struct task *task = NULL;
		pthread_mutex_lock(&loop->lock);
		if (!list_empty(&loop->tasks)) {
			task = CONTAINER_OF(loop->tasks.next, struct task, link);
			list_drop(&task->link);
		}
		pthread_mutex_unlock(&loop->lock);
		if (!task)
			return;
		task->run(task, loop->now_ms);
	}
}

static bool loop_has_mail(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	bool mail = !list_empty(&loop->tasks) || !list_empty(&loop->marks) ||
		    !list_empty(&loop->jobs);
	pthread_mutex_unlock(&loop->lock);
	return mail;
}

static bool loop_has_work(struct loop *loop)
{
	return !list_empty(&loop->busy) || !list_empty(&loop->dirty) ||
	       !list_empty(&loop->unread) ||
	       loop->guest_due_ms <= loop->now_ms || loop_has_mail(loop);
}

static int loop_wait_ms(struct loop *loop, int wait_max_ms)
{
	if (wait_max_ms == 0 || loop_has_work(loop))
		return 0;
	int wait_ms = wheel_wait_ms(loop->wheel, loop->now_ms);
	if (loop->guest_due_ms != UINT64_MAX) {
		uint64_t guest_ms = loop->guest_due_ms - loop->now_ms; /* > 0: else there is work */
		if (wait_ms < 0 || guest_ms < (uint64_t)wait_ms)
			wait_ms = guest_ms > INT_MAX ? INT_MAX : (int)guest_ms;
	}
	if (wait_max_ms >= 0 && (wait_ms < 0 || wait_max_ms < wait_ms))
		wait_ms = wait_max_ms;
	return wait_ms;
}

static void loop_take_marks(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	while (!list_empty(&loop->marks)) {
		struct follow *follow =
			CONTAINER_OF(loop->marks.next, struct follow, mark_link);
		list_drop(&follow->mark_link);
		/* Cleared before the tape is looked at: what moves it later marks it again. */
		atomic_store(&follow->marked, false);
		if (list_empty(&follow->dirty_link))
			list_push(&loop->dirty, &follow->dirty_link);
		list_splice(&follow->pending, &follow->roster);
	}
	pthread_mutex_unlock(&loop->lock);
}

/* One pass: streams that moved, then sessions that have more to send. */
static void loop_serve(struct loop *loop)
{
	loop->sends_left = PASS_SENDS_MAX;
	struct list dirty;
	list_init(&dirty);
	list_splice(&dirty, &loop->dirty);
	while (!list_empty(&dirty) && loop->sends_left > 0) {
		struct follow *follow = CONTAINER_OF(dirty.next, struct follow, dirty_link);
		list_drop(&follow->dirty_link);
		if (follow_pass(follow))
			list_push(&loop->dirty, &follow->dirty_link);
	}
	list_splice(&dirty, &loop->dirty);
	list_splice(&loop->dirty, &dirty);

	struct list busy;
	list_init(&busy);
	list_splice(&busy, &loop->busy);
	while (!list_empty(&busy) && loop->sends_left > 0) {
		struct session *session = CONTAINER_OF(busy.next, struct session, busy_link);
		list_drop(&session->busy_link);
		session->state = SESSION_RESTING;
		session_run(session);
	}
	list_splice(&busy, &loop->busy);
	list_splice(&loop->busy, &busy);
}

static void drain_one(struct session *session, void *window_ms)
{
	session_drain(session, PART_DRAIN, *(const uint32_t *)window_ms);
}

static void loop_begin_drain(struct loop *loop, uint32_t window_ms)
{
	loop->draining = true;
	loop_each_session(loop, drain_one, &window_ms);
}

static void loop_run_guest(struct loop *loop)
{
	loop->guest_due_ms = UINT64_MAX;
	if (!loop->guest.turn)
		return;
	int wait_ms = loop->guest.turn(loop->guest.arg, loop->now_ms);
	if (wait_ms >= 0)
		loop->guest_due_ms = loop->now_ms + (uint64_t)wait_ms;
}

bool loop_turn(struct loop *loop, int wait_max_ms)
{
	MUST_BE(loop, LOOP_TAG);
	struct readiness ready[READY_MAX];
	size_t count = loop->world->ops->poller_wait(loop->poller, ready, READY_MAX,
						     loop_wait_ms(loop, wait_max_ms));
	uint64_t began_ns = loop->world->ops->now_ns(loop->world);
	loop->now_ms = loop->world->ops->now_ms(loop->world);
	loop->sends_left = PASS_SENDS_MAX;
	loop_look_at_wall(loop);
	uint32_t drain = atomic_load(&loop->engine->drain_window_ms);
	if (drain && !loop->draining)
		loop_begin_drain(loop, drain - 1);
	loop_do_tasks(loop);
	loop_do_jobs(loop, loop);
	talk_read_on(loop);
	bool guest_ready = loop->guest_due_ms <= loop->now_ms;
	for (size_t i = 0; i < count; i++) {
		if (ready[i].token == &loop->guest)
			guest_ready = true;
		else
			session_ready(ready[i].token, ready[i].flags);
	}
	wheel_advance(loop->wheel, loop->now_ms);
	if (guest_ready)
		loop_run_guest(loop);
	loop_take_marks(loop);
	loop_serve(loop);
	loop_bury_dead(loop);
	metric_observe(METRIC_LOOP_LAG, 0,
		       (loop->world->ops->now_ns(loop->world) - began_ns) / 1000);
	return loop_has_work(loop);
}

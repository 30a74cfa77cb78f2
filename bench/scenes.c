#include "scenes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "crowd.h"
#include "gauge.h"
#include "press.h"

enum {
	TURN_EVENTS = 1024,
	OPENING_MAX = 64, /* sessions being opened at a time, but for `resume` */
	WARM_SESSIONS = 200,
	READER_STRIDE = 64, /* of a crowd that skims, one in so many reads */
};

static const uint64_t second_ns = 1000000000u;
static const uint64_t warm_ns = 500000000u;
static const uint64_t check_ns = 50000000u; /* for what comes after the last that should come */

struct stage {
	const struct plan *plan;
	int epoll_fd;
	uint64_t deadline_ns;
	struct gauge gauge;
	struct crowd crowd;
	struct press press;
	struct spread spread;
};

static void stage_open(struct stage *stage, const struct plan *plan, size_t listeners,
		       size_t publishers)
{
	*stage = (struct stage){ .plan = plan };
	stage->deadline_ns = now_ns() +
			     (uint64_t)(plan->seconds + SETTLE_SECONDS) * second_ns;
	stage->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (stage->epoll_fd < 0)
		die("epoll: %s", strerror(errno));
	gauge_init(&stage->gauge, plan->server_pid);
	crowd_init(&stage->crowd, plan, stage->epoll_fd, listeners);
	press_init(&stage->press, plan, stage->epoll_fd, publishers);
}

static void stage_close(struct stage *stage)
{
	crowd_fini(&stage->crowd);
	press_fini(&stage->press);
	close(stage->epoll_fd);
}

/* Waits at most timeout_ms and reads what has come. */
static void turn(struct stage *stage, int timeout_ms)
{
	struct epoll_event events[TURN_EVENTS];
	if (now_ns() > stage->deadline_ns)
		die("out of time: %zu of %zu listeners ready, %llu events published, "
		    "%llu answered, %llu read",
		    stage->crowd.ready_count, stage->crowd.count,
		    (unsigned long long)stage->press.asked, (unsigned long long)stage->press.taken,
		    (unsigned long long)stage->crowd.events);
	int count = epoll_wait(stage->epoll_fd, events, TURN_EVENTS,
			       stage->plan->spin ? 0 : timeout_ms);
	for (int i = 0; i < count; i++) {
		uint32_t who = events[i].data.u32;
		if (who & PRESS_BIT)
			press_read(&stage->press, who & ~PRESS_BIT);
		else
			crowd_read(&stage->crowd, who);
	}
}

static void turn_for(struct stage *stage, uint64_t ns)
{
	for (uint64_t end_ns = now_ns() + ns; now_ns() < end_ns;)
		turn(stage, 5);
}

static const char *stream_name(char text[static 32], const char *kind, size_t number)
{
	snprintf(text, 32, "bench/%s-%zu", kind, number);
	return text;
}

/* Opens `count` sessions; session i listens to stream i modulo `streams` of the kind. */
static void open_sessions(struct stage *stage, const char *kind, size_t count, size_t streams)
{
	char name[32];
	size_t all_count = stage->crowd.count + count;
	for (size_t i = 0; i < count; i++) {
		size_t which = crowd_connect(&stage->crowd);
		crowd_ask(&stage->crowd, which, stream_name(name, kind, i % streams), NULL);
		while (stage->crowd.count - stage->crowd.ready_count >= OPENING_MAX)
			turn(stage, 100);
	}
	while (stage->crowd.ready_count < all_count)
		turn(stage, 100);
}

static void publish_one(struct stage *stage, const char *stream)
{
	struct sender *sender;
	while (!(sender = press_idle(&stage->press)))
		turn(stage, 100);
	press_say(&stage->press, sender, stream, 1);
}

/* Waits until every request is answered and listeners who read have seen `events` in all. */
static void wait_for(struct stage *stage, uint64_t events)
{
	while (stage->press.busy_count || stage->crowd.events < events)
		turn(stage, 100);
}

/* Ends the program unless those from `from` on have had `events` each, and none had more than it
 * should: what came twice would otherwise hide what did not come. */
static void check_each(struct stage *stage, size_t from, uint64_t events)
{
	turn_for(stage, check_ns);
	for (size_t i = from; i < stage->crowd.count; i++)
		if (crowd_events_of(&stage->crowd, i) != events)
			die("listener %zu has had %llu events, not %llu", i,
			    (unsigned long long)crowd_events_of(&stage->crowd, i),
			    (unsigned long long)events);
}

static double per(uint64_t ns, double count)
{
	return count > 0 ? (double)ns / 1000 / count : 0;
}

static void say_head(const struct stage *stage, const char *scene)
{
	const struct plan *plan = stage->plan;
	printf("scenario=%s flavour=%s listeners=%zu payload_bytes=%zu notices=%llu", scene,
	       plan->flavour_name, plan->listeners, plan->payload_bytes,
	       (unsigned long long)stage->crowd.notices);
}

static void say_busy(const struct reading *from, const struct reading *to)
{
	double wall_ns = (double)(to->at_ns - from->at_ns);
	double server_ns = (double)(to->cpu_ns - from->cpu_ns);
	double own_ns = (double)(to->own_ns - from->own_ns);
	double others_ns = (double)(to->machine_ns - from->machine_ns) - server_ns - own_ns;
	printf(" seconds=%.3f server_busy=%.3f load_busy=%.3f others_busy=%.3f",
	       wall_ns / (double)second_ns, server_ns / wall_ns, own_ns / wall_ns,
	       others_ns > 0 ? others_ns / wall_ns : 0);
}

static void say_latency(const struct spread *spread)
{
	printf(" p50_us=%.1f p99_us=%.1f", spread_us(spread, 0.5), spread_us(spread, 0.99));
}

/* Opens plan->listeners sessions and weighs them. Some are opened before, so that what a server
 * sets up once is not counted. */
static void run_idle(const struct plan *plan)
{
	struct stage stage;
	struct reading before = { 0 }, after = { 0 };
	size_t streams = plan->streams ? plan->streams : plan->listeners;
	stage_open(&stage, plan, plan->listeners + WARM_SESSIONS, 0);
	open_sessions(&stage, "warm", WARM_SESSIONS, 1);
	turn_for(&stage, warm_ns);

	gauge_read_memory(&stage.gauge, &before);
	gauge_read_cpu(&stage.gauge, &before);
	open_sessions(&stage, "idle", plan->listeners, streams);
	gauge_read_cpu(&stage.gauge, &after);
	turn_for(&stage, warm_ns);
	gauge_read_memory(&stage.gauge, &after);

	double count = (double)plan->listeners;
	say_head(&stage, "idle");
	printf(" streams=%zu rss_bytes=%.0f pss_bytes=%.0f open_cpu_us=%.2f", streams,
	       ((double)after.rss_bytes - (double)before.rss_bytes) / count,
	       ((double)after.pss_bytes - (double)before.pss_bytes) / count,
	       per(after.cpu_ns - before.cpu_ns, count));
	say_busy(&before, &after);
	putchar('\n');
	stage_close(&stage);
}

/* One stream with plan->listeners sessions, each of which has had a first event. */
static void open_stream(struct stage *stage, const struct plan *plan, char name[static 32])
{
	stage_open(stage, plan, plan->listeners, plan->connections);
	open_sessions(stage, "live", plan->listeners, 1);
	stream_name(name, "live", 0);
	publish_one(stage, name);
	wait_for(stage, plan->listeners);
}

/* plan->rate events a second, evenly. */
static void run_paced(const struct plan *plan)
{
	struct stage stage;
	struct reading before = { 0 }, after = { 0 };
	char name[32];
	open_stream(&stage, plan, name);
	turn_for(&stage, warm_ns);

	size_t events = (size_t)(plan->seconds * (double)plan->rate);
	stage.crowd.spread = &stage.spread;
	gauge_read_cpu(&stage.gauge, &before);
	for (size_t i = 0; i < events; i++) {
		uint64_t at_ns = before.at_ns + i * second_ns / plan->rate;
		for (uint64_t at; (at = now_ns()) < at_ns;)
			turn(&stage, (int)((at_ns - at + 999999) / 1000000));
		publish_one(&stage, name);
	}
	wait_for(&stage, (uint64_t)plan->listeners * (events + 1));
	gauge_read_cpu(&stage.gauge, &after);
	check_each(&stage, 0, events + 1);

	double deliveries = (double)plan->listeners * (double)events;
	say_head(&stage, "paced");
	printf(" events=%zu cpu_s_per_million=%.4f", events,
	       per(after.cpu_ns - before.cpu_ns, deliveries));
	say_latency(&stage.spread);
	say_busy(&before, &after);
	putchar('\n');
	stage_close(&stage);
}

/* Tops up what is in flight: published, and not yet had by everybody. */
static void flight_fill(struct stage *stage, const char *name, size_t batch, uint64_t first)
{
	const struct plan *plan = stage->plan;
	crowd_settle(&stage->crowd);
	while (stage->press.asked - first - stage->crowd.whole_count + batch <= plan->in_flight) {
		struct sender *sender = press_idle(&stage->press);
		if (!sender)
			return;
		press_say(&stage->press, sender, name, batch);
	}
}

static size_t flight_batch(const struct plan *plan)
{
	size_t batch = plan->in_flight / plan->connections;
	if (plan->flavour == FLAVOUR_NCHAN || batch < 1)
		return 1;
	return batch < BATCH_MAX ? batch : BATCH_MAX;
}

static void flight_until(struct stage *stage, const char *name, uint64_t first, uint64_t end_ns)
{
	size_t batch = flight_batch(stage->plan);
	while (now_ns() < end_ns) {
		flight_fill(stage, name, batch, first);
		turn(stage, 100);
	}
	crowd_settle(&stage->crowd);
}

/* As fast as it goes with plan->in_flight events outstanding. */
static void run_flight(const struct plan *plan)
{
	struct stage stage;
	struct reading before = { 0 }, after = { 0 };
	char name[32];
	open_stream(&stage, plan, name);
	crowd_skim(&stage.crowd, READER_STRIDE);
	uint64_t first = stage.press.asked;

	flight_until(&stage, name, first, now_ns() + warm_ns);
	stage.crowd.spread = &stage.spread;
	gauge_read_cpu(&stage.gauge, &before);
	size_t whole_before = stage.crowd.whole_count;
	flight_until(&stage, name, first, before.at_ns + (uint64_t)(plan->seconds * 1e9));
	gauge_read_cpu(&stage.gauge, &after);
	size_t events = stage.crowd.whole_count - whole_before;
	stage.crowd.spread = NULL;

	while (stage.press.busy_count || stage.press.asked - first > stage.crowd.whole_count) {
		turn(&stage, 100);
		crowd_settle(&stage.crowd);
	}
	double deliveries = (double)events * (double)plan->listeners;
	say_head(&stage, "flight");
	printf(" in_flight=%zu connections=%zu batch=%zu events=%zu whole=%d"
	       " deliveries_per_s=%.0f cpu_s_per_million=%.4f",
	       plan->in_flight, plan->connections, flight_batch(plan), events,
	       crowd_even(&stage.crowd),
	       deliveries * (double)second_ns / (double)(after.at_ns - before.at_ns),
	       per(after.cpu_ns - before.cpu_ns, deliveries));
	say_latency(&stage.spread);
	say_busy(&before, &after);
	putchar('\n');
	stage_close(&stage);
}

/* Lets the last event be answered and delivered, and a moment pass: every server has gone to sleep
 * by then. */
static void publish_apart(struct stage *stage, uint64_t events)
{
	wait_for(stage, events);
	for (uint64_t end_ns = now_ns() + stage->plan->think_us * 1000; now_ns() < end_ns;)
		turn(stage, 0);
}

/* Publishes round robin, one by one: the next request goes out when the last is answered, or apart.
 * If not apart, a server that answers before it delivers may find the next request there before it
 * would sleep. */
static uint64_t publish_round(struct stage *stage, uint64_t events, uint64_t end_ns)
{
	char name[32];
	uint64_t count = 0, had = stage->crowd.events;
	for (; events ? count < events : now_ns() < end_ns; count++) {
		publish_one(stage, stream_name(name, "many", count % stage->plan->streams));
		if (stage->plan->think_us)
			publish_apart(stage, had + count + 1);
	}
	wait_for(stage, had + count);
	return count;
}

/* How many of `events` in turn were stream i's. */
static uint64_t publish_share(uint64_t events, size_t streams, size_t i)
{
	return events / streams + (i < events % streams);
}

/* As check_each, where each of two rounds began with stream 0. */
static void check_shares(const struct stage *stage, uint64_t first, uint64_t second)
{
	size_t streams = stage->plan->streams;
	for (size_t i = 0; i < streams; i++) {
		uint64_t share = publish_share(first, streams, i) +
				 publish_share(second, streams, i);
		if (crowd_events_of(&stage->crowd, i) != share)
			die("listener %zu has had %llu events, not %llu", i,
			    (unsigned long long)crowd_events_of(&stage->crowd, i),
			    (unsigned long long)share);
	}
}

/* plan->streams streams of one listener each, and plan->idle idle sessions on as many streams. */
static void run_many(const struct plan *plan)
{
	struct stage stage;
	struct reading before = { 0 }, after = { 0 };
	stage_open(&stage, plan, plan->streams + plan->idle, 1);
	open_sessions(&stage, "many", plan->streams, plan->streams);
	if (plan->idle)
		open_sessions(&stage, "idle", plan->idle, plan->idle);
	uint64_t warm_events = publish_round(&stage, plan->streams < 500 ? 500 : plan->streams, 0);

	stage.crowd.spread = &stage.spread;
	gauge_read_cpu(&stage.gauge, &before);
	uint64_t events = publish_round(&stage, plan->events,
					before.at_ns + (uint64_t)(plan->seconds * 1e9));
	gauge_read_cpu(&stage.gauge, &after);
	check_shares(&stage, warm_events, events);

	say_head(&stage, plan->idle || plan->streams == 1 ? "curve" : "many");
	printf(" streams=%zu idle=%zu events=%llu cpu_us_per_event=%.2f", plan->streams, plan->idle,
	       (unsigned long long)events, per(after.cpu_ns - before.cpu_ns, (double)events));
	say_latency(&stage.spread);
	say_busy(&before, &after);
	putchar('\n');
	stage_close(&stage);
}

/* Connects everybody, then asks for all at once, from the place `after`; returns the time until
 * the last one is whole. A connection that has asked nothing is still the kernel's alone, since all
 * servers here defer accept. */
static uint64_t resume_all(struct stage *stage, const char *name, const char *after)
{
	const struct plan *plan = stage->plan;
	struct crowd *crowd = &stage->crowd;
	size_t from = crowd->count;
	for (size_t i = 0; i < plan->listeners; i++)
		crowd_connect(crowd);
	turn_for(stage, warm_ns / 5);

	uint64_t begin_ns = now_ns(), wanted = crowd->events + plan->listeners * plan->behind;
	for (size_t i = from; i < crowd->count; i++)
		crowd_ask(crowd, i, name, after);
	while (crowd->events < wanted)
		turn(stage, 100);
	uint64_t end_ns = now_ns();
	check_each(stage, from, plan->behind);
	return end_ns - begin_ns;
}

static int compare_ns(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
	return (a > b) - (a < b);
}

/* plan->listeners sessions come back at once, plan->behind events behind. */
static void run_resume(const struct plan *plan)
{
	struct stage stage;
	struct reading before = { 0 }, after = { 0 };
	uint64_t *took_ns = calloc(plan->rounds, sizeof *took_ns);
	char name[32], from[ID_MAX_BYTES];
	if (!took_ns)
		die("no memory for %zu rounds", plan->rounds);
	stage_open(&stage, plan, 1 + plan->listeners * plan->rounds, 1);
	open_sessions(&stage, "past", 1, 1);
	publish_one(&stage, stream_name(name, "past", 0));
	wait_for(&stage, 1);
	memcpy(from, stage.crowd.last_id, sizeof from);
	for (size_t i = 0; i < plan->behind; i++)
		publish_one(&stage, name);
	wait_for(&stage, 1 + plan->behind);

	gauge_read_cpu(&stage.gauge, &before);
	for (size_t i = 0; i < plan->rounds; i++)
		took_ns[i] = resume_all(&stage, name, from);
	gauge_read_cpu(&stage.gauge, &after);

	qsort(took_ns, plan->rounds, sizeof *took_ns, compare_ns);
	say_head(&stage, "resume");
	printf(" behind=%zu rounds=%zu resume_ms=%.2f worst_ms=%.2f cpu_us_per_session=%.1f",
	       plan->behind, plan->rounds, (double)took_ns[plan->rounds / 2] / 1e6,
	       (double)took_ns[plan->rounds - 1] / 1e6,
	       per(after.cpu_ns - before.cpu_ns, (double)(plan->rounds * plan->listeners)));
	say_busy(&before, &after);
	putchar('\n');
	free(took_ns);
	stage_close(&stage);
}

static const struct scene scenes[] = {
	{ "idle", "what an idle session weighs and costs to open (--streams 0: one each)", run_idle,
	  { .listeners = 15000, .streams = 1 } },
	{ "paced", "one stream, many listeners, a few events a second", run_paced,
	  { .listeners = 1000, .rate = 20, .seconds = 10, .connections = 1 } },
	{ "flight", "one stream, as fast as it goes with K events in flight", run_flight,
	  { .listeners = 1000, .in_flight = 16, .seconds = 4, .connections = 16 } },
	{ "many", "many streams of one listener, published to one by one", run_many,
	  { .streams = 2000, .seconds = 4, .connections = 1 } },
	{ "curve", "one active stream beside --idle sessions on streams of their own", run_many,
	  { .streams = 1, .seconds = 3, .think_us = 50, .connections = 1 } },
	{ "resume", "many sessions come back at once", run_resume,
	  { .listeners = 1000, .behind = 100, .rounds = 5, .connections = 1 } },
};

const struct scene *scene_at(size_t index)
{
	return index < sizeof scenes / sizeof scenes[0] ? &scenes[index] : NULL;
}

const struct scene *scene_find(const char *name)
{
	for (size_t i = 0; scene_at(i); i++)
		if (!strcmp(scene_at(i)->name, name))
			return scene_at(i);
	return NULL;
}

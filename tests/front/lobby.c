#include "lobby.h"

#include <errno.h>
#include <pthread.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backplane/memory.h"
#include "base/must.h"

enum { HELD_PUBLISH, HELD_READ, HELD_DROP };

enum { TURN_MS = 10, PATIENCE = 300 };

static struct lobby *lobby_of(struct backplane *late)
{
	return CONTAINER_OF(late, struct lobby, late);
}

static bool hold(struct lobby *lobby, int kind, void *request)
{
	if (!lobby->holds)
		return false;
	MUST(lobby->held_count < LOBBY_HELD_MAX);
	lobby->held[lobby->held_count].kind = kind;
	lobby->held[lobby->held_count++].request = request;
	return true;
}

static void publish_now(struct lobby *lobby, struct publish *publish)
{
	if (!lobby->refuses) {
		lobby->store->ops->publish(lobby->store, publish);
		return;
	}
	for (size_t i = 0; i < publish->count; i++)
		event_unref(&publish->events[i]);
	publish->err = lobby->refuses;
	(void)snprintf(publish->note, sizeof publish->note, "refused as told");
	publish->done(publish);
}

static void late_publish(struct backplane *late, struct publish *publish)
{
	struct lobby *lobby = lobby_of(late);
	lobby->publishes++;
	if (publish->count > lobby->group_max)
		lobby->group_max = publish->count;
	if (!hold(lobby, HELD_PUBLISH, publish))
		publish_now(lobby, publish);
}

static void late_read(struct backplane *late, struct read *read)
{
	struct lobby *lobby = lobby_of(late);
	if (!hold(lobby, HELD_READ, read))
		lobby->store->ops->read(lobby->store, read);
}

static void drop_now(struct lobby *lobby, struct drop *drop)
{
	if (!lobby->refuses) {
		lobby->store->ops->drop(lobby->store, drop);
		return;
	}
	drop->err = lobby->refuses;
	drop->done(drop);
}

static void late_drop(struct backplane *late, struct drop *drop)
{
	struct lobby *lobby = lobby_of(late);
	if (!hold(lobby, HELD_DROP, drop))
		drop_now(lobby, drop);
}

static enum err late_shout(struct backplane *late, struct slice name, struct event *event)
{
	struct lobby *lobby = lobby_of(late);
	if (!lobby->refuses)
		return lobby->store->ops->shout(lobby->store, name, event);
	event_unref(&event);
	return lobby->refuses;
}

static void late_watch(struct backplane *late, struct slice name,
		       void (*watched)(void *arg, struct slice name), void *arg)
{
	struct lobby *lobby = lobby_of(late);
	lobby->store->ops->watch(lobby->store, name, watched, arg);
}

static void late_unwatch(struct backplane *late, struct slice name)
{
	struct lobby *lobby = lobby_of(late);
	lobby->store->ops->unwatch(lobby->store, name);
}

static bool late_ready(struct backplane *late)
{
	return lobby_of(late)->refuses == OK;
}

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg, (void)name;
	return (struct tape_bounds){ .events_max = 1000, .bytes_max = 1 << 20,
				     .age_ms_max = 3600000 };
}

static enum err attach(void *arg, struct stream *stream)
{
	return feed_attach(arg, stream);
}

void lobby_init(struct lobby *lobby)
{
	*lobby = (struct lobby){
		.settings = {
			.dev = true, .event_bytes_max = 65536, .batch_bytes_max = 1 << 20,
			.head_bytes_max = 32768, .requests_max = 64, .head_ms = 5000,
			.body_ms = 5000, .ingest_idle_ms = 5000, .dead_ms = 30000,
			.retry_min_ms = 1000, .retry_max_ms = 1000, .page_events_max = 1000,
			.page_bytes_max = 262144,
		},
		.sessions_max = 100,
		.gate_count = 1,
		.ops = {
			.name = "late", .publish = late_publish, .read = late_read,
			.drop = late_drop, .shout = late_shout, .watch = late_watch,
			.unwatch = late_unwatch, .ready = late_ready,
		},
	};
	lobby->late.ops = &lobby->ops;
}

static enum err floors_open(struct lobby *lobby)
{
	struct memory_config memory = { .world = world_linux(), .streams_max = 1000,
					.bytes_max = 1 << 26, .idem_max = 1000,
					.idem_window_ms = 60000, .bounds_of = bounds_of };
	struct hub_config hub = { .streams_max = 1000, .bytes_max = 1 << 26, .linger_ms = 1000,
				  .bounds_of = bounds_of };
	enum err err = memory_new(&memory, &lobby->store);
	if (!err)
		err = hub_new(&hub, &lobby->hub);
	if (!err)
		err = feed_new(world_linux(), lobby->hub, &lobby->late, &lobby->feed);
	if (err)
		return err;
	lobby->store->sink = lobby->late.sink;
	struct engine_config engine = {
		.world = world_linux(), .hub = lobby->hub, .loop_count = 1,
		.sessions_max = lobby->sessions_max,
		.sessions_per_address_max = lobby->sessions_max, .heartbeat_ms = 60000,
		.dead_ms = 30000, .retry_min_ms = 1000, .retry_max_ms = 1000, .open_ms = 200,
		.attach = attach, .attach_arg = lobby->feed,
	};
	err = engine_new(&engine, &lobby->engine);
	if (!err)
		lobby->loop = engine_loop(lobby->engine, 0);
	return err;
}

enum err lobby_try(struct lobby *lobby)
{
	enum err err = floors_open(lobby);
	int fds[LOBBY_GATES_MAX];
	for (size_t i = 0; !err && i < lobby->gate_count; i++) {
		MUST(address_parse(SLICE("127.0.0.1:0"), &lobby->address[i]) == OK);
		MUST(listen_on(&lobby->address[i], &fds[i]) == OK);
	}
	struct door_config config = {
		.world = world_linux(), .engine = lobby->engine, .loop = lobby->loop,
		.backplane = &lobby->late, .settings = &lobby->settings, .way = lobby->way,
		.listen_fds = fds, .listen_count = lobby->gate_count,
	};
	if (!err)
		err = door_new(&config, &lobby->door);
	if (err)
		lobby_close(lobby);
	return err;
}

void lobby_open(struct lobby *lobby)
{
	MUST(lobby_try(lobby) == OK);
}

void lobby_close(struct lobby *lobby)
{
	door_free(&lobby->door);
	engine_free(&lobby->engine);
	hub_free(&lobby->hub);
	feed_free(&lobby->feed);
	if (lobby->store)
		lobby->store->ops->free(&lobby->store);
}

int lobby_connect(struct lobby *lobby)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	MUST(fd >= 0);
	const struct address *address = &lobby->address[0];
	MUST(connect(fd, (const struct sockaddr *)&address->sa, address->bytes) == 0);
	return fd;
}

void lobby_send(int fd, const char *text)
{
	MUST(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

void lobby_turn(struct lobby *lobby, int count)
{
	for (int i = 0; i < count; i++, lobby->turns++)
		(void)loop_turn(lobby->loop, TURN_MS);
}

bool lobby_hear(struct lobby *lobby, int fd, struct buf *heard, int patience)
{
	for (int i = 0; i < patience; i++) {
		char bytes[4096];
		ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN))
			return false;
		if (got > 0) {
			buf_put(heard, slice_from(bytes, (size_t)got));
			return true;
		}
		lobby_turn(lobby, 1);
	}
	return false;
}

static bool has(const struct buf *heard, const char *text)
{
	return heard->bytes && memmem(heard->at, heard->bytes, text, strlen(text));
}

bool lobby_expect(struct lobby *lobby, int fd, struct buf *heard, const char *text)
{
	while (!has(heard, text)) {
		if (!lobby_hear(lobby, fd, heard, PATIENCE))
			return false;
	}
	return true;
}

bool lobby_ended(struct lobby *lobby, int fd, struct buf *heard)
{
	for (int i = 0; i < PATIENCE; i++) {
		struct pollfd readable = { .fd = fd, .events = POLLIN };
		if (poll(&readable, 1, 0) == 1 && !lobby_hear(lobby, fd, heard, 1))
			return true;
		lobby_turn(lobby, 1);
	}
	return false;
}

unsigned lobby_ask(struct lobby *lobby, const char *request, struct buf *heard)
{
	int fd = lobby_connect(lobby);
	buf_reset(heard);
	lobby_send(fd, request);
	MUST(shutdown(fd, SHUT_WR) == 0);
	(void)lobby_ended(lobby, fd, heard);
	MUST(close(fd) == 0);
	buf_put_byte(heard, '\0');
	heard->bytes--;
	return heard->bytes > 12 ? (unsigned)strtoul(heard->at + 9, NULL, 10) : 0;
}

static void *release(void *arg)
{
	struct lobby *lobby = arg;
	for (size_t i = 0; i < lobby->held_count; i++) {
		if (lobby->held[i].kind == HELD_PUBLISH)
			publish_now(lobby, lobby->held[i].request);
		else if (lobby->held[i].kind == HELD_READ)
			lobby->store->ops->read(lobby->store, lobby->held[i].request);
		else
			drop_now(lobby, lobby->held[i].request);
	}
	return NULL;
}

/* What is answered asks no more before the loop turns, so the table is ours meanwhile. */
void lobby_release(struct lobby *lobby)
{
	pthread_t thread;
	MUST(pthread_create(&thread, NULL, release, lobby) == 0);
	MUST(pthread_join(thread, NULL) == 0);
	lobby->held_count = 0;
}

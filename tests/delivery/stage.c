#include "stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)name;
	return ((struct stage *)arg)->bounds;
}

static enum err attach(void *arg, struct stream *stream)
{
	struct stage *stage = arg;
	if (stage->dead)
		return OK;
	stream_lock(stream);
	stream_live_set(stream, true);
	stream_moved(stream);
	stream_unlock(stream);
	return OK;
}

struct engine_config stage_config(void)
{
	return (struct engine_config){
		.sessions_max = 5000, .sessions_per_address_max = 5000, .heartbeat_ms = 60000,
		.dead_ms = 30000, .retry_min_ms = 1000, .retry_max_ms = 1000, .open_ms = 100,
	};
}

void stage_init(struct stage *stage, struct engine_config config, struct tape_bounds bounds)
{
	*stage = (struct stage){ .bounds = bounds };
	struct hub_config hub = { .streams_max = 100, .bytes_max = 1 << 26, .linger_ms = 10000,
				  .bounds_of = bounds_of, .arg = stage };
	MUST(hub_new(&hub, &stage->hub) == OK);
	config.world = world_linux();
	config.hub = stage->hub;
	config.loop_count = 1;
	config.attach = attach;
	config.attach_arg = stage;
	MUST(engine_new(&config, &stage->engine) == OK);
	stage->loop = engine_loop(stage->engine, 0);
}

void stage_fini(struct stage *stage)
{
	engine_free(&stage->engine);
	hub_free(&stage->hub);
}

void stage_turn(struct stage *stage, int wait_ms)
{
	for (int i = 0; loop_turn(stage->loop, wait_ms) && i < 10000; i++)
		wait_ms = 0;
}

static struct position stage_append(struct stage *stage, const char *name, struct event *event)
{
	struct stream *stream = NULL;
	uint64_t now_ms = world_linux()->ops->now_ms(world_linux());
	MUST(hub_get(stage->hub, slice_of(name), &stream) == OK);
	stream_lock(stream);
	if (event->ephemeral)
		event->position = tape_head(stream_tape(stream));
	else
		event->position = (struct position){ position_epoch(1, 77),
			tape_head(stream_tape(stream)).seq + 1, ++stage->seq };
	struct position position = event->position;
	MUST(tape_append(stream_tape(stream), event, now_ms) == OK);
	stream_moved(stream);
	stream_unlock(stream);
	hub_put(stage->hub, &stream, now_ms);
	event_unref(&event);
	return position;
}

struct position stage_tell(struct stage *stage, const char *stream, struct draft draft)
{
	struct event *event = NULL;
	draft.has_data = true;
	MUST(event_new(&draft, 1700000000000, world_linux()->ops->now_ms(world_linux()),
		       &event) == OK);
	return stage_append(stage, stream, event);
}

struct position stage_say(struct stage *stage, const char *stream, const char *data)
{
	return stage_tell(stage, stream, (struct draft){ .data = slice_of(data) });
}

void stage_end(struct stage *stage, const char *stream, enum end_state end)
{
	struct event *event = NULL;
	MUST(event_new_end(end, 1700000000000, 1, &event) == OK);
	stage_append(stage, stream, event);
}

struct ticket stage_ticket(struct wanted *wanted, const char *stream, enum session_form form,
			   int *ret_client)
{
	int pair[2];
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	*ret_client = pair[1];
	*wanted = (struct wanted){ .name = slice_of(stream), .start.kind = START_NOW };
	return (struct ticket){
		.fd = pair[0], .form = form, .notices = true, .wanted = wanted, .wanted_count = 1,
		.head = SLICE(STAGE_HEAD), .head_finished = SLICE(STAGE_FINISHED),
	};
}

void stage_adopt(struct stage *stage, const struct ticket *ticket)
{
	MUST(engine_adopt(stage->engine, stage->loop, ticket) == OK);
}

bool stage_hear(struct stage *stage, int client, struct buf *buf)
{
	for (int quiet = 0; quiet < 2;) {
		char chunk[8192];
		stage_turn(stage, 0);
		ssize_t got = recv(client, chunk, sizeof chunk, MSG_DONTWAIT);
		if (got == 0)
			return false;
		if (got < 0) {
			quiet++;
			continue;
		}
		quiet = 0;
		MUST(buf_put(buf, slice_from(chunk, (size_t)got)) == OK);
	}
	return true;
}

bool heard(const struct buf *buf, const char *text)
{
	return buf->bytes && memmem(buf->at, buf->bytes, text, strlen(text));
}

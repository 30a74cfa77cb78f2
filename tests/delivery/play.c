#include "play.h"

#include "base/must.h"

static struct sim_world the_world;

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)name;
	return ((struct play *)arg)->bounds;
}

static void go_live(struct stream *stream)
{
	stream_lock(stream);
	stream_live_set(stream, true);
	stream_moved(stream);
	stream_unlock(stream);
}

static enum err attach(void *arg, struct stream *stream)
{
	if (!((struct play *)arg)->dead)
		go_live(stream);
	return OK;
}

struct engine_config play_config(void)
{
	return (struct engine_config){
		.sessions_max = 500, .sessions_per_address_max = 500, .heartbeat_ms = 15000,
		.dead_ms = 30000, .retry_min_ms = 1000, .retry_max_ms = 1000, .open_ms = 500,
		.loop_count = 1,
	};
}

void play_init(struct play *play, struct engine_config config)
{
	*play = (struct play){ .world = &the_world,
			       .bounds = { .events_max = 1000, .bytes_max = 1 << 20,
					   .age_ms_max = 3600000 } };
	sim_world_init(play->world, 1);
	struct hub_config hub = { .streams_max = 100, .bytes_max = 1 << 26, .linger_ms = 10000,
				  .bounds_of = bounds_of, .arg = play };
	MUST(hub_new(&hub, &play->hub) == OK);
	config.world = &play->world->world;
	config.hub = play->hub;
	config.attach = attach;
	config.attach_arg = play;
	MUST(engine_new(&config, &play->engine) == OK);
	play->loop = engine_loop(play->engine, 0);
}

void play_fini(struct play *play)
{
	engine_free(&play->engine);
	hub_free(&play->hub);
	MUST(!play->world->misuse);
}

static void turn_once(struct play *play)
{
	for (int i = 0; loop_turn(play->loop, 0); i++)
		MUST(i < 10000);
}

void play_turn(struct play *play, uint64_t ms)
{
	turn_once(play);
	for (uint64_t at = 0; at < ms; at += 50) {
		sim_world_advance(play->world, 50);
		turn_once(play);
	}
	turn_once(play);
}

uint64_t play_wall_ms(const struct play *play)
{
	return play->world->world.ops->wall_ms(&play->world->world);
}

void play_wall_shift(struct play *play, int64_t ms)
{
	play->world->wall_ms += ms;
}

static uint64_t now_ms(const struct play *play)
{
	return play->world->world.ops->now_ms(&play->world->world);
}

static void append(struct play *play, const char *name, struct event *event)
{
	struct stream *stream = NULL;
	MUST(hub_get(play->hub, slice_of(name), &stream) == OK);
	stream_lock(stream);
	event->position = (struct position){ position_epoch(1, 77),
					     tape_head(stream_tape(stream)).seq + 1, ++play->seq };
	MUST(tape_append(stream_tape(stream), event, now_ms(play)) == OK);
	stream_moved(stream);
	stream_unlock(stream);
	hub_put(play->hub, &stream, now_ms(play));
	event_unref(&event);
}

void play_say(struct play *play, const char *stream, const char *data)
{
	struct draft draft = { .data = slice_of(data), .has_data = true };
	struct event *event = NULL;
	MUST(event_new(&draft, 1700000000000, now_ms(play), &event) == OK);
	append(play, stream, event);
}

void play_end(struct play *play, const char *stream)
{
	struct event *event = NULL;
	MUST(event_new_end(END_COMPLETE, 1700000000000, now_ms(play), &event) == OK);
	append(play, stream, event);
}

void play_live(struct play *play, const char *name)
{
	struct stream *stream = hub_find(play->hub, slice_of(name));
	MUST(stream);
	go_live(stream);
	hub_put(play->hub, &stream, now_ms(play));
}

int play_connect(struct play *play)
{
	return sim_connect(play->world, SIM_QUEUE_BYTES);
}

bool play_hear(struct play *play, int fd, struct buf *buf)
{
	char chunk[4096];
	for (;;) {
		size_t got = 0;
		turn_once(play);
		enum sim_read read = sim_client_read(play->world, fd, chunk, sizeof chunk, &got);
		if (read == SIM_READ_SOME)
			MUST(buf_put(buf, slice_from(chunk, got)) == OK);
		else
			return read == SIM_READ_NOTHING;
	}
}

bool has(const struct buf *buf, const char *text)
{
	return buf->bytes && memmem(buf->at, buf->bytes, text, strlen(text));
}

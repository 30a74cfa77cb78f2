/*
 * play: an engine with one loop in a simulated world, where time stands still but for play_turn;
 *       streams are fed by hand.
 */
#ifndef TAPECAST_TESTS_DELIVERY_PLAY_H
#define TAPECAST_TESTS_DELIVERY_PLAY_H

#include "../sim/sim_world.h"
#include "base/buf.h"
#include "delivery/engine.h"

struct play {
	struct sim_world *world;
	struct hub *hub;
	struct engine *engine;
	struct loop *loop;
	struct tape_bounds bounds;
	bool dead; /* attach leaves streams as they are */
	uint64_t seq;
};

struct engine_config play_config(void);
void play_init(struct play *play, struct engine_config config);
void play_fini(struct play *play);
/* ms go by in steps of 50; then what there is to do is done. */
void play_turn(struct play *play, uint64_t ms);
uint64_t play_wall_ms(const struct play *play);
/* Sets the wall clock, which turns see from the next one on. */
void play_wall_shift(struct play *play, int64_t ms);
void play_say(struct play *play, const char *stream, const char *data);
void play_end(struct play *play, const char *stream);
void play_live(struct play *play, const char *stream);
/* A listener's descriptor for a ticket. */
int play_connect(struct play *play);
/* All that has come; false: the server has closed. */
bool play_hear(struct play *play, int fd, struct buf *buf);
bool has(const struct buf *buf, const char *text);

#endif

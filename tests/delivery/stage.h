/*
 * stage: an engine with one loop on the real world, streams fed by hand, listeners on socket pairs.
 */
#ifndef TAPECAST_TESTS_DELIVERY_STAGE_H
#define TAPECAST_TESTS_DELIVERY_STAGE_H

#include "delivery/engine.h"

struct stage {
	struct hub *hub;
	struct engine *engine;
	struct loop *loop;
	struct tape_bounds bounds;
	bool dead; /* attach leaves streams as they are: the backplane is away */
	uint64_t seq; /* of the last event told, over all streams */
};

#define STAGE_HEAD "HTTP/1.1 200 OK\r\n\r\n"
#define STAGE_FINISHED "HTTP/1.1 204 No Content\r\n\r\n"

/* config: what the test changes; world, hub, loops and attach are filled in. */
struct engine_config stage_config(void);
void stage_init(struct stage *stage, struct engine_config config, struct tape_bounds bounds);
void stage_fini(struct stage *stage);

/* A turn that waits at most wait_ms, then turns while there is work. */
void stage_turn(struct stage *stage, int wait_ms);
/* Tells the stream one event, as a feed would; returns its position. */
struct position stage_tell(struct stage *stage, const char *stream, struct draft draft);
struct position stage_say(struct stage *stage, const char *stream, const char *data);
void stage_end(struct stage *stage, const char *stream, enum end_state end);

/* A ticket for one stream from now on, over a fresh socket pair: *ret_client is the peer's end. */
struct ticket stage_ticket(struct wanted *wanted, const char *stream, enum session_form form,
			   int *ret_client);
/* Adopts; MUST be OK. */
void stage_adopt(struct stage *stage, const struct ticket *ticket);

/* Reads what is there (turning the loop between) into buf until nothing has come for two turns.
 * Returns false once the peer has closed. */
bool stage_hear(struct stage *stage, int client, struct buf *buf);
/* Everything heard so far contains text. */
bool heard(const struct buf *buf, const char *text);

#endif

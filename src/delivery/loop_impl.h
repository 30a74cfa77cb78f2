/*
 * loop_impl: a loop's birth and end, for engine.c.
 */
#ifndef TAPECAST_DELIVERY_LOOP_IMPL_H
#define TAPECAST_DELIVERY_LOOP_IMPL_H

#include "delivery/engine.h"

enum err loop_new(struct engine *engine, uint32_t index, struct loop **ret_loop) ERR_CHECKED;
/* Its sessions are closed. Tasks still waiting are dropped, jobs told so. */
void loop_free(struct loop **loop);
/* Any thread. The job runs in the loop's next turn. */
struct job;
void loop_give(struct loop *loop, struct job *job);
/* Any thread. */
void loop_wake(struct loop *loop);

#endif

/*
 * backplane_threads: what must hold when many publish at once.
 *
 * Thread  each starts and joins its own.
 */
#ifndef TAPECAST_CONFORMANCE_BACKPLANE_THREADS_H
#define TAPECAST_CONFORMANCE_BACKPLANE_THREADS_H

#include "conformance/backplane_rig.h"

/* Tests of the suite; *state is its rig.
 * The order of the pushes is that of the history, and each answer names its events' places. */
void many_publishers_of_one_stream_all_hear_the_truth(void **state);
void many_publishers_of_many_streams_do_not_meet(void **state);
void of_many_racing_for_one_key_one_publishes(void **state);

#endif

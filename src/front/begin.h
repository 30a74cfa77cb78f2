/*
 * begin: where a reader begins: the Last-Event-ID header, `after` and `from`, first match wins.
 *
 * Promise an id that cannot be read is never an error (a browser would give up for good): it
 *         becomes a start that tells a gap. A `from` that cannot be read is: nobody sends it
 *         unasked.
 */
#ifndef TAPECAST_FRONT_BEGIN_H
#define TAPECAST_FRONT_BEGIN_H

#include "delivery/ticket.h"
#include "front/args.h"

/* Fills wanted[0..count-1].start; the names stand there already. ERR_SYNTAX, ERR_RANGE. */
enum err begin_choose(struct slice last_event_id, const struct args *args, struct wanted *wanted,
		      size_t count) ERR_CHECKED;

#endif

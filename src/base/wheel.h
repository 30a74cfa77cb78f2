/*
 * wheel: calls a function when a deadline passes. Arm, move and disarm are O(1).
 *
 * Owns    only its slots: a deadline lives inside the object that waits.
 * Thread  one wheel per loop, used by that loop's thread alone.
 * Time    monotonic milliseconds, always passed in; the wheel reads no clock.
 * Promise never early, and less than WHEEL_TICK_MS late if advanced on time.
 * Bound   a deadline lies at most WHEEL_SPAN_MS ahead of the wheel's time.
 */
#ifndef TAPECAST_BASE_WHEEL_H
#define TAPECAST_BASE_WHEEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"

enum {
	WHEEL_TICK_MS = 50,
	WHEEL_SLOTS = 2048,
	WHEEL_SPAN_MS = WHEEL_TICK_MS * (WHEEL_SLOTS - 1), /* 102 s */
};

struct wheel;
struct deadline;
typedef void deadline_fn(struct deadline *due, uint64_t now_ms);

/* Embed it in the object that waits, and disarm it before that object goes. */
struct deadline {
	struct list link;
	deadline_fn *fn;
};

void deadline_init(struct deadline *due, deadline_fn *fn);

/* Makes an empty wheel; the caller frees it. ERR_NOMEM. */
enum err wheel_new(uint64_t now_ms, struct wheel **ret_wheel) ERR_CHECKED;

/* Frees *wheel, on which nothing may be armed, and sets it to NULL. */
void wheel_free(struct wheel **wheel);

/* Arms due for at_ms, or moves it there; a time already past means the next tick.
 * ERR_RANGE if at_ms is beyond the span: due is then left as it was. */
enum err wheel_arm(struct wheel *wheel, struct deadline *due, uint64_t at_ms) ERR_CHECKED;

/* Takes due off the wheel; nothing happens if it is not armed. */
void wheel_disarm(struct wheel *wheel, struct deadline *due);

/* How long until wheel_advance has something to call: milliseconds, 0 if it is due, -1 if
 * nothing is armed. Looks at up to WHEEL_SLOTS slots: ask only before sleeping. */
int wheel_wait_ms(const struct wheel *wheel, uint64_t now_ms);

/* Moves time on to now_ms and calls what is due, in order of time. A callback may
 * arm or disarm any deadline, and free its own object. Returns the calls made. */
size_t wheel_advance(struct wheel *wheel, uint64_t now_ms);

#endif

#include "base/wheel.h"

#include "base/mem.h"
#include "base/must.h"

#define WHEEL_TAG 0x77a1e3c5u

struct wheel {
	uint32_t tag;
	size_t armed_count;
	uint64_t now_tick; /* slots up to and with this tick have been fired */
	struct list slots[WHEEL_SLOTS];
};

void deadline_init(struct deadline *due, deadline_fn *fn)
{
	list_init(&due->link);
	due->fn = fn;
}

enum err wheel_new(uint64_t now_ms, struct wheel **ret_wheel)
{
	struct wheel *wheel = mem_zalloc(sizeof *wheel);
	if (!wheel)
		return ERR_NOMEM;

	wheel->tag = WHEEL_TAG;
	wheel->now_tick = now_ms / WHEEL_TICK_MS;
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		list_init(&wheel->slots[i]);

	*ret_wheel = wheel;
	return OK;
}

void wheel_free(struct wheel **wheel)
{
	if (!*wheel)
		return;
	MUST_BE(*wheel, WHEEL_TAG);
	MUST((*wheel)->armed_count == 0);

	(*wheel)->tag = 0; /* a later use fails at once */
	mem_free(*wheel);
	*wheel = NULL;
}

enum err wheel_arm(struct wheel *wheel, struct deadline *due, uint64_t at_ms)
{
	MUST_BE(wheel, WHEEL_TAG);

	/* Rounded up, so never early. A tick ahead at least: the slots behind are done with. */
	uint64_t tick = at_ms / WHEEL_TICK_MS + (at_ms % WHEEL_TICK_MS != 0);
	if (tick <= wheel->now_tick)
		tick = wheel->now_tick + 1;
	if (tick - wheel->now_tick >= WHEEL_SLOTS)
		return ERR_RANGE;

	wheel_disarm(wheel, due);
	list_push(&wheel->slots[tick % WHEEL_SLOTS], &due->link);
	wheel->armed_count++;
	return OK;
}

void wheel_disarm(struct wheel *wheel, struct deadline *due)
{
	MUST_BE(wheel, WHEEL_TAG);
	if (list_empty(&due->link))
		return;
	MUST(wheel->armed_count > 0);
	list_drop(&due->link);
	wheel->armed_count--;
}

size_t wheel_advance(struct wheel *wheel, uint64_t now_ms)
{
	MUST_BE(wheel, WHEEL_TAG);
	uint64_t target_tick = now_ms / WHEEL_TICK_MS;

	/* After a long stall, one turn of the wheel meets every deadline there is. */
	if (target_tick > wheel->now_tick + WHEEL_SLOTS)
		wheel->now_tick = target_tick - WHEEL_SLOTS;

	/* Gathered first, fired second: a callback then arms against the new time, and its span
	 * is whole however long the stall was. */
	struct list due_now;
	list_init(&due_now);
	while (wheel->now_tick < target_tick)
		list_splice(&due_now, &wheel->slots[++wheel->now_tick % WHEEL_SLOTS]);

	size_t fired_count = 0;
	while (!list_empty(&due_now)) {
		struct deadline *due = CONTAINER_OF(due_now.next, struct deadline, link);
		wheel_disarm(wheel, due);
		due->fn(due, now_ms);
		fired_count++;
	}
	return fired_count;
}

int wheel_wait_ms(const struct wheel *wheel, uint64_t now_ms)
{
	MUST_BE(wheel, WHEEL_TAG);
	if (wheel->armed_count == 0)
		return -1;
	/* Bounded for a callback that asks while what is due with it is on no slot any more. */
	uint64_t tick = wheel->now_tick + 1;
	uint64_t end_tick = wheel->now_tick + WHEEL_SLOTS;
	while (tick < end_tick && list_empty(&wheel->slots[tick % WHEEL_SLOTS]))
		tick++;
	if (tick == end_tick)
		return 0;
	uint64_t at_ms = tick * WHEEL_TICK_MS;
	return at_ms > now_ms ? (int)(at_ms - now_ms) : 0;
}

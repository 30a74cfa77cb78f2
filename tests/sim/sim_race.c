/*
 * sim_race: other threads. Wherever the feed calls the store, it holds no lock, so a publisher on
 *           another thread may come in just before or just after: here one does, now and then.
 */
#include "sim_impl.h"

static const struct backplane_ops *real;
static struct backplane_ops racing;
static struct sim *race_sim;
static bool under_way;

static void race(void)
{
	struct sim *sim = race_sim;

	if (under_way || sim->calm || load_busy())
		return;
	if (!draw_one_in(&sim->draw, sim->plan.race_one_in))
		return;
	under_way = true;
	sim_trace(sim, "a publisher comes between", 0, 0, 0);
	load_publish(sim);
	under_way = false;
}

static void racing_read(struct backplane *backplane, struct read *read)
{
	race();
	real->read(backplane, read);
	race();
}

static void racing_watch(struct backplane *backplane, struct slice name,
			 void (*watched)(void *arg, struct slice name), void *arg)
{
	race();
	real->watch(backplane, name, watched, arg);
	race();
}

static void racing_unwatch(struct backplane *backplane, struct slice name)
{
	race();
	real->unwatch(backplane, name);
	race();
}

void race_start(struct sim *sim)
{
	race_sim = sim;
	under_way = false;
	real = sim->backplane->ops;
	racing = *real;
	racing.read = racing_read;
	racing.watch = racing_watch;
	racing.unwatch = racing_unwatch;
	sim->backplane->ops = &racing;
}

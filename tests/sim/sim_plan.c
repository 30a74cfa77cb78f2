/*
 * sim_plan: what a seed makes of the world. Each kind of trouble is on in some seeds and off in
 *           others: troubles that are always there hide each other.
 */
#include "sim_impl.h"

#include "base/mem.h"

/* On in one seed of `seeds`, then once in min..max steps. */
static uint32_t trouble(struct draw *draw, uint32_t seeds, uint32_t min, uint32_t max)
{
	uint32_t one_in = draw_between(draw, min, max);
	return draw_one_in(draw, seeds) ? one_in : 0;
}

static struct tape_bounds bounds_draw(struct draw *draw)
{
	struct tape_bounds bounds = { .bytes_max = 1 << 20, .age_ms_max = 3600000 };

	switch (draw_below(draw, 4)) {
	case 0:
		bounds.events_max = draw_between(draw, 1, 4);
		break;
	case 1:
		bounds.events_max = draw_between(draw, 5, 40);
		break;
	default:
		bounds.events_max = draw_between(draw, 100, 2000);
	}
	bounds.slow = (enum slow_policy)draw_below(draw, SLOW_CLOSE + 1);
	if (draw_one_in(draw, 4))
		bounds.bytes_max = draw_between(draw, 100, 4000);
	if (draw_one_in(draw, 8))
		bounds.age_ms_max = draw_between(draw, 5000, 20000);
	return bounds;
}

static void plan_shape(struct sim *sim, struct plan *plan)
{
	struct draw *draw = &sim->draw;

	plan->loop_count = draw_between(draw, 1, SIM_LOOPS_MAX);
	plan->stream_count = draw_between(draw, 1, SIM_STREAMS_MAX);
	plan->client_count = draw_one_in(draw, 12) ? draw_between(draw, 60, SIM_CLIENTS_MAX)
						   : draw_between(draw, 5, 50);
	plan->step_count = draw_between(draw, 400, 2500);
	plan->publish_weight = draw_between(draw, 1, 12);
	plan->group_max = draw_one_in(draw, 3) ? BACKPLANE_GROUP_MAX : draw_between(draw, 1, 4);
	plan->saying_bytes_max = draw_one_in(draw, 6) ? 6000 : 300;
	plan->big_one_in = trouble(draw, 20, 40, 200);
	plan->linger_ms = draw_one_in(draw, 2) ? draw_between(draw, 0, 3000) : 60000;
	plan->idem_max = draw_one_in(draw, 3) ? draw_between(draw, 1, 10) : 10000;
	plan->sessions_max = draw_one_in(draw, 10) ? draw_between(draw, 2, 20) : 100000;
	plan->ephemeral_one_in = trouble(draw, 2, 2, 12);
	plan->ttl_one_in = trouble(draw, 3, 2, 12);
	plan->key_one_in = trouble(draw, 2, 2, 6);
	plan->json_one_in = trouble(draw, 2, 2, 6);
	plan->end_one_in = trouble(draw, 3, 60, 400);
	plan->delete_one_in = trouble(draw, 4, 200, 900);
	for (uint32_t i = 0; i < plan->stream_count; i++)
		sim->bounds[i] = bounds_draw(draw);
}

static void plan_troubles(struct sim *sim, struct plan *plan)
{
	struct draw *draw = &sim->draw;

	plan->faults = draw_one_in(draw, 2);
	if (plan->faults) {
		plan->drop_one_in = trouble(draw, 2, 20, 200);
		plan->delay_one_in = trouble(draw, 2, 20, 200);
		plan->fork_one_in = trouble(draw, 2, 40, 300);
		plan->lose_one_in = trouble(draw, 3, 60, 500);
		plan->away_one_in = trouble(draw, 3, 60, 300);
	}
	plan->race_one_in = trouble(draw, 2, 1, 8);
	plan->squeezed = draw_one_in(draw, 8);
	plan->nomem_one_in = trouble(draw, 4, 20, 2000);
	plan->wall_one_in = trouble(draw, 3, 50, 300);
	plan->stick_one_in = trouble(draw, 3, 10, 200);
	plan->reset_one_in = trouble(draw, 2, 10, 200);
	plan->half_one_in = trouble(draw, 4, 20, 200);
	plan->stall_one_in = trouble(draw, 2, 5, 60);
	plan->drain = draw_one_in(draw, 4);
	plan->bearer_one_in = trouble(draw, 3, 1, 6);
	plan->change_one_in = trouble(draw, 3, 1, 10);
	plan->disconnect_one_in = trouble(draw, 6, 20, 200);
	sim->world.faults = (struct sim_faults){
		.short_one_in = trouble(draw, 2, 1, 30),
		.again_one_in = trouble(draw, 2, 2, 30),
		.reset_one_in = trouble(draw, 4, 100, 3000),
		.late_one_in = trouble(draw, 2, 2, 8),
		.poller_one_in = trouble(draw, 8, 10, 100),
	};
	plan->spurious_again = sim->world.faults.again_one_in != 0;
}

void plan_draw(struct sim *sim)
{
	sim->plan = (struct plan){ 0 };
	plan_shape(sim, &sim->plan);
	plan_troubles(sim, &sim->plan);
	/* Many clients and many events together only make a run long. */
	if (sim->plan.client_count > 50) {
		sim->plan.step_count = 400 + sim->plan.step_count % 400;
		sim->plan.group_max = 4;
		sim->plan.big_one_in = 0;
	}
}

void plan_faults(struct sim *sim, bool on)
{
	if (!on)
		sim->world.faults = (struct sim_faults){ 0 };
	mem_fail_randomly(draw_next(&sim->draw), on ? sim->plan.nomem_one_in : 0);
}

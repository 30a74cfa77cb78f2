#include "sim.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/say.h"
#include "sim_impl.h"

static struct sim the_sim;

struct slice sim_stream_name(uint32_t stream)
{
	static const char *const names[SIM_STREAMS_MAX] = { "a", "b/c", "room:1", "d.d", "e@f",
							    "g+h", "i~j", "k-l_m" };
	return slice_of(names[stream]);
}

static void hash_number(struct sim *sim, uint64_t number)
{
	sim->hash = (sim->hash ^ number) * UINT64_C(0x100000001b3);
}

void sim_hash(struct sim *sim, struct slice bytes)
{
	hash_number(sim, bytes.bytes);
	for (size_t i = 0; i < bytes.bytes; i++)
		hash_number(sim, (unsigned char)bytes.at[i]);
}

static void line_print(const struct trace_line *line)
{
	printf("%6" PRIu32 " %7" PRIu64 "  %s: %" PRIu64 ", %" PRIu64 ", %" PRIu64 "\n", line->step,
	       line->at_ms, line->what, line->a, line->b, line->c);
}

void sim_trace(struct sim *sim, const char *what, uint64_t a, uint64_t b, uint64_t c)
{
	struct trace_line *line = &sim->trace[sim->trace_count++ % SIM_TRACE_MAX];

	*line = (struct trace_line){ sim->step, sim_ms(sim), what, a, b, c };
	hash_number(sim, a);
	hash_number(sim, b);
	hash_number(sim, c);
	if (sim->verbose)
		line_print(line);
}

void sim_trace_print(uint32_t count)
{
	const struct sim *sim = &the_sim;
	uint32_t kept = sim->trace_count < SIM_TRACE_MAX ? sim->trace_count : SIM_TRACE_MAX;

	if (count > kept)
		count = kept;
	for (uint32_t i = sim->trace_count - count; i < sim->trace_count; i++)
		line_print(&sim->trace[i % SIM_TRACE_MAX]);
}

void sim_violated(struct sim *sim, const char *what, uint64_t a, uint64_t b)
{
	if (sim->violation)
		return;
	sim->violation = what;
	sim_trace(sim, what, a, b, 0);
	snprintf(sim->violation_text, sizeof sim->violation_text,
		 "%s: %" PRIu64 ", %" PRIu64 " (step %" PRIu32 ")", what, a, b, sim->step);
}

uint64_t sim_seed_now(void)
{
	return the_sim.seed;
}

static void sim_begin(struct sim *sim, uint64_t seed, bool verbose)
{
	sim->seed = seed;
	sim->draw.state = draw_mix(seed + 1);
	sim_world_init(&sim->world, draw_next(&sim->draw));
	plan_draw(sim);
	sim->step = 0;
	sim->serial = 0;
	sim->calm = false;
	sim->away = false;
	sim->draining = false;
	sim->violation = NULL;
	sim->hash = UINT64_C(0xcbf29ce484222325);
	sim->events_checked = 0;
	sim->publishes = 0;
	sim->unexplained_count = 0;
	sim->verbose = verbose;
	sim->trace_count = 0;
	sim->idem_number = 0;
	memset(sim->idems, 0, sizeof sim->idems);
	for (uint32_t i = 0; i < sim->plan.stream_count; i++) {
		oracle_init(&sim->oracles[i], i, sim->bounds[i]);
		sim->oracles[i].squeezed = sim->plan.squeezed;
	}
	for (uint32_t i = 0; i < sim->plan.client_count; i++) {
		struct client *client = &sim->clients[i];
		memset(client, 0, offsetof(struct client, parse));
		client->number = i;
		client->back_ms = draw_skewed(&sim->draw, 0, 3000);
	}
}

struct sim_result sim_run(uint64_t seed, bool verbose)
{
	struct sim *sim = &the_sim;

	say_level_set(SAY_ERROR);
	sim_begin(sim, seed, verbose);
	/* Without refusals: to start is wiring's business, and it gives up. */
	struct sim_faults faults = sim->world.faults;
	sim->world.faults = (struct sim_faults){ 0 };
	if (!node_start(sim)) {
		sim_violated(sim, "the node starts", 0, 0);
	} else {
		sim->world.faults = faults;
		story_chaos(sim);
		story_calm(sim);
		story_farewell(sim);
	}
	plan_faults(sim, false);
	node_stop(sim);
	/* After a violation things may lie about that nobody will clear away. */
	if (mem_live() != sim->base_blocks)
		sim_violated(sim, "everything is given back (blocks left)",
			     mem_live() - sim->base_blocks, 0);
	if (sim->world.misuse)
		sim_violated(sim, sim->world.misuse, 0, 0);
	return (struct sim_result){
		.violation = sim->violation ? sim->violation_text : NULL,
		.hash = sim->hash,
		.events = sim->events_checked,
		.publishes = sim->publishes,
		.steps = sim->step,
		.peak_bytes = sim->peak_bytes,
		.peak_bytes_allowed = sim->peak_allowed,
	};
}

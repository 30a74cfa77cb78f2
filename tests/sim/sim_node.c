/*
 * sim_node: the product as wiring would put it together, with fibers for its threads.
 */
#include "sim_impl.h"

#include "base/hash.h"
#include "base/mem.h"

/* --- loops as fibers --- */

static void loop_idle(void *arg, struct poller *poller, uint64_t until_ns)
{
	struct sim *sim = arg;
	struct fiber *fiber = sim->running;

	fiber->poller = poller;
	fiber->until_ns = until_ns;
	swapcontext(&fiber->context, &sim->scheduler);
	fiber->poller = NULL;
}

/* Pointers do not fit makecontext's arguments: the scheduler leaves them here. */
static struct sim *fiber_sim;

static void fiber_main(void)
{
	struct sim *sim = fiber_sim;
	struct fiber *fiber = sim->running;
	bool more = true;

	while (!sim->world.stopping) {
		more = loop_turn(fiber->loop, more ? 0 : -1);
		/* What happens between two turns finds the loop awake, but not looking. */
		if (draw_one_in(&sim->draw, 3) || more)
			swapcontext(&fiber->context, &sim->scheduler);
	}
	fiber->done = true;
}

void node_run_loop(struct sim *sim, uint32_t loop)
{
	sim->running = &sim->fibers[loop];
	fiber_sim = sim;
	if (!sim->running->done)
		swapcontext(&sim->scheduler, &sim->running->context);
	sim->running = NULL;
}

bool node_loop_runnable(const struct sim *sim, uint32_t loop)
{
	const struct fiber *fiber = &sim->fibers[loop];

	if (fiber->done)
		return false;
	return !fiber->poller || sim->world.now_ns >= fiber->until_ns ||
	       sim_poller_pending(fiber->poller);
}

/* --- requests that reach a loop's guest --- */

static int guest_turn(void *arg, uint64_t now_ms)
{
	struct fiber *fiber = arg;
	struct sim *sim = fiber_sim;

	(void)now_ms;
	for (uint32_t i = 0; i < fiber->op_count; i++) {
		uint32_t op = fiber->ops[i];
		if (op == OP_PUBLISH)
			load_publish(sim);
		else
			client_adopt(sim, &sim->clients[op], fiber->loop);
	}
	fiber->op_count = 0;
	sim_doorbell_set(&sim->world, fiber->doorbell, false);
	return -1;
}

void node_knock(struct sim *sim, uint32_t loop, uint32_t op)
{
	struct fiber *fiber = &sim->fibers[loop];

	if (fiber->op_count == SIM_OPS_MAX)
		return;
	fiber->ops[fiber->op_count++] = op;
	sim_doorbell_set(&sim->world, fiber->doorbell, true);
}

/* --- start and stop --- */

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	const struct sim *sim = arg;

	for (uint32_t i = 0; i < sim->plan.stream_count; i++) {
		if (slice_equal(name, sim_stream_name(i)))
			return sim->bounds[i];
	}
	return sim->bounds[0];
}

static enum err attach(void *arg, struct stream *stream)
{
	struct sim *sim = arg;
	return feed_attach(sim->feed, stream);
}

static bool store_start(struct sim *sim)
{
	struct memory_config memory = {
		.world = &sim->world.world,
		.streams_max = 1000,
		.bytes_max = sim->plan.squeezed ? 20000 : (size_t)1 << 30,
		.idem_max = sim->plan.idem_max,
		.idem_window_ms = 120000,
		.bounds_of = bounds_of,
		.bounds_arg = sim,
	};
	if (memory_new(&memory, &sim->backplane))
		return false;
	if (sim->plan.faults)
		memory_faults_allow(sim->backplane);
	race_start(sim);

	struct hub_config hub = {
		.streams_max = 1000,
		.bytes_max = sim->plan.squeezed ? 20000 : (size_t)1 << 30,
		.linger_ms = sim->plan.linger_ms,
		.bounds_of = bounds_of,
		.arg = sim,
	};
	return hub_new(&hub, &sim->hub) == OK &&
	       feed_new(&sim->world.world, sim->hub, sim->backplane, &sim->feed) == OK;
}

static bool fiber_start(struct sim *sim, uint32_t i)
{
	struct fiber *fiber = &sim->fibers[i];

	fiber->loop = engine_loop(sim->engine, i);
	fiber->poller = NULL;
	fiber->done = false;
	fiber->op_count = 0;
	fiber->doorbell = sim_doorbell_new(&sim->world);
	struct guest guest = { .fd = fiber->doorbell, .turn = guest_turn, .arg = fiber };
	if (loop_guest_set(fiber->loop, guest))
		return false;
	getcontext(&fiber->context);
	fiber->context.uc_stack.ss_sp = fiber->stack;
	fiber->context.uc_stack.ss_size = sizeof fiber->stack;
	fiber->context.uc_link = &sim->scheduler;
	makecontext(&fiber->context, fiber_main, 0);
	return true;
}

bool node_start(struct sim *sim)
{
	static const struct hash_key key = { { 1, 2, 3 } };

	hash_seed(&key);
	sim->base_blocks = mem_live();
	sim->base_bytes = mem_live_bytes();
	sim->peak_bytes = 0;
	sim->peak_allowed = 0;
	sim->largest_bytes = 0;
	sim->hub = NULL;
	sim->backplane = NULL;
	sim->feed = NULL;
	sim->engine = NULL;
	for (uint32_t i = 0; i < SIM_LOOPS_MAX; i++)
		sim->fibers[i].done = true;
	sim->world.idle = loop_idle;
	sim->world.idle_arg = sim;
	if (!store_start(sim))
		return false;
	struct engine_config engine = {
		.world = &sim->world.world,
		.hub = sim->hub,
		.loop_count = sim->plan.loop_count,
		.sessions_max = sim->plan.sessions_max,
		.sessions_per_address_max = 100000,
		.heartbeat_ms = 15000,
		.dead_ms = 30000,
		.retry_min_ms = SIM_RETRY_MIN_MS,
		.retry_max_ms = SIM_RETRY_MAX_MS,
		.open_ms = 500,
		.attach = attach,
		.attach_arg = sim,
	};
	if (engine_new(&engine, &sim->engine))
		return false;
	for (uint32_t i = 0; i < sim->plan.loop_count; i++) {
		if (!fiber_start(sim, i))
			return false;
	}
	return true;
}

void node_turns(struct sim *sim)
{
	(void)sim->backplane->ops->turn(sim->backplane, sim_ms(sim));
	feed_turn(sim->feed, sim_ms(sim));
}

void node_check_memory(struct sim *sim)
{
	size_t bytes = mem_live_bytes() - sim->base_bytes;
	size_t allowed = node_bytes_allowed(sim);

	if (bytes > sim->peak_bytes) {
		sim->peak_bytes = bytes;
		sim->peak_allowed = allowed;
	}
	if (bytes > allowed)
		sim_violated(sim, "memory stays within its bounds (bytes, allowed)", bytes,
			     allowed);
}

/* What the design allows: for each stream its events and their bytes in each form, within its
 * bounds; for each session a constant and the rest of one frame; nothing for what readers do. */
size_t node_bytes_allowed(const struct sim *sim)
{
	enum {
		NODE_BYTES = 65536,
		LOOP_BYTES = 65536 + 4 * 65536, /* its wheel; and scratch, of a stitched send */
		STREAM_BYTES = FORM_COUNT * 65536 + 4096, /* a segment of each form */
		ENTRY_BYTES = 128, /* in the store's and the tape's ring, and frames' heads */
		IDEM_BYTES = 256,
		SESSION_BYTES = 6144,
		SESSION_STREAM_BYTES = 256,
	};
	size_t allowed = NODE_BYTES + sim->plan.loop_count * (size_t)LOOP_BYTES;
	size_t keys = sim->plan.idem_max * (size_t)2;
	size_t used_keys = sim->idem_number < keys ? sim->idem_number : keys;

	for (uint32_t i = 0; i < sim->plan.stream_count; i++) {
		const struct oracle *oracle = &sim->oracles[i];
		uint64_t bytes = oracle->bounds.bytes_max, entries = oracle->bounds.events_max;
		if (bytes > oracle->weight)
			bytes = oracle->weight;
		if (entries > oracle->entries)
			entries = oracle->entries;
		/* Escapes make a form longer; the newest event stays whatever its size. */
		allowed += STREAM_BYTES + (bytes + sim->largest_bytes) * 6 + entries * ENTRY_BYTES +
			   used_keys * IDEM_BYTES;
	}
	return allowed + sim->plan.client_count *
			 (SESSION_BYTES + sim->plan.stream_count * (size_t)SESSION_STREAM_BYTES);
}

void node_stop(struct sim *sim)
{
	sim->world.stopping = true;
	for (uint32_t i = 0; sim->engine && i < sim->plan.loop_count; i++) {
		while (!sim->fibers[i].done)
			node_run_loop(sim, i);
	}
	engine_free(&sim->engine);
	for (uint32_t i = 0; i < sim->plan.loop_count; i++)
		sim_doorbell_free(&sim->world, sim->fibers[i].doorbell);
	if (sim->backplane && sim->feed)
		memory_fault_away(sim->backplane, true); /* answers what is still under way */
	hub_free(&sim->hub);
	feed_free(&sim->feed);
	if (sim->backplane)
		sim->backplane->ops->free(&sim->backplane);
}

/*
 * sim_story: the order of things: trouble, then calm, then farewell.
 */
#include "sim_impl.h"

#include "base/mem.h"

enum {
	HEARTBEAT_MS = 15000,
	CALM_MS_MIN = 9500, /* the last late answer, and a probe after it */
	CALM_MS_MAX = 30000, /* in which everybody must have caught up after trouble is over */
	TICK_MS = 50,
	SETTLE_ROUNDS_MAX = 20000,
};

static struct client *client_drawn(struct sim *sim)
{
	return &sim->clients[draw_below(&sim->draw, sim->plan.client_count)];
}

/* --- trouble --- */

static void store_trouble(struct sim *sim)
{
	const struct plan *plan = &sim->plan;
	struct draw *draw = &sim->draw;
	uint32_t stream = draw_below(draw, plan->stream_count);
	struct oracle *oracle = &sim->oracles[stream];

	if (draw_one_in(draw, plan->drop_one_in)) {
		uint32_t count = draw_between(draw, 1, 5);
		sim_trace(sim, "fault: pushes dropped (count)", count, 0, 0);
		memory_fault_drop(sim->backplane, count);
	}
	if (draw_one_in(draw, plan->delay_one_in)) {
		uint32_t delay_ms = draw_one_in(draw, 2) ? 0 : draw_between(draw, 1, 3000);
		sim_trace(sim, "fault: pushes delayed (ms)", delay_ms, 0, 0);
		memory_fault_delay(sim->backplane, delay_ms);
	}
	if (draw_one_in(draw, plan->fork_one_in)) {
		uint32_t kept = oracle_kept_count(oracle, sim_ms(sim));
		uint32_t count = kept ? draw_skewed(draw, 1, kept) : 0;
		sim_trace(sim, "fault: fork (stream, count)", stream, count, 0);
		if (count)
			memory_fault_fork(sim->backplane, sim_stream_name(stream), count);
		oracle_fork(oracle, count);
	}
	if (draw_one_in(draw, plan->lose_one_in)) {
		sim_trace(sim, "fault: history lost (stream)", stream, 0, 0);
		memory_fault_lose(sim->backplane, sim_stream_name(stream));
		oracle_lose(oracle);
	}
	if (draw_one_in(draw, sim->away ? 20 : plan->away_one_in)) {
		sim->away = !sim->away;
		sim_trace(sim, "fault: store away (away)", sim->away, 0, 0);
		memory_fault_away(sim->backplane, sim->away);
	}
}

static void client_trouble(struct sim *sim)
{
	const struct plan *plan = &sim->plan;
	struct draw *draw = &sim->draw;
	struct client *client = client_drawn(sim);

	if (client->state != CLIENT_OPEN)
		return;
	if (draw_one_in(draw, plan->stick_one_in)) {
		uint32_t ms = draw_skewed(draw, 1, 20000);
		sim_trace(sim, "fault: the network stalls (client, ms)", client->number, ms, 0);
		sim_client_stick(&sim->world, client->fd, ms);
	}
	if (draw_one_in(draw, plan->stall_one_in)) {
		static const uint32_t speeds[] = { 0, 0, 3, 300, 65536 };
		client->bytes_a_read = speeds[draw_below(draw, 5)];
		sim_trace(sim, "reads at another pace (client, bytes)", client->number,
			  client->bytes_a_read, 0);
	}
	if (draw_one_in(draw, plan->change_one_in))
		control_change(sim, client);
	if (draw_one_in(draw, plan->disconnect_one_in))
		control_disconnect(sim);
	if (draw_one_in(draw, plan->half_one_in)) {
		sim_trace(sim, "half close (client)", client->number, 0, 0);
		client->half_closed = true;
		sim_client_half_close(&sim->world, client->fd);
	}
	if (draw_one_in(draw, 200))
		sim_client_write(&sim->world, client->fd, SLICE("GET / HTTP/1.1\r\n"));
	if (draw_one_in(draw, plan->reset_one_in))
		client_leave(sim, client);
}

/* --- one step --- */

static void step_time(struct sim *sim)
{
	struct draw *draw = &sim->draw;
	uint64_t ms = draw_between(draw, 1, 60);
	if (draw_one_in(draw, 10))
		ms = draw_skewed(draw, 1, 20000);

	sim_trace(sim, "time (ms)", ms, 0, 0);
	sim_world_advance(&sim->world, ms);
	if (draw_one_in(draw, sim->plan.wall_one_in)) {
		sim->world.wall_ms += (int64_t)draw_below(draw, 7200000) - 3600000;
		sim_trace(sim, "fault: the wall clock jumps", 0, 0, 0);
	}
	if (draw_one_in(draw, 4))
		hub_turn(sim->hub, sim_ms(sim));
}

static void step_loop(struct sim *sim)
{
	uint32_t start = draw_below(&sim->draw, sim->plan.loop_count);

	for (uint32_t i = 0; i < sim->plan.loop_count; i++) {
		uint32_t loop = (start + i) % sim->plan.loop_count;
		if (!node_loop_runnable(sim, loop))
			continue;
		node_run_loop(sim, loop);
		return;
	}
}

static void step_client(struct sim *sim)
{
	struct client *client = client_drawn(sim);

	if (client->state == CLIENT_OPEN) {
		if (client->bytes_a_read)
			client_read(sim, client, client->bytes_a_read);
	} else if (client->state == CLIENT_AWAY && sim_ms(sim) >= client->back_ms) {
		client_connect(sim, client);
	} else if (client->state == CLIENT_DONE && draw_one_in(&sim->draw, 10)) {
		client->seen_count = 0; /* somebody else in its place */
		client->state = CLIENT_AWAY;
	}
}

static void step_publish(struct sim *sim)
{
	struct draw *draw = &sim->draw;

	if (draw_one_in(draw, sim->plan.delete_one_in))
		load_delete(sim);
	else if (draw_one_in(draw, 3))
		node_knock(sim, draw_below(draw, sim->plan.loop_count), OP_PUBLISH);
	else
		load_publish(sim);
}

static void step(struct sim *sim)
{
	uint32_t weight = draw_below(&sim->draw, 60 + sim->plan.publish_weight);

	sim->step++;
	if (weight < 22)
		step_loop(sim);
	else if (weight < 48)
		step_client(sim);
	else if (weight < 52)
		step_time(sim);
	else if (weight < 55)
		node_turns(sim);
	else if (weight < 58)
		client_trouble(sim);
	else if (weight < 60)
		store_trouble(sim);
	else
		step_publish(sim);
	if (sim->world.misuse)
		sim_violated(sim, sim->world.misuse, 0, 0);
	if (sim->step % 16 == 0)
		node_check_memory(sim);
}

void story_chaos(struct sim *sim)
{
	plan_faults(sim, true);
	while (sim->step < sim->plan.step_count && !sim->violation)
		step(sim);
	plan_faults(sim, false);
	if (!sim->plan.faults)
		return;
	sim->away = false;
	memory_fault_drop(sim->backplane, 0);
	memory_fault_delay(sim->backplane, 0);
	memory_fault_away(sim->backplane, false);
}

/* --- calm --- */

static bool clients_read(struct sim *sim)
{
	bool any = false;

	for (uint32_t i = 0; i < sim->plan.client_count && !sim->violation; i++) {
		struct client *client = &sim->clients[i];
		while (client->state == CLIENT_OPEN && !sim->violation &&
		       client_read(sim, client, SIM_QUEUE_BYTES))
			any = true;
	}
	return any;
}

/* Until nobody has anything to do at this instant: every loop sleeps, every client has read all. */
static void settle(struct sim *sim)
{
	bool any = true;

	for (uint32_t round = 0; any && !sim->violation; round++) {
		any = false;
		sim->step++;
		for (uint32_t i = 0; i < sim->plan.loop_count; i++) {
			if (!node_loop_runnable(sim, i))
				continue;
			node_run_loop(sim, i);
			any = true;
		}
		any = clients_read(sim) || any;
		if (sim->world.misuse)
			sim_violated(sim, sim->world.misuse, 0, 0);
		if (round == SETTLE_ROUNDS_MAX)
			sim_violated(sim, "the node comes to rest when nothing happens", 0, 0);
	}
}

/* Time goes on by ms in small steps, as it does for threads. */
static void calm_pass(struct sim *sim, uint64_t ms)
{
	for (uint64_t at = 0; at < ms && !sim->violation; at += TICK_MS) {
		sim_world_advance(&sim->world, TICK_MS);
		node_turns(sim);
		if (at % 1000 == 0)
			hub_turn(sim->hub, sim_ms(sim));
		settle(sim);
		control_must_have_lapsed(sim);
	}
}

static void everybody_comes_back(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->plan.client_count; i++) {
		struct client *client = &sim->clients[i];
		if (client->state == CLIENT_AWAY && client->seen_count &&
		    sim_ms(sim) >= client->back_ms)
			client_connect(sim, client);
	}
}

/* The first open client that has not read everything, or NULL. */
static const struct client *laggard(const struct sim *sim, bool paced_too)
{
	for (uint32_t i = 0; i < sim->plan.client_count; i++) {
		const struct client *client = &sim->clients[i];
		if (client->state != CLIENT_OPEN || (client->interval_ms && !paced_too))
			continue;
		if (!client_at_head(sim, client))
			return client;
	}
	return NULL;
}

static void must_be_at_head(struct sim *sim, bool paced_too, const char *what)
{
	const struct client *client = laggard(sim, paced_too);
	if (client && !sim->violation)
		sim_violated(sim, what, client->number, client->seen[0].at.seq);
}

static void say_on_each(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->plan.stream_count; i++) {
		if (!sim->oracles[i].ended || oracle_idle(&sim->oracles[i], sim_ms(sim)))
			load_say(sim, i);
	}
}

static void must_have_heard(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->plan.client_count; i++) {
		const struct client *client = &sim->clients[i];
		if (client->state == CLIENT_OPEN && client->form != SESSION_ANSWER &&
		    sim_ms(sim) - client->heard_ms > HEARTBEAT_MS + 2 * TICK_MS)
			sim_violated(sim, "P9: an idle stream sends a byte every 15 s (client, ms)",
				     client->number, sim_ms(sim) - client->heard_ms);
		if (client->state == CLIENT_OPEN && client->form == SESSION_ANSWER &&
		    sim_ms(sim) - client->asked_ms > client->wait_ms + 2 * TICK_MS)
			sim_violated(sim, "an answer comes after its wait (client, ms)",
				     client->number, sim_ms(sim) - client->asked_ms);
	}
}

/* Until those have caught up who asked for few flushes, and as long as they asked for. */
static void wait_for_heads(struct sim *sim)
{
	uint32_t longest_ms = 0;

	for (uint32_t i = 0; i < sim->plan.client_count; i++) {
		const struct client *client = &sim->clients[i];
		if (client->state == CLIENT_OPEN && client->interval_ms > longest_ms)
			longest_ms = client->interval_ms;
	}
	uint64_t until_ms = sim_ms(sim) + longest_ms + 500;
	while (sim_ms(sim) <= until_ms && laggard(sim, true) && !sim->violation) {
		calm_pass(sim, 250);
		must_have_heard(sim);
	}
}

void story_calm(struct sim *sim)
{
	sim->calm = true;
	sim->calm_ms = sim_ms(sim);
	sim_trace(sim, "calm", 0, 0, 0);
	sim_world_clear(&sim->world);
	settle(sim);
	while (!sim->violation && sim_ms(sim) - sim->calm_ms < CALM_MS_MAX) {
		everybody_comes_back(sim);
		calm_pass(sim, 250);
		if (sim_ms(sim) - sim->calm_ms > CALM_MS_MIN && !laggard(sim, false))
			break;
	}
	must_be_at_head(sim, false,
			"I3: 30 s after the last fault everybody is at the head (client, read)");
	node_check_memory(sim);

	/* At one instant: what is published reaches whoever listens, without a timer's help. */
	say_on_each(sim);
	settle(sim);
	must_be_at_head(sim, false, "an event wakes whoever waits for it (client, number read)");
	wait_for_heads(sim);
	must_be_at_head(sim, true, "an interval delays an event, no more (client, number read)");
	for (int i = 0; i < 68 && !sim->violation; i++) {
		everybody_comes_back(sim);
		calm_pass(sim, 250);
		must_have_heard(sim);
	}
	struct engine_counts counts = engine_counts(sim->engine);
	uint64_t explained = counts.closed_overtaken +
			     (sim->plan.nomem_one_in ? counts.closed_nomem : 0) +
			     (sim->plan.spurious_again ? counts.closed_dead : 0);
	if (sim->unexplained_count > explained)
		sim_violated(sim, "a connection is closed only for cause (closed, with cause)",
			     sim->unexplained_count, explained);
}

/* --- farewell --- */

void story_farewell(struct sim *sim)
{
	if (sim->violation)
		return;
	sim->draining = true;
	if (sim->plan.drain) {
		sim_trace(sim, "drain", 0, 0, 0);
		engine_drain(sim->engine, 5000);
		calm_pass(sim, 5000 + 2 * TICK_MS);
	} else {
		for (uint32_t i = 0; i < sim->plan.client_count; i++) {
			if (sim->clients[i].state == CLIENT_OPEN)
				client_leave(sim, &sim->clients[i]);
		}
		settle(sim);
	}
	if (engine_counts(sim->engine).sessions_now && !sim->violation)
		sim_violated(sim, "when everybody has gone, no session is left (sessions)",
			     engine_counts(sim->engine).sessions_now, 0);
	if (sim_server_open(&sim->world) && !sim->violation)
		sim_violated(sim, "when everybody has gone, no descriptor is left",
			     sim_server_open(&sim->world), 0);
}

/*
 * sim_control: tokens that end, and sessions that are changed or ended from outside; what a client
 *              may be told of it.
 */
#include "sim_impl.h"

#include <stdio.h>

#include "delivery/control.h"

enum { LIFE_MS_MAX = 60000, LAPSED_MS = 1000 };

struct bearer *control_bearer(struct sim *sim, struct client *client)
{
	struct bearer *bearer = NULL;
	client->lapse_wall_ms = BEARER_NEVER;
	if (!draw_one_in(&sim->draw, sim->plan.bearer_one_in) || sim->calm)
		return NULL;
	struct world *world = &sim->world.world;
	struct bearer_terms terms = {
		.expires_ms = world->ops->wall_ms(world) +
			      draw_skewed(&sim->draw, 1, LIFE_MS_MAX),
		.sub = SLICE("somebody"),
	};
	if (bearer_new(&terms, &bearer) != OK)
		return NULL;
	client->lapse_wall_ms = terms.expires_ms;
	client->excused = true; /* it may be closed at any time from then on */
	return bearer;
}

/* The asker's side of a change: one at a time and client. */
static void change_done(struct change *change, enum err err)
{
	struct client *client = change->arg;
	err_note_clear();
	client->changing = false;
	client->awaiting = client->awaiting && err == OK;
	if (err == ERR_DENIED || err == ERR_SYNTAX)
		client->change_wrong = true;
}

static bool listens(const struct client *client, uint32_t stream)
{
	for (uint32_t i = 0; i < client->seen_count; i++) {
		if (client->seen[i].stream == stream)
			return true;
	}
	return false;
}

void control_change(struct sim *sim, struct client *client)
{
	struct draw *draw = &sim->draw;
	uint32_t stream = draw_below(draw, sim->plan.stream_count);
	if (client->changing || client->awaiting || !client->notices || client->half_closed ||
	    !client->session[0] ||
	    (client->form != SESSION_SSE_ENVELOPE && client->form != SESSION_NDJSON))
		return;
	client->changed = (struct change){ .session = slice_of(client->session),
					   .done = change_done, .arg = client };
	client->change_name = sim_stream_name(stream);
	if (listens(client, stream)) {
		client->changed.drop = &client->change_name;
		client->changed.drop_count = 1;
	} else {
		client->change_wanted = (struct wanted){ .name = client->change_name,
							 .start.kind = START_NOW };
		client->changed.add = &client->change_wanted;
		client->changed.add_count = 1;
		client->coming = (struct seen){
			.stream = stream, .kind = START_NOW, .otherwise = START_NOW,
			.head_then = oracle_head(&sim->oracles[stream]),
			.shout_min = sim->plan.delay_one_in ? 0 : sim->oracles[stream].shout_count,
		};
	}
	client->changing = client->awaiting = true;
	sim_trace(sim, "change (client, stream, add)", client->number, stream,
		  client->changed.add_count);
	engine_change(sim->engine, &client->changed);
}

void control_disconnect(struct sim *sim)
{
	uint32_t stream = draw_below(&sim->draw, sim->plan.stream_count);
	struct session_filter filter = { .stream = sim_stream_name(stream) };
	sim_trace(sim, "disconnect (stream)", stream, 0, 0);
	if (engine_disconnect(sim->engine, &filter, DISCONNECT_ADMIN,
			      draw_below(&sim->draw, 2) * 3000))
		return;
	for (uint32_t i = 0; i < sim->plan.client_count; i++)
		sim->clients[i].excused = sim->clients[i].excused || sim->clients[i].state;
}

static void judge_added(struct sim *sim, struct client *client, struct slice added)
{
	struct slice name = json_plain(json_member(slice_from(added.at + 1, added.bytes - 2),
						   "stream"));
	if (!slice_equal(name, sim_stream_name(client->coming.stream)) ||
	    client->seen_count == SIM_STREAMS_MAX || listens(client, client->coming.stream)) {
		sim_violated(sim, "a stream is added that was asked for", client->number, 0);
		return;
	}
	client->seen[client->seen_count++] = client->coming;
}

static void judge_dropped(struct client *client, struct slice dropped)
{
	for (uint32_t i = 0; i < client->seen_count; i++) {
		char quoted[64];
		int bytes = snprintf(quoted, sizeof quoted, "\"%s\"",
				     sim_stream_name(client->seen[i].stream).at);
		if (!memmem(dropped.at, dropped.bytes, quoted, (size_t)bytes))
			continue;
		client->seen[i] = client->seen[--client->seen_count];
		return;
	}
}

void control_judge(struct sim *sim, struct client *client, struct slice notice, struct slice json)
{
	if (client->change_wrong)
		sim_violated(sim, "a change is refused only for cause", client->number, 0);
	if (slice_equal(notice, SLICE("tapecast.auth"))) {
		if (client->lapse_wall_ms == BEARER_NEVER)
			sim_violated(sim, "who has no token is not warned", client->number, 0);
		return;
	}
	struct slice added = json_member(json, "added");
	struct slice dropped = json_member(json, "dropped");
	if (added.bytes > 2)
		judge_added(sim, client, added);
	if (dropped.bytes > 2)
		judge_dropped(client, dropped);
	if (added.bytes || client->changed.drop_count)
		client->awaiting = false;
}

void control_must_have_lapsed(struct sim *sim)
{
	struct world *world = &sim->world.world;
	uint64_t wall_ms = world->ops->wall_ms(world);
	if (sim->plan.wall_one_in)
		return; /* a loop that sleeps sees it later, and sends nothing till then */
	for (uint32_t i = 0; i < sim->plan.client_count; i++) {
		const struct client *client = &sim->clients[i];
		if (client->state == CLIENT_OPEN && client->lapse_wall_ms != BEARER_NEVER &&
		    wall_ms > client->lapse_wall_ms + LAPSED_MS)
			sim_violated(sim, "P11: nobody listens past the end of a token (client)",
				     client->number, 0);
	}
}

/*
 * sim_load: publishers. Every answer goes to the oracle, and is held against what it should be.
 */
#include <stdio.h>

#include "sim_impl.h"

/* One request under way; the memory store answers before the call returns, so one will do. */
static struct load {
	struct publish publish;
	struct sim *sim;
	uint32_t stream;
	struct event *events[BACKPLANE_GROUP_MAX];
	struct saying sayings[BACKPLANE_GROUP_MAX];
	size_t weights[BACKPLANE_GROUP_MAX];
	uint64_t ttls[BACKPLANE_GROUP_MAX];
	enum end_state end; /* of the last event */
	struct idem_use *use; /* a key that was used before */
	uint32_t key_number;
	bool key_must_hold; /* the store cannot have forgotten it */
	bool other_body;
	bool answered;
} load;

static bool busy;

bool load_busy(void)
{
	return busy;
}

static struct saying saying_draw(struct sim *sim, uint32_t stream)
{
	struct draw *draw = &sim->draw;
	struct saying saying = {
		.stream = stream,
		.serial = ++sim->serial,
		.bytes = draw_skewed(draw, 0, sim->plan.saying_bytes_max),
		.json = draw_one_in(draw, sim->plan.json_one_in),
		.type = draw_one_in(draw, 3) ? (uint8_t)draw_between(draw, 1, 4) : 0,
	};
	if (draw_one_in(draw, sim->plan.key_one_in))
		saying.key = (uint8_t)draw_between(draw, 1, 3);
	if (draw_one_in(draw, sim->plan.big_one_in))
		saying.bytes = draw_between(draw, 20000, 90000);
	return saying;
}

static enum err event_say(struct sim *sim, const struct saying *saying, uint64_t ttl_ms,
			  bool ephemeral, struct event **ret_event)
{
	struct draft draft = {
		.type = saying_type(saying),
		.key = saying_key(saying),
		.data = saying_data(saying),
		.has_data = true,
		.json = saying->json && saying->bytes,
		.ephemeral = ephemeral,
		.ttl_ms = ttl_ms,
	};
	struct world *world = &sim->world.world;
	return event_new(&draft, world->ops->wall_ms(world), sim_ms(sim), ret_event);
}

static void answered_ok(struct sim *sim, struct oracle *oracle)
{
	const struct publish *publish = &load.publish;

	if (publish->first.tag != publish->last.tag ||
	    publish->last.seq - publish->first.seq + 1 != publish->count ||
	    !position_equal(&publish->head, &publish->last))
		sim_violated(sim, "a group's positions are one run", publish->first.seq,
			     publish->last.seq);
	for (size_t i = 0; i < publish->count; i++) {
		struct record record = {
			.at = publish->first,
			.saying = load.sayings[i],
			.born_ms = sim_ms(sim),
			.ttl_ms = load.ttls[i],
		};
		record.at.seq += i;
		if (i == publish->count - 1)
			record.end = load.end;
		const char *wrong = oracle_append(oracle, &record, load.weights[i]);
		if (wrong)
			sim_violated(sim, wrong, load.stream, record.at.seq);
	}
	if (load.key_number) {
		struct idem_use *use =
			&sim->idems[load.stream][load.key_number % SIM_IDEMS_MAX];
		*use = (struct idem_use){
			.number = load.key_number,
			.count = (uint32_t)publish->count,
			.serial = load.sayings[0].serial,
			.breaks = oracle->breaks,
			.digest = publish->digest[0],
			.at_ms = sim_ms(sim),
			.first = publish->first,
			.last = publish->last,
		};
	}
	sim->publishes += publish->count;
}

static void answered_again(struct sim *sim)
{
	const struct publish *publish = &load.publish;

	if (!load.use || load.other_body)
		sim_violated(sim, "P4: only a key that was used is a duplicate", load.stream, 0);
	else if (!position_equal(&publish->first, &load.use->first) ||
		 !position_equal(&publish->last, &load.use->last))
		sim_violated(sim, "P4: the same key gives the same id", load.use->first.seq,
			     publish->first.seq);
}

static void answered_err(struct sim *sim, const struct oracle *oracle)
{
	const struct publish *publish = &load.publish;
	struct position head = oracle_head(oracle);
	bool honest = false;

	switch (publish->err) {
	case ERR_NOMEM:
		honest = sim->plan.nomem_one_in && !sim->calm;
		break;
	case ERR_UNAVAILABLE:
		honest = sim->away;
		break;
	case ERR_ENDED:
		honest = oracle->ended;
		break;
	case ERR_CONFLICT:
		/* An empty history's head has two names, and an idle one may be gone. */
		honest = publish->expects &&
			 (!position_equal(&publish->expected, &head) || head.seq == 0 ||
			  oracle_idle(oracle, sim_ms(sim)));
		break;
	case ERR_KEY_REUSED:
		honest = load.use && load.other_body;
		break;
	default:
		break;
	}
	if (!honest)
		sim_violated(sim, "a publish is refused only for cause (err)", publish->err,
			     load.stream);
}

static void load_done(struct publish *publish)
{
	struct sim *sim = load.sim;
	struct oracle *oracle = &sim->oracles[load.stream];

	if (load.answered)
		sim_violated(sim, "a publish is answered once", load.stream, 0);
	load.answered = true;
	sim_trace(sim, "publish answered (err, stream, last)", publish->err, load.stream,
		  publish->last.seq);
	if (publish->err)
		answered_err(sim, oracle);
	else if (publish->duplicate)
		answered_again(sim);
	else if (load.use && load.key_must_hold)
		sim_violated(sim, "P4: a key within its window appends nothing again", load.stream,
			     load.use->number);
	else
		answered_ok(sim, oracle);
}

/* A key of its own, one used before, or none. */
static void idem_draw(struct sim *sim, struct oracle *oracle)
{
	struct publish *publish = &load.publish;
	static char key[32];

	if (!draw_one_in(&sim->draw, 4))
		return;
	load.key_number = ++sim->idem_number;
	struct idem_use *use = &sim->idems[load.stream][draw_below(&sim->draw, SIM_IDEMS_MAX)];
	if (use->number && draw_one_in(&sim->draw, 2)) {
		load.use = use;
		load.key_number = use->number;
		load.other_body = draw_one_in(&sim->draw, 4);
		/* Newer keys and time make the store forget; so does its own trouble. */
		load.key_must_hold = sim->plan.idem_max == 10000 && use->breaks == oracle->breaks &&
				     sim_ms(sim) - use->at_ms < 120000 &&
				     !oracle_idle(oracle, sim_ms(sim));
	}
	int key_bytes = snprintf(key, sizeof key, "key-%u", load.key_number);
	publish->idem = slice_from(key, (size_t)key_bytes);
	uint8_t digest = load.use ? load.use->digest : 1;
	if (load.other_body)
		digest ^= 3;
	memset(publish->digest, digest, sizeof publish->digest);
}

static bool events_draw(struct sim *sim, size_t count)
{
	struct draw *draw = &sim->draw;
	struct world *world = &sim->world.world;

	load.end = END_NONE;
	if (draw_one_in(draw, sim->plan.end_one_in) && !sim->calm)
		load.end = (enum end_state)draw_between(draw, END_COMPLETE, END_CANCELLED);
	for (size_t i = 0; i < count; i++) {
		enum err err;
		load.sayings[i] = saying_draw(sim, load.stream);
		if (draw_one_in(draw, sim->plan.ttl_one_in))
			load.ttls[i] = draw_between(draw, 1, 20000);
		if (load.end != END_NONE && i == count - 1) {
			load.ttls[i] = 0;
			err = event_new_end(load.end, world->ops->wall_ms(world), sim_ms(sim),
					    &load.events[i]);
		} else {
			err = event_say(sim, &load.sayings[i], load.ttls[i], false,
					&load.events[i]);
		}
		if (err) {
			while (i-- > 0)
				event_unref(&load.events[i]);
			return false;
		}
		load.weights[i] = event_weight(load.events[i]);
		if (load.weights[i] > sim->largest_bytes)
			sim->largest_bytes = load.weights[i];
	}
	return true;
}

static void load_send(struct sim *sim, uint32_t stream, size_t count)
{
	struct oracle *oracle = &sim->oracles[stream];
	struct publish *publish = &load.publish;

	if (oracle_full(oracle))
		return;
	load = (struct load){ .sim = sim, .stream = stream };
	if (!events_draw(sim, count))
		return;
	*publish = (struct publish){
		.name = sim_stream_name(stream),
		.events = load.events,
		.count = count,
		.done = load_done,
	};
	if (!sim->calm) {
		idem_draw(sim, oracle);
		publish->expects = draw_one_in(&sim->draw, 10);
		publish->expected = oracle_head(oracle);
		if (draw_one_in(&sim->draw, 3))
			publish->expected.tag ^= 1;
	}
	list_init(&publish->link);
	busy = true;
	sim->backplane->ops->publish(sim->backplane, publish);
	busy = false;
	if (!load.answered)
		sim_violated(sim, "the memory store answers at once", stream, 0);
}

static void load_shout(struct sim *sim, uint32_t stream)
{
	struct oracle *oracle = &sim->oracles[stream];
	struct saying saying = saying_draw(sim, stream);
	struct event *event = NULL;

	/* Without an id, its words alone tell which it is. */
	if (saying.bytes == 0)
		saying.bytes = 1;
	if (oracle_full(oracle) || event_say(sim, &saying, 0, true, &event))
		return;
	oracle_shout(oracle, &saying, event_weight(event));
	busy = true;
	enum err err = sim->backplane->ops->shout(sim->backplane, sim_stream_name(stream), event);
	busy = false;
	sim_trace(sim, "shout (stream, serial, err)", stream, saying.serial, err);
}

void load_say(struct sim *sim, uint32_t stream)
{
	load_send(sim, stream, 1);
}

void load_publish(struct sim *sim)
{
	struct draw *draw = &sim->draw;
	uint32_t stream = draw_below(draw, draw_between(draw, 1, sim->plan.stream_count));

	if (draw_one_in(draw, sim->plan.ephemeral_one_in))
		load_shout(sim, stream);
	else
		load_send(sim, stream, draw_skewed(draw, 1, sim->plan.group_max));
}

static void drop_done(struct drop *drop)
{
	sim_trace(load.sim, "delete answered (err, stream, last)", drop->err, load.stream,
		  drop->last.seq);
}

void load_delete(struct sim *sim)
{
	uint32_t stream = draw_below(&sim->draw, sim->plan.stream_count);
	struct oracle *oracle = &sim->oracles[stream];
	struct drop drop = { .name = sim_stream_name(stream), .done = drop_done };

	if (oracle_full(oracle))
		return;
	load = (struct load){ .sim = sim, .stream = stream };
	list_init(&drop.link);
	busy = true;
	sim->backplane->ops->drop(sim->backplane, &drop);
	busy = false;
	if (drop.err)
		return;
	if (!oracle->ended) {
		struct record record = {
			.at = drop.last, .end = END_CANCELLED, .born_ms = sim_ms(sim),
		};
		const char *wrong = oracle_append(oracle, &record, sizeof(struct event));
		if (wrong)
			sim_violated(sim, wrong, stream, drop.last.seq);
	}
	oracle_drop(oracle);
}

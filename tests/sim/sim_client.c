/*
 * sim_client: clients as browsers and scripts are: they connect, read at their own pace, are cut,
 *             and come back with the last id they were given.
 */
#include "sim_impl.h"

#include <stdio.h>

#include "wire/cursor.h"

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
const struct slice page_head = SLICE("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n");
static const char head_finished[] = "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";

static void streams_draw(struct sim *sim, struct client *client)
{
	struct draw *draw = &sim->draw;
	uint32_t count = draw_one_in(draw, 3) ? draw_between(draw, 1, sim->plan.stream_count) : 1;
	uint32_t first = draw_below(draw, sim->plan.stream_count);

	client->seen_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct seen *seen = &client->seen[i];
		static const enum start_kind kinds[] = { START_NOW, START_NOW, START_OLDEST,
							 START_OLDEST, START_LAST };
		seen->stream = (first + i) % sim->plan.stream_count;
		seen->kind = kinds[draw_below(draw, sizeof kinds / sizeof *kinds)];
		seen->otherwise = draw_one_in(draw, 3) ? START_NOW : START_OLDEST;
		seen->count = draw_between(draw, 1, 20);
	}
}

/* Somebody new. */
static void client_draw(struct sim *sim, struct client *client)
{
	struct draw *draw = &sim->draw;
	static const uint32_t speeds[] = { 65536, 65536, 65536, 700, 60, 7 };

	client->id_bytes = 0;
	client->spoiled = false;
	client->notices = !draw_one_in(draw, 5);
	client->interval_ms = draw_one_in(draw, 8) ? draw_between(draw, 10, 2000) : 0;
	if (client->interval_ms && draw_one_in(draw, 8))
		client->interval_ms = draw_between(draw, 2000, 60000);
	client->bytes_a_read = speeds[draw_below(draw, sizeof speeds / sizeof *speeds)];
	client->queue_bytes = draw_one_in(draw, 2) ? SIM_QUEUE_BYTES
						   : draw_skewed(draw, 64, SIM_QUEUE_BYTES);
	streams_draw(sim, client);
	if (client->seen_count > 1)
		client->form = draw_one_in(draw, 2) ? SESSION_SSE_ENVELOPE : SESSION_NDJSON;
	else
		client->form = (enum session_form)draw_below(draw, SESSION_ANSWER + 1);
	client->chunked = draw_one_in(draw, 2);
	if (client->form == SESSION_ANSWER) {
		client->chunked = false;
		client->notices = true;
		client->interval_ms = 0;
	}
	client->wait_ms = draw_one_in(draw, 2) ? 0 : draw_between(draw, 1, 20000);
}

/* It sends something that is no id of these streams, or one that was never given out. */
static void id_spoil(struct sim *sim, struct client *client)
{
	char text[POSITION_TEXT_MAX];
	struct position at;

	client->spoiled = true;
	if (client->seen_count == 1 && draw_one_in(&sim->draw, 2) &&
	    position_parse(slice_from(client->id, client->id_bytes), &at) == OK && at.epoch) {
		at.tag ^= 1;
		client->id_bytes = position_format(&at, text);
		memcpy(client->id, text, client->id_bytes);
		return;
	}
	client->id_bytes = (size_t)snprintf(client->id, SIM_ID_BYTES, "no id, %u", client->number);
}

void client_connect(struct sim *sim, struct client *client)
{
	if (client->seen_count == 0 || draw_one_in(&sim->draw, 6))
		client_draw(sim, client);
	if (client->id_bytes && !sim->calm && draw_one_in(&sim->draw, 20))
		id_spoil(sim, client);
	client->fd = sim_connect(&sim->world, sim->calm ? SIM_QUEUE_BYTES : client->queue_bytes);
	if (client->fd < 0)
		return;
	parse_init(&client->parse, client->form >= SESSION_NDJSON, client->chunked);
	client->state = CLIENT_KNOCKING;
	client->half_closed = false;
	client->excused = false;
	client->session[0] = 0;
	client->awaiting = false;
	uint32_t loop = draw_below(&sim->draw, sim->plan.loop_count);
	sim_trace(sim, "connect (client, loop, fd)", client->number, loop, (uint64_t)client->fd);
	node_knock(sim, loop, client->number);
}

/* As front reads Last-Event-ID, or the place asked for in the query. */
static void wanted_fill(struct sim *sim, struct client *client, struct wanted *wanted)
{
	struct slice names[SIM_STREAMS_MAX];
	struct cursor_place places[SIM_STREAMS_MAX];

	for (uint32_t i = 0; i < client->seen_count; i++)
		names[i] = sim_stream_name(client->seen[i].stream);
	cursor_parse(slice_from(client->id, client->id_bytes), names, client->seen_count, places);
	for (uint32_t i = 0; i < client->seen_count; i++) {
		struct seen *seen = &client->seen[i];
		struct start start = { .kind = seen->kind, .count = seen->count,
				       .otherwise = seen->otherwise };
		if (places[i].found == CURSOR_FOUND) {
			start.kind = START_AFTER;
			start.after = places[i].position;
		} else if (places[i].found == CURSOR_INVALID) {
			start.kind = START_INVALID;
		}
		wanted[i] = (struct wanted){ .name = names[i], .start = start };
		seen->given = places[i].found == CURSOR_FOUND;
		seen->asked_invalid = client->spoiled;
		seen->known = places[i].found != CURSOR_ABSENT;
		seen->at = start.after;
		seen->ended = false;
		seen->folded = 0;
		seen->head_then = oracle_head(&sim->oracles[seen->stream]);
		/* What is on its way may arrive after the reader. */
		seen->shout_min = sim->plan.delay_one_in ?
					  0 : sim->oracles[seen->stream].shout_count;
	}
}

static void adopt_refused(struct sim *sim, struct client *client, enum err err)
{
	bool troubled = (sim->plan.nomem_one_in || sim->world.faults.poller_one_in) && !sim->calm;
	bool honest = err == ERR_TOO_MANY ? sim->plan.sessions_max < SIM_CLIENTS_MAX
		      : err == ERR_DRAINING ? sim->draining
		      : (err == ERR_NOMEM || err == ERR_SYSTEM) && troubled;

	if (!honest)
		sim_violated(sim, "a session is refused only for cause (err, client)", err,
			     client->number);
	sim->world.world.ops->close(&sim->world.world, client->fd);
	sim_client_close(&sim->world, client->fd);
	client->state = CLIENT_AWAY;
	client->back_ms = sim_ms(sim) + draw_between(&sim->draw, 0, 1000);
}

void client_adopt(struct sim *sim, struct client *client, struct loop *loop)
{
	struct wanted wanted[SIM_STREAMS_MAX];
	struct ticket ticket = {
		.fd = client->fd,
		.form = client->form,
		.chunked = client->chunked,
		.notices = client->notices,
		.wanted = wanted,
		.wanted_count = client->seen_count,
		.interval_ms = client->interval_ms,
		.head = SLICE(head),
		.head_finished = SLICE(head_finished),
		.wait_ms = client->wait_ms,
		.answer = page_answer,
	};

	ticket.bearer = control_bearer(sim, client);
	ticket.address[0] = (uint8_t)(client->number % 7);
	wanted_fill(sim, client, wanted);
	enum err err = engine_adopt(sim->engine, loop, &ticket);
	bearer_unref(&ticket.bearer);
	sim_trace(sim, "adopted (client, err, id bytes)", client->number, err, client->id_bytes);
	if (err) {
		adopt_refused(sim, client, err);
		return;
	}
	client->state = CLIENT_OPEN;
	client->heard_ms = client->asked_ms = sim_ms(sim);
}

void client_leave(struct sim *sim, struct client *client)
{
	struct draw *draw = &sim->draw;

	sim_trace(sim, "leave (client)", client->number, 0, 0);
	if (draw_one_in(draw, 3))
		sim_client_reset(&sim->world, client->fd);
	else
		sim_client_close(&sim->world, client->fd);
	client->state = CLIENT_AWAY;
	client->back_ms = sim_ms(sim) + draw_skewed(draw, 0, 6000);
}

/* The server has said: nothing will ever come. */
static void finished_judge(struct sim *sim, const struct client *client)
{
	for (uint32_t i = 0; i < client->seen_count; i++) {
		const struct seen *seen = &client->seen[i];
		const struct oracle *oracle = &sim->oracles[seen->stream];
		bool over = oracle->ended || oracle->breaks || oracle_idle(oracle, sim_ms(sim));
		if (!over || (seen->given && !oracle->breaks &&
			      !oracle_caught_up(oracle, &seen->at, client->notices,
						sim_ms(sim))))
			sim_violated(sim, "204 is only for who has read all of what has ended",
				     client->number, seen->stream);
	}
}

static bool all_ended(const struct sim *sim, const struct client *client)
{
	for (uint32_t i = 0; i < client->seen_count; i++) {
		const struct oracle *oracle = &sim->oracles[client->seen[i].stream];
		if (!client->seen[i].ended && !oracle->ended && !oracle->breaks)
			return false;
	}
	return true;
}

/* The end of every stream was told. */
static bool told_all(const struct client *client)
{
	for (uint32_t i = 0; i < client->seen_count; i++) {
		if (!client->seen[i].ended)
			return false;
	}
	return true;
}

/* The connection is over. */
static void client_cut(struct sim *sim, struct client *client, bool reset)
{
	struct parse *parse = &client->parse;
	bool finished = parse->head_done &&
			slice_equal(slice_from(parse->head, parse->head_bytes),
				    SLICE(head_finished));

	sim_trace(sim, "cut (client, reset, 204)", client->number, reset, finished);
	if (finished)
		finished_judge(sim, client);
	else if (!reset && client->notices && client->chunked && told_all(client) &&
		 !parse->body_done && !client->excused && !sim->plan.nomem_one_in)
		sim_violated(sim, "a body that is over says so", client->number, 0);
	else if (!reset && !client->excused && client->form != SESSION_ANSWER &&
		 !client->half_closed && !all_ended(sim, client) && !sim->draining)
		sim->unexplained_count++;
	sim_client_close(&sim->world, client->fd);
	client->state = finished ? CLIENT_DONE : CLIENT_AWAY;
	client->back_ms = sim_ms(sim) + draw_skewed(&sim->draw, 0, 3000);
}

struct reader {
	struct sim *sim;
	struct client *client;
};

static void reader_block(void *arg, const struct block *block)
{
	struct reader *reader = arg;
	judge_block(reader->sim, reader->client, block);
}

bool client_read(struct sim *sim, struct client *client, size_t bytes_max)
{
	static char bytes[SIM_QUEUE_BYTES];
	struct reader reader = { sim, client };
	struct parse *parse = &client->parse;
	size_t got;

	if (bytes_max > sizeof bytes)
		bytes_max = sizeof bytes;
	enum sim_read read = sim_client_read(&sim->world, client->fd, bytes, bytes_max, &got);
	/* Whoever takes nothing for so long may be given up. */
	if (sim_ms(sim) - client->heard_ms > SIM_PATIENCE_MS)
		client->excused = true;
	if (read == SIM_READ_NOTHING)
		return false;
	if (read != SIM_READ_SOME) {
		client_cut(sim, client, read == SIM_READ_RESET);
		return true;
	}
	client->heard_ms = sim_ms(sim);
	parse_feed(parse, slice_from(bytes, got), reader_block, &reader);
	if (parse->wrong)
		sim_violated(sim, parse->wrong, client->number, parse->blocks);
	if (parse->head_done && parse->head[9] == '2' && parse->head[11] == '0' &&
	    !slice_equal(slice_from(parse->head, parse->head_bytes),
			 client->form == SESSION_ANSWER ? page_head : SLICE(head)))
		sim_violated(sim, "the head goes out as the ticket has it", client->number, 0);
	return true;
}

bool client_at_head(const struct sim *sim, const struct client *client)
{
	for (uint32_t i = 0; i < client->seen_count; i++) {
		const struct seen *seen = &client->seen[i];
		const struct oracle *oracle = &sim->oracles[seen->stream];
		struct position origin = { 0 };
		/* Nothing has told it yet that it was put elsewhere, or at the newest. */
		bool unaware = (!client->notices && (seen->given || seen->asked_invalid)) ||
			       (!seen->known &&
				(!client->notices || client->form == SESSION_ANSWER));
		enum start_kind kind = seen->known ? seen->otherwise : seen->kind;
		/* An end that the store forgot again; who wants no notices was not told it. */
		bool unended = !client->notices && oracle->breaks && client->seen_count > 1;
		if (seen->ended || unended || (unaware && kind != START_OLDEST))
			continue;
		struct position last = oracle_head(oracle);
		if (client->notices && oracle->ended && !position_equal(&seen->at, &last) &&
		    !oracle_idle(oracle, sim_ms(sim)))
			return false;
		if (!oracle_caught_up(oracle, seen->known ? &seen->at : &origin, client->notices,
				      sim_ms(sim)))
			return false;
	}
	return true;
}

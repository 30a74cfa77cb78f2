/*
 * sim_judge: what a client may be shown, one block at a time. A client keeps where it stands on
 *            each stream; every block must take it honestly from there to the next place.
 */
#include "sim_impl.h"

#include "wire/cursor.h"

/* A block, whatever its form, as a client understands it. */
struct shown {
	struct slice notice; /* "tapecast.gap"…; empty: an event */
	struct slice json; /* of a notice */
	struct slice stream; /* empty: the only one */
	struct slice type, key, data;
	struct slice id; /* to come back with; empty: none */
	struct slice position; /* of the event; empty: ephemeral */
};

static struct slice plain_member(struct slice object, const char *name)
{
	return json_plain(json_member(object, name));
}

static struct shown shown_of(const struct client *client, const struct block *block)
{
	struct shown shown = { .id = block->id };
	struct slice object = block->data;

	if (client->form >= SESSION_NDJSON && json_member(object, "event").bytes) {
		shown.notice = plain_member(object, "event");
		shown.json = json_member(object, "data");
		shown.id = plain_member(object, "id");
		return shown;
	}
	if (slice_starts(block->type, SLICE("tapecast."))) {
		shown.notice = block->type;
		shown.json = object;
		return shown;
	}
	if (client->form == SESSION_SSE) {
		shown.type = block->type;
		shown.data = object;
		shown.position = block->id;
		return shown;
	}
	shown.stream = plain_member(object, "stream");
	shown.type = plain_member(object, "type");
	shown.key = json_member(object, "key");
	shown.data = json_member(object, "data");
	shown.position = plain_member(object, "id");
	if (client->form >= SESSION_NDJSON)
		shown.id = client->seen_count > 1 ? plain_member(object, "cursor") : shown.position;
	return shown;
}

static struct seen *seen_of(struct client *client, struct slice stream)
{
	for (uint32_t i = 0; i < client->seen_count; i++) {
		if (stream.bytes == 0 ||
		    slice_equal(sim_stream_name(client->seen[i].stream), stream))
			return &client->seen[i];
	}
	return NULL;
}

/* A reader without a position of its own was placed behind `at`. */
static const char *judge_start(const struct sim *sim, const struct seen *seen,
			       enum start_kind kind, const struct position *at)
{
	const struct oracle *oracle = &sim->oracles[seen->stream];
	uint64_t now_ms = sim_ms(sim);

	if (at->seq && !oracle_find(oracle, at))
		return "a reader was placed nowhere";
	if (kind == START_OLDEST)
		return oracle_judge_oldest(oracle, at, now_ms);
	/* After a break, the node may count by a history that it does not know to be lost. */
	struct position put_at = oracle_put_at(oracle, at, now_ms);
	if (kind == START_LAST && !oracle->breaks && oracle_on_history(oracle, at) &&
	    put_at.seq + seen->count > oracle_head(oracle).seq)
		return oracle_judge_oldest(oracle, at, now_ms);
	/* Where a push can fail, the node itself may be behind; and what is idle may be gone. */
	bool behind = sim->plan.faults || sim->plan.nomem_one_in || oracle_idle(oracle, now_ms);
	if (kind == START_NOW && !behind && at->seq + 1 < seen->head_then.seq &&
	    oracle_on_history(oracle, at) && oracle_on_history(oracle, &seen->head_then))
		return "a reader of the newest was placed before it";
	return NULL;
}

/* From where it stands, without a word about what lies between; shown: but for the last step. */
static void seen_moves(struct sim *sim, struct seen *seen, const struct position *at, bool shown)
{
	const struct oracle *oracle = &sim->oracles[seen->stream];

	if (seen->known && !position_equal(&seen->at, at))
		seen->folded += oracle_folded(oracle, &seen->at, at, shown);
	seen->known = true;
	seen->at = *at;
}

/* What the id names for one stream, though no block told how the reader came there. */
static const char *judge_place(const struct sim *sim, const struct client *client,
			       const struct seen *seen, const struct position *at)
{
	const struct oracle *oracle = &sim->oracles[seen->stream];

	if (!seen->known)
		return judge_start(sim, seen, seen->kind, at);
	if (position_equal(at, &seen->at) || oracle_passed_by(oracle, &seen->at, at, sim_ms(sim)))
		return NULL;
	if (client->notices)
		return "P1: an id resumes exactly where the client stands (read, named)";
	const struct record *record = oracle_find(oracle, at);
	if (record && record->end != END_NONE &&
	    oracle_follows(oracle, &seen->at, record, sim_ms(sim)))
		return NULL;
	if (seen->asked_invalid)
		return judge_start(sim, seen, seen->otherwise, at);
	return oracle_judge_gap(oracle, &seen->at, at, GAP_TRIMMED,
				seen->given && seen->otherwise != START_OLDEST, sim_ms(sim));
}

void judge_id(struct sim *sim, struct client *client, struct slice id)
{
	struct slice names[SIM_STREAMS_MAX];
	struct cursor_place places[SIM_STREAMS_MAX];

	for (uint32_t i = 0; i < client->seen_count; i++)
		names[i] = sim_stream_name(client->seen[i].stream);
	cursor_parse(id, names, client->seen_count, places);
	for (uint32_t i = 0; i < client->seen_count; i++) {
		struct seen *seen = &client->seen[i];
		const struct position *at = &places[i].position;
		const char *wrong = "every id names a place on every stream";
		if (places[i].found == CURSOR_FOUND)
			wrong = judge_place(sim, client, seen, at);
		if (wrong)
			sim_violated(sim, wrong, seen->at.seq, at->seq);
		seen_moves(sim, seen, at, false);
	}
	if (id.bytes > SIM_ID_BYTES) {
		sim_violated(sim, "an id is short", client->number, id.bytes);
		return;
	}
	memcpy(client->id, id.at, id.bytes);
	client->id_bytes = id.bytes;
	client->spoiled = false;
	for (uint32_t i = 0; i < client->seen_count; i++)
		client->spoiled = client->spoiled || client->seen[i].asked_invalid;
}

static enum gap_reason reason_of(struct slice text)
{
	for (enum gap_reason reason = GAP_TRIMMED; reason < GAP_INVALID; reason++) {
		if (slice_equal(slice_of(gap_reason_text(reason)), text))
			return reason;
	}
	return GAP_INVALID;
}

static void judge_lost(struct sim *sim, struct slice lost, const struct position *after,
		       const struct position *next, enum gap_reason reason)
{
	unsigned long long number;

	if (reason != GAP_TRIMMED && reason != GAP_SKIPPED)
		return;
	if (after->epoch && next->epoch != after->epoch)
		return;
	if (slice_to_u64(lost, &number) && number != next->seq - after->seq)
		sim_violated(sim, "a gap counts what was lost (told, true)", number,
			     next->seq - after->seq);
}

static void judge_gap(struct sim *sim, struct client *client, const struct shown *shown)
{
	struct seen *seen = seen_of(client, plain_member(shown->json, "stream"));
	struct position after, next;
	const char *wrong = NULL;

	if (!seen || position_parse(plain_member(shown->json, "after"), &after) ||
	    position_parse(plain_member(shown->json, "next"), &next)) {
		sim_violated(sim, "a gap can be read", client->number, 0);
		return;
	}
	const struct oracle *oracle = &sim->oracles[seen->stream];
	enum gap_reason reason = reason_of(plain_member(shown->json, "reason"));
	sim_trace(sim, "  gap (client, after, next)", client->number, after.seq, next.seq);
	/* Only an answer without an open block can begin with one. */
	if (!seen->known)
		wrong = judge_start(sim, seen, seen->kind, &after);
	else if (!position_equal(&after, &seen->at) &&
		 !oracle_passed_by(oracle, &seen->at, &after, sim_ms(sim)))
		wrong = "a gap begins where the client stands (read, told)";
	if (wrong)
		sim_violated(sim, wrong, seen->at.seq, after.seq);
	judge_lost(sim, json_member(shown->json, "lost"), &after, &next, reason);
	if (seen->asked_invalid)
		wrong = judge_start(sim, seen, seen->otherwise, &next);
	else if (reason == GAP_INVALID)
		wrong = "P2: an id was called invalid that was given out";
	else
		wrong = oracle_judge_gap(oracle, &after, &next, reason,
					 seen->given && seen->otherwise != START_OLDEST,
					 sim_ms(sim));
	if (wrong)
		sim_violated(sim, wrong, client->number, next.seq);
	seen_moves(sim, seen, &after, false);
	seen->asked_invalid = false;
	seen->given = false;
	seen->ended = false; /* the end was lost with what stood before it: the stream goes on */
	seen->at = next;
	judge_id(sim, client, shown->id);
}

static void judge_end(struct sim *sim, struct client *client, const struct shown *shown)
{
	struct seen *seen = seen_of(client, plain_member(shown->json, "stream"));
	struct slice names[1];
	struct cursor_place place[1];

	if (!seen) {
		sim_violated(sim, "an end can be read", client->number, 0);
		return;
	}
	names[0] = sim_stream_name(seen->stream);
	cursor_parse(shown->id, names, 1, place);
	const struct oracle *oracle = &sim->oracles[seen->stream];
	const struct record *record = oracle_find(oracle, &place->position);
	if (place->found != CURSOR_FOUND || !record || record->end == END_NONE ||
	    !slice_equal(plain_member(shown->json, "state"), slice_of(end_state_text(record->end))))
		sim_violated(sim, "an end is told that was none", client->number, seen->stream);
	else if (seen->known && !oracle_follows(oracle, &seen->at, record, sim_ms(sim)))
		sim_violated(sim, "P2: an end follows what the client has read (read, end)",
			     seen->at.seq, record->at.seq);
	seen->ended = true;
	seen_moves(sim, seen, &place->position, true);
	judge_id(sim, client, shown->id);
}

/* Exactly, but where an expired value may count or not, or a lost history's newer one. */
static void judge_folded(struct sim *sim, struct client *client, const struct shown *shown)
{
	struct seen *seen = seen_of(client, plain_member(shown->json, "stream"));
	unsigned long long count;

	if (!seen || !slice_to_u64(json_member(shown->json, "count"), &count) || count == 0) {
		sim_violated(sim, "what was folded can be read", client->number, 0);
		return;
	}
	bool exact = !sim->plan.ttl_one_in && !sim->oracles[seen->stream].breaks;
	if (sim->oracles[seen->stream].bounds.slow != SLOW_COALESCE)
		sim_violated(sim, "only where the class says so, values are folded",
			     client->number, seen->stream);
	judge_id(sim, client, shown->id);
	if (exact && count != seen->folded)
		sim_violated(sim, "what is told as folded is what was left out (told, true)", count,
			     seen->folded);
	seen->folded = 0;
}

static void judge_open(struct sim *sim, struct client *client, const struct shown *shown)
{
	bool recovered = slice_equal(json_member(shown->json, "recovered"), SLICE("true"));

	if (client->parse.blocks != 1)
		sim_violated(sim, "the open block comes first, and once", client->number, 0);
	struct slice session = plain_member(shown->json, "session");
	if (session.bytes == SESSION_ID_TEXT)
		memcpy(client->session, session.at, SESSION_ID_TEXT);
	if (shown->id.bytes == 0)
		sim_violated(sim, "the open block carries an id", client->number, 0);
	for (uint32_t i = 0; i < client->seen_count; i++) {
		if (recovered && !client->seen[i].given)
			sim_violated(sim, "recovered is said of what was asked for",
				     client->number, i);
	}
	judge_id(sim, client, shown->id);
}

static void judge_words(struct sim *sim, const struct client *client, const struct saying *saying,
			const struct shown *shown)
{
	bool sse = client->form == SESSION_SSE;

	if (!(sse ? saying_is_sse(saying, shown->data) : saying_is_json(saying, shown->data)))
		sim_violated(sim, "a payload arrives byte for byte (client, serial)",
			     client->number, saying->serial);
	if (!slice_equal(shown->type, saying_type(saying)))
		sim_violated(sim, "a type arrives as it was published", client->number,
			     saying->serial);
	if (!sse && (shown->key.bytes != 0) != (saying->key != 0))
		sim_violated(sim, "a key arrives as it was published", client->number,
			     saying->serial);
}

static void judge_shout(struct sim *sim, struct client *client, struct seen *seen,
			const struct shown *shown)
{
	const struct oracle *oracle = &sim->oracles[seen->stream];
	uint32_t stream, serial;

	if (!saying_serial(shown->data, &stream, &serial)) {
		sim_violated(sim, "an event without a position is ephemeral", client->number, 0);
		return;
	}
	for (uint32_t i = seen->shout_min; i < oracle->shout_count; i++) {
		if (oracle->shouts[i].serial != serial)
			continue;
		judge_words(sim, client, &oracle->shouts[i], shown);
		seen->shout_min = i + 1;
		return;
	}
	sim_violated(sim, "an ephemeral event comes once, in order, and only live (client, serial)",
		     client->number, serial);
}

/* From where the client stands to the record, without a word in between. */
static void judge_step(struct sim *sim, const struct client *client, const struct seen *seen,
		       const struct record *record)
{
	const struct oracle *oracle = &sim->oracles[seen->stream];
	const char *wrong = NULL;

	if (!seen->known) {
		wrong = judge_start(sim, seen, seen->kind, &record->before);
		if (wrong && oracle_follows(oracle, &(struct position){ 0 }, record, sim_ms(sim)))
			wrong = NULL; /* all before it had expired */
	} else if (position_equal(&record->at, &seen->at) && (client->notices || !oracle->breaks)) {
		/* Behind a fork, a tape gives again what is left: fine for who is told of it. */
		wrong = "P1: an event came twice";
	} else if (!oracle_follows(oracle, &seen->at, record, sim_ms(sim))) {
		wrong = "P2: an event follows the one before it, or a gap stands between";
		/* Who wants no notices is not told; there must still have been a reason. */
		if (!client->notices)
			wrong = seen->asked_invalid ?
					NULL :
					oracle_judge_gap(oracle, &seen->at, &record->before,
							 GAP_TRIMMED,
							 seen->given &&
								 seen->otherwise != START_OLDEST,
							 sim_ms(sim));
	}
	if (wrong)
		sim_violated(sim, wrong, seen->at.seq, record->at.seq);
}

static void judge_event(struct sim *sim, struct client *client, struct seen *seen,
			const struct shown *shown)
{
	const struct oracle *oracle = &sim->oracles[seen->stream];
	struct position at;

	if (position_parse(shown->position, &at)) {
		sim_violated(sim, "an event's id is a position", client->number, seen->stream);
		return;
	}
	const struct record *record = oracle_find(oracle, &at);
	sim_trace(sim, "  event (client, stream, number)", client->number, seen->stream, at.seq);
	if (!record || record->end != END_NONE) {
		sim_violated(sim, "P1: an event that nobody published (stream, number)",
			     seen->stream, at.seq);
		return;
	}
	if (seen->ended)
		sim_violated(sim, "nothing comes after an end", client->number, at.seq);
	judge_words(sim, client, &record->saying, shown);
	judge_step(sim, client, seen, record);
	seen_moves(sim, seen, &at, true);
	seen->given = false;
	seen->asked_invalid = false;
	sim->events_checked++;
}

void judge_block(struct sim *sim, struct client *client, const struct block *block)
{
	struct shown shown = shown_of(client, block);
	struct seen *seen;

	sim_hash(sim, block->data);
	if (shown.notice.bytes) {
		if (!client->notices)
			sim_violated(sim, "who wants no notices gets none", client->number, 0);
		else if (slice_equal(shown.notice, SLICE("tapecast.open")))
			judge_open(sim, client, &shown);
		else if (slice_equal(shown.notice, SLICE("tapecast.gap")))
			judge_gap(sim, client, &shown);
		else if (slice_equal(shown.notice, SLICE("tapecast.folded")))
			judge_folded(sim, client, &shown);
		else if (slice_equal(shown.notice, SLICE("tapecast.end")))
			judge_end(sim, client, &shown);
		else if (slice_equal(shown.notice, SLICE("tapecast.auth")) ||
			 slice_equal(shown.notice, SLICE("tapecast.changed"))) {
			control_judge(sim, client, shown.notice, shown.json);
			judge_id(sim, client, shown.id);
		} else
			sim_violated(sim, "a notice is one that is known", client->number, 0);
		return;
	}
	if (client->notices && client->parse.blocks == 1 && client->form != SESSION_ANSWER)
		sim_violated(sim, "the open block comes first", client->number, 0);
	seen = seen_of(client, shown.stream);
	if (!seen) {
		sim_violated(sim, "an event is of a stream that was asked for", client->number, 0);
		return;
	}
	if (shown.position.bytes)
		judge_event(sim, client, seen, &shown);
	else
		judge_shout(sim, client, seen, &shown);
	if (shown.id.bytes)
		judge_id(sim, client, shown.id);
}

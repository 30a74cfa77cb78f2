#include "delivery/delivery_impl.h"

#include <string.h>

#include "base/mem.h"
#include "base/metric.h"
#include "base/must.h"
#include "delivery/loop_impl.h"

static struct slice address_name(const void *object)
{
	const struct address_count *count = object;
	return slice_from((const char *)count->address, sizeof count->address);
}

enum err engine_new(const struct engine_config *config, struct engine **ret_engine)
{
	MUST(config->loop_count > 0 && config->loop_count <= ENGINE_LOOPS_MAX);
	MUST(config->retry_min_ms <= config->retry_max_ms);
	struct engine *engine = mem_zalloc(sizeof *engine);
	if (!engine)
		return ERR_NOMEM;
	engine->tag = ENGINE_TAG;
	engine->config = *config;
	pthread_mutex_init(&engine->lock, NULL);
	enum err err = map_new(address_name, config->sessions_max + 1, &engine->addresses);
	for (uint32_t i = 0; i < config->loop_count && err == OK; i++)
		err = loop_new(engine, i, &engine->loops[i]);
	if (err)
		engine_free(&engine);
	else
		*ret_engine = engine;
	return err;
}

void engine_free(struct engine **engine)
{
	if (!*engine)
		return;
	MUST_BE(*engine, ENGINE_TAG);
	for (uint32_t i = 0; i < (*engine)->config.loop_count; i++)
		loop_free(&(*engine)->loops[i]);
	MUST((*engine)->session_count == 0);
	map_free(&(*engine)->addresses);
	pthread_mutex_destroy(&(*engine)->lock);
	(*engine)->tag = 0;
	mem_free(*engine);
	*engine = NULL;
}

struct loop *engine_loop(struct engine *engine, uint32_t index)
{
	MUST_BE(engine, ENGINE_TAG);
	MUST(index < engine->config.loop_count);
	return engine->loops[index];
}

/* Under the lock. */
static enum err engine_has_room(struct engine *engine, const struct address_count *count)
{
	if (engine->session_count >= engine->config.sessions_max) {
		metric_up(METRIC_LIMITS, LIMIT_SESSION_MAX);
		return err_note(ERR_TOO_MANY, "this node has %zu sessions open, its bound",
				engine->session_count);
	}
	if (count && count->count >= engine->config.sessions_per_address_max) {
		metric_up(METRIC_LIMITS, LIMIT_SESSION_PER_ADDRESS);
		return err_note(ERR_TOO_MANY, "your address has %u sessions open, its bound",
				count->count);
	}
	return OK;
}

enum err engine_room(struct engine *engine, const uint8_t address[16])
{
	MUST_BE(engine, ENGINE_TAG);
	pthread_mutex_lock(&engine->lock);
	enum err err = engine_has_room(
		engine, map_get(engine->addresses, slice_from((const char *)address, 16)));
	pthread_mutex_unlock(&engine->lock);
	return err;
}

static enum err address_new(struct engine *engine, const uint8_t address[16],
			    struct address_count **ret_count)
{
	struct address_count *count = mem_zalloc(sizeof *count);
	if (!count)
		return ERR_NOMEM;
	memcpy(count->address, address, sizeof count->address);
	enum err err = map_put(engine->addresses, count);
	if (err)
		mem_free(count);
	else
		*ret_count = count;
	return err;
}

enum err engine_take_place(struct engine *engine, const uint8_t address[16],
			   struct address_count **ret_count)
{
	pthread_mutex_lock(&engine->lock);
	struct address_count *count =
		map_get(engine->addresses, slice_from((const char *)address, 16));
	enum err err = engine_has_room(engine, count);
	if (err == OK && !count)
		err = address_new(engine, address, &count);
	if (err == OK) {
		count->count++;
		engine->session_count++;
		*ret_count = count;
	}
	pthread_mutex_unlock(&engine->lock);
	return err;
}

void engine_give_place(struct engine *engine, struct address_count *count)
{
	pthread_mutex_lock(&engine->lock);
	MUST(engine->session_count > 0 && count->count > 0);
	engine->session_count--;
	if (--count->count == 0) {
		MUST(map_take(engine->addresses, address_name(count)) == count);
		mem_free(count);
	}
	pthread_mutex_unlock(&engine->lock);
}

enum err engine_adopt(struct engine *engine, struct loop *loop, const struct ticket *ticket)
{
	MUST_BE(engine, ENGINE_TAG);
	MUST((ticket->wanted_count > 0) == (ticket->form != SESSION_WS));
	MUST((ticket->duplex != NULL) == (ticket->form == SESSION_WS));
	MUST(ticket->wanted_count <= CURSOR_STREAMS_MAX);
	MUST(ticket->wanted_count <= 1 || ticket->form == SESSION_SSE_ENVELOPE ||
	     ticket->form == SESSION_NDJSON);
	struct session *session = NULL;
	enum err err = OK;
	if (atomic_load(&engine->drain_window_ms))
		err = err_note(ERR_DRAINING, "this node is going down; try again");
	if (err == OK && !bearer_valid(ticket->bearer, loop_wall_ms(loop)))
		err = err_note(ERR_DENIED, "the token is no longer valid");
	if (err == OK)
		err = session_new(loop, ticket, &session);
	if (err) {
		atomic_fetch_add(&engine->refused, 1);
		return err;
	}
	session_try_open(session);
	return OK;
}

void engine_drain(struct engine *engine, uint32_t window_ms)
{
	MUST_BE(engine, ENGINE_TAG);
	atomic_store(&engine->drain_window_ms, window_ms + 1);
	for (uint32_t i = 0; i < engine->config.loop_count; i++)
		loop_wake(engine->loops[i]);
}

struct engine_counts engine_counts(const struct engine *engine)
{
	struct engine_counts sum = { .sessions_refused = atomic_load(&engine->refused) };
	for (uint32_t i = 0; i < engine->config.loop_count; i++) {
		const struct loop_counts *counts = &engine->loops[i]->counts;
		sum.sessions_opened += atomic_load(&counts->opened);
		sum.events_sent += atomic_load(&counts->events);
		sum.bytes_sent += atomic_load(&counts->bytes);
		sum.sends += atomic_load(&counts->sends);
		sum.gaps_told += atomic_load(&counts->gaps);
		sum.closed_by_peer += atomic_load(&counts->by_peer);
		sum.closed_dead += atomic_load(&counts->dead);
		sum.closed_overtaken += atomic_load(&counts->overtaken);
		sum.closed_end += atomic_load(&counts->end);
		sum.closed_drain += atomic_load(&counts->drain);
		sum.closed_nomem += atomic_load(&counts->nomem);
		sum.closed_expired += atomic_load(&counts->expired);
		sum.closed_revoked += atomic_load(&counts->revoked);
		sum.closed_admin += atomic_load(&counts->admin);
		sum.folded += atomic_load(&counts->folded);
		for (int form = 0; form < SESSION_FORMS; form++)
			sum.sessions_of_form[form] += atomic_load(&counts->opened_of[form]) -
						      atomic_load(&counts->closed_of[form]);
		for (int reason = 0; reason < GAP_REASONS; reason++)
			sum.gaps_of_reason[reason] += atomic_load(&counts->gaps_of[reason]);
	}
	sum.sessions_now = sum.sessions_opened - sum.closed_by_peer - sum.closed_dead -
			   sum.closed_overtaken - sum.closed_end - sum.closed_drain -
			   sum.closed_nomem - sum.closed_expired - sum.closed_revoked -
			   sum.closed_admin;
	return sum;
}

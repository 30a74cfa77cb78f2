/*
 * admin: what administrators ask: the metrics, and which streams there are.
 */
#include "base/metric.h"
#include "front/route.h"
#include "wire/json.h"

enum { LIST_MAX = 10000, LIST_DEFAULT = 1000, MINUTE_MS = 60000 };

static enum step metrics_finish(struct visit *visit)
{
	const struct front_settings *settings = visit_settings(visit);
	struct reply *reply = &visit->reply;
	if (settings->measure)
		settings->measure(settings->measure_arg);
	reply->status = 200;
	reply_field(reply, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	reply_field(reply, "Cache-Control", "no-store");
	metric_write(&reply->body);
	return STEP_REPLY;
}

const struct handler metrics_handler = { .finish = metrics_finish };

/* --- streams --- */

struct listing {
	struct buf *buf;
	bool some;
	uint64_t now_ms, wall_ms;
};

static void put_stream(void *arg, const struct listed *listed)
{
	struct listing *list = arg;
	char id[POSITION_TEXT_MAX] = "";
	uint64_t rate = listed->minute_count * 1000 / 60; /* thousandths */
	if (listed->head.epoch)
		(void)position_format(&listed->head, id);
	buf_put_text(list->buf, list->some ? ",{\"stream\":" : "{\"stream\":");
	json_quote(listed->name, list->buf);
	buf_putf(list->buf, ",\"id\":\"%s\",\"state\":\"%s\",\"count\":%llu,\"bytes\":%llu,"
			    "\"per_second\":%llu.%03llu}", id,
		 listed->end == END_NONE ? "open" : end_state_text(listed->end),
		 (unsigned long long)listed->count, (unsigned long long)listed->bytes,
		 (unsigned long long)(rate / 1000), (unsigned long long)(rate % 1000));
	list->some = true;
}

/* A stream that listeners of this node have open. */
static void put_open_stream(void *arg, struct stream *stream)
{
	struct listing *list = arg;
	struct tape *tape = stream_tape(stream);
	const struct start minute = { .kind = START_TIME, .wall_ms = list->wall_ms - MINUTE_MS };
	struct place place;
	tape_place(tape, &minute, list->now_ms, &place);
	put_stream(list, &(struct listed){
		.name = stream_name(stream),
		.head = tape_head(tape),
		.count = tape_count(tape, list->now_ms),
		.bytes = tape_weight(tape),
		.minute_count = tape_head_ord(tape) - place.ord,
		.end = tape_end(tape),
	});
}

static enum step streams_finish(struct visit *visit)
{
	const struct door_config *config = &visit->door->config;
	struct backplane *backplane = config->backplane;
	uint64_t limit;
	enum err err = args_number(&visit->args, ARG_LIMIT, 1, LIST_MAX, LIST_DEFAULT, &limit);
	if (err)
		return visit_problem(visit, err);

	struct slice prefix = visit->args.values[ARG_PREFIX];
	struct reply *reply = visit_json(visit, 200);
	struct listing list = {
		.buf = &reply->body,
		.now_ms = config->world->ops->now_ms(config->world),
		.wall_ms = config->world->ops->wall_ms(config->world),
	};
	bool all = true;
	bool is_listed = backplane->ops->list != NULL;
	reply_field(reply, "Cache-Control", "no-store");
	buf_put_text(&reply->body, "{\"streams\":[");
	if (is_listed)
		all = backplane->ops->list(backplane, prefix, limit, put_stream, &list);
	else if (config->hub)
		all = hub_list(config->hub, prefix, limit, put_open_stream, &list);
	buf_putf(&reply->body, "],\"scope\":\"%s\",\"more\":%s}\n", is_listed ? "all" : "node",
		 all ? "false" : "true");
	return STEP_REPLY;
}

const struct handler streams_handler = { .args = ARGS_LIST, .finish = streams_finish };

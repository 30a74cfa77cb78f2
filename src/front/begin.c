#include "front/begin.h"

#include "wire/when.h"

enum { LAST_COUNT_MAX = 1000000 };

static enum err parse_from(struct slice text, struct start *ret_start)
{
	struct start start = { .kind = START_NOW, .otherwise = START_OLDEST };
	unsigned long long count;
	if (slice_equal(text, SLICE("now"))) {
		start.kind = START_NOW;
	} else if (slice_equal(text, SLICE("start"))) {
		start.kind = START_OLDEST;
	} else if (text.at[0] == '-') {
		if (!slice_to_u64(slice_from(text.at + 1, text.bytes - 1), &count) ||
		    count > LAST_COUNT_MAX)
			return err_note(ERR_SYNTAX,
					"from=-N takes the newest N events, N from 0 to %d",
					LAST_COUNT_MAX);
		start.kind = START_LAST;
		start.count = count;
	} else if (when_parse(text, &start.wall_ms) == OK) {
		start.kind = START_TIME;
	} else {
		return err_note(ERR_SYNTAX,
				"from is start, now, -N (the newest N events) or a time such as "
				"2026-11-24T13:00:00Z");
	}
	*ret_start = start;
	return OK;
}

/* The id that the client stands at, wherever it says so; empty: nowhere. */
static struct slice id_given(struct slice last_event_id, const struct args *args)
{
	static const enum arg aliases[] = { ARG_AFTER, ARG_LAST_EVENT_ID, ARG_LAST_EVENT_ID_CAMEL };
	if (last_event_id.bytes)
		return last_event_id;
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++) {
		if (args_has(args, aliases[i]))
			return args->values[aliases[i]];
	}
	return (struct slice){ 0 };
}

enum err begin_choose(struct slice last_event_id, const struct args *args, struct wanted *wanted,
		      size_t count)
{
	struct start from = { .kind = START_NOW, .otherwise = START_OLDEST };
	bool has_from = args_has(args, ARG_FROM);
	if (has_from) {
		enum err err = parse_from(args->values[ARG_FROM], &from);
		if (err)
			return err;
	}

	struct slice names[CURSOR_STREAMS_MAX];
	struct cursor_place places[CURSOR_STREAMS_MAX];
	for (size_t i = 0; i < count; i++)
		names[i] = wanted[i].name;
	cursor_parse(id_given(last_event_id, args), names, count, places);

	for (size_t i = 0; i < count; i++) {
		wanted[i].start = from;
		if (places[i].found == CURSOR_FOUND) {
			/* History that is gone is told as a gap; what is left of it follows. */
			wanted[i].start.kind = START_AFTER;
			wanted[i].start.otherwise = START_OLDEST;
			wanted[i].start.after = places[i].position;
		} else if (places[i].found == CURSOR_INVALID) {
			wanted[i].start.kind = START_INVALID;
			wanted[i].start.otherwise = has_from ? from.kind : START_OLDEST;
		}
	}
	return OK;
}

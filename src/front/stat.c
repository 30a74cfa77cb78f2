/*
 * stat: HEAD and DELETE of a stream.
 */
#include "base/mem.h"
#include "front/route.h"

static enum err asked_error(enum err err, const char *what)
{
	return err_note(err, "%s could not be asked just now: try again", what);
}

static enum step stat_reply(struct visit *visit)
{
	const struct read *read = &visit->ask.read;
	if (read->err)
		return visit_problem(visit, asked_error(read->err, "the stream"));
	if (read->status == READ_EMPTY)
		return visit_problem(visit, err_note(ERR_NOT_FOUND, "there is no such stream"));

	char text[POSITION_TEXT_MAX];
	(void)position_format(&read->head, text);
	struct reply *reply = &visit->reply;
	reply->status = 200;
	reply_field(reply, "Cache-Control", "no-store");
	reply_field(reply, "ETag", "\"%s\"", text);
	reply_field(reply, "Tapecast-Position", "%s", text);
	reply_field(reply, "Tapecast-Count", "%llu", (unsigned long long)read->kept_count);
	reply_field(reply, "Tapecast-Bytes", "%llu", (unsigned long long)read->kept_bytes);
	reply_field(reply, "Tapecast-State", "%s",
		    read->end == END_NONE ? "open" : end_state_text(read->end));
	return STEP_REPLY;
}

static enum step stat_next(struct visit *visit)
{
	mem_free(visit->ask.read.events);
	return stat_reply(visit);
}

static enum step stat_finish(struct visit *visit)
{
	visit->ask.read = (struct read){ .name = visit_name(visit) };
	return ask_read(visit, stat_next) ? stat_next(visit) : STEP_WAIT;
}

const struct handler stat_handler = { .finish = stat_finish };

static enum step drop_next(struct visit *visit)
{
	enum err err = visit->ask.drop.err;
	if (err == ERR_NOT_FOUND)
		return visit_problem(visit, err_note(err, "there is no such stream"));
	if (err)
		return visit_problem(visit, asked_error(err, "the stream"));
	visit->reply.status = 204;
	return STEP_REPLY;
}

static enum step drop_finish(struct visit *visit)
{
	visit->ask.drop = (struct drop){ .name = visit_name(visit) };
	return ask_drop(visit, drop_next) ? drop_next(visit) : STEP_WAIT;
}

const struct handler drop_handler = { .finish = drop_finish };

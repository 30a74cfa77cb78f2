#include "cli/intake.h"

#include "wire/json.h"
#include "wire/utf8.h"

enum err intake_form_parse(const char *text, enum intake_form *ret_form)
{
	if (strcmp(text, "lines") == 0)
		*ret_form = INTAKE_LINES;
	else if (strcmp(text, "ndjson") == 0)
		*ret_form = INTAKE_NDJSON;
	else if (strcmp(text, "sse") == 0)
		*ret_form = INTAKE_SSE;
	else
		return err_note(ERR_SYNTAX, "--format is lines, ndjson or sse, not '%s'", text);
	return OK;
}

enum intake_form intake_guess(struct slice first, bool is_all)
{
	static const struct slice signs[] = {
		{ "event:", 6 }, { "data:", 5 }, { "id:", 3 },   { "retry:", 6 },
		{ ": ", 2 },     { ":\n", 2 },   { ":\r\n", 3 },
	};

	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		if (slice_starts(first, signs[i]))
			return INTAKE_SSE;
		if (!is_all && slice_starts(signs[i], first))
			return INTAKE_GUESS;
	}
	return INTAKE_LINES;
}

const char *intake_media_type(enum intake_form form)
{
	return form == INTAKE_SSE ? "text/event-stream" : "application/x-ndjson";
}

void intake_init(struct intake *intake)
{
	*intake = (struct intake){ .form = INTAKE_GUESS };
	lines_init(&intake->lines, INTAKE_LINE_BYTES_MAX);
}

void intake_fini(struct intake *intake)
{
	lines_fini(&intake->lines);
}

static enum err put_line(struct intake *intake, struct slice line, struct buf *body)
{
	unsigned long long number = ++intake->events;
	struct json_value value;

	enum err err = intake->json ? json_check(line, &value) : utf8_check(line, NULL);
	if (err != OK)
		return err_prefix(err, "line %llu", number);

	(void)buf_put_text(body, "{\"data\":");
	if (intake->json)
		(void)buf_put(body, value.text);
	else
		(void)json_quote(line, body);
	if (intake->idem.bytes)
		(void)buf_putf(body, ",\"idempotency_key\":\"%.*s-%llu\"", (int)intake->idem.bytes,
			       intake->idem.at, number);
	(void)buf_put_text(body, "}\n");
	return body->err;
}

/* Where in an event-stream the bytes end: a blank line ends an event, comments are part of none.
 * Lines that end in a bare CR are taken for one long line. */
static void follow_blocks(struct intake *intake, struct slice chunk)
{
	for (size_t i = 0; i < chunk.bytes; i++) {
		char byte = chunk.at[i];
		if (byte == '\n') {
			if (!intake->is_mid_line)
				intake->is_mid_event = false;
			else if (!intake->is_comment)
				intake->is_mid_event = true;
			intake->is_mid_line = false;
		} else if (!intake->is_mid_line && byte != '\r') {
			intake->is_mid_line = true;
			intake->is_comment = byte == ':';
		}
	}
}

enum err intake_feed(struct intake *intake, struct slice chunk, struct buf *body)
{
	struct slice line;
	enum err err;

	if (intake->form == INTAKE_SSE)
		follow_blocks(intake, chunk);
	else if (chunk.bytes)
		intake->is_mid_line = chunk.at[chunk.bytes - 1] != '\n';
	if (intake->form != INTAKE_LINES)
		return buf_put(body, chunk);

	while ((err = lines_next(&intake->lines, &chunk, &line)) == OK) {
		err = put_line(intake, line, body);
		if (err != OK)
			return err;
	}
	return err == ERR_AGAIN ? OK : err;
}

bool intake_is_between(const struct intake *intake)
{
	/* Of a line that has begun nothing was put into the body yet. */
	if (intake->form == INTAKE_LINES)
		return true;
	return !intake->is_mid_line && !intake->is_mid_event;
}

enum err intake_finish(struct intake *intake, struct buf *body)
{
	struct slice line;

	if (intake->form != INTAKE_LINES)
		return OK;
	enum err err = lines_last(&intake->lines, &line);
	if (err == OK)
		return put_line(intake, line, body);
	return err == ERR_AGAIN ? OK : err;
}

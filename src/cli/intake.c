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
		{ "event:", 6 }, { "data:", 5 }, { "id:", 3 },	  { "retry:", 6 },
		{ ": ", 2 },	 { ":\n", 2 },	 { ":\r\n", 3 },
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

static void put_member(struct buf *body, const char *name, struct slice text)
{
	if (!text.bytes)
		return;
	(void)buf_putf(body, ",\"%s\":", name);
	(void)json_quote(text, body);
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
	put_member(body, "type", intake->type);
	put_member(body, "key", intake->key);
	if (intake->ttl_s)
		(void)buf_putf(body, ",\"ttl\":%llu", (unsigned long long)intake->ttl_s);
	if (intake->ephemeral)
		(void)buf_put_text(body, ",\"ephemeral\":true");
	if (intake->idem.bytes)
		(void)buf_putf(body, ",\"idempotency_key\":\"%.*s-%llu\"", (int)intake->idem.bytes,
			       intake->idem.at, number);
	(void)buf_put_text(body, "}\n");
	return body->err;
}

enum err intake_feed(struct intake *intake, struct slice chunk, struct buf *body)
{
	struct slice line;
	enum err err;

	if (intake->form != INTAKE_LINES) {
		if (chunk.bytes)
			intake->is_mid_line = chunk.at[chunk.bytes - 1] != '\n';
		return buf_put(body, chunk);
	}
	while ((err = lines_next(&intake->lines, &chunk, &line)) == OK) {
		err = put_line(intake, line, body);
		if (err != OK)
			return err;
	}
	return err == ERR_AGAIN ? OK : err;
}

enum err intake_finish(struct intake *intake, enum end_state end, struct buf *body)
{
	struct slice line;

	if (intake->form == INTAKE_LINES) {
		enum err err = lines_last(&intake->lines, &line);
		if (err == OK)
			err = put_line(intake, line, body);
		if (err != OK && err != ERR_AGAIN)
			return err;
	} else if (intake->form == INTAKE_NDJSON && intake->is_mid_line) {
		(void)buf_put_text(body, "\n");
	}
	if (end != END_NONE && intake->form != INTAKE_SSE)
		(void)buf_putf(body, "{\"end\":\"%s\"}\n", end_state_text(end));
	return body->err;
}

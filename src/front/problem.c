#include "front/problem.h"

#include <assert.h>

#include "base/must.h"
#include "wire/json.h"
#include "wire/utf8.h"

/* The rows stand in the order of the errors and none is left out: each is one further on. */
#define PROBLEM(name, status, code) PROBLEM_ROW_##name,
enum { PROBLEM_ROW_NONE, /* OK */
#include "front/problem_table.h"
	PROBLEM_ROW_COUNT
};
#undef PROBLEM
#define PROBLEM(name, status, code) \
	static_assert((int)PROBLEM_ROW_##name == (int)ERR_##name, "problem_table: row " #name);
#include "front/problem_table.h"
#undef PROBLEM
static_assert((int)PROBLEM_ROW_COUNT == (int)ERR_COUNT, "problem_table: a row is missing");

static const struct {
	unsigned status;
	const char *code;
} problems[ERR_COUNT] = {
#define PROBLEM(name, status, code) [ERR_##name] = { status, code },
#include "front/problem_table.h"
#undef PROBLEM
};

unsigned problem_status(enum err err)
{
	MUST(err > OK && err < ERR_COUNT);
	return problems[err].status;
}

const char *problem_code(enum err err)
{
	MUST(err > OK && err < ERR_COUNT);
	return problems[err].code;
}

/* A note may quote the client and be cut inside a character: such bytes become "?". */
static void put_detail(struct buf *buf, const char *detail)
{
	char text[ERR_NOTE_BYTES_MAX];
	size_t bytes = strnlen(detail, sizeof text - 1);
	memcpy(text, detail, bytes);

	size_t from = 0;
	size_t bad_at;
	while (utf8_check(slice_from(text + from, bytes - from), &bad_at) != OK) {
		from += bad_at;
		while (from >= bytes && from > 0 && (text[from - 1] & 0x80)) /* cut short */
			from = --bytes;
		if (from < bytes)
			text[from] = '?';
	}
	json_quote(slice_from(text, bytes), buf);
}

void problem_open(struct buf *buf, enum err err, const char *detail)
{
	const char *code = problem_code(err);
	buf_putf(buf, "{\"type\":\"urn:tapecast:problem:%s\",\"title\":\"%s\",\"status\":%u,"
		      "\"code\":\"%s\",\"detail\":",
		 code, err_text(err), problem_status(err), code);
	put_detail(buf, detail && *detail ? detail : err_text(err));
}

void problem_reply_open(struct reply *reply, enum err err, const char *detail)
{
	reply_reset(reply);
	reply->status = problem_status(err);
	reply_field(reply, "Content-Type", "application/problem+json");
	reply_field(reply, "Cache-Control", "no-store");
	if (reply->status == 503)
		reply_field(reply, "Retry-After", "1");
	problem_open(&reply->body, err, detail);
}

void problem_reply(struct reply *reply, enum err err)
{
	problem_reply_open(reply, err, err_note_text());
	buf_put_byte(&reply->body, '}');
}

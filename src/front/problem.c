#include "front/problem.h"

#include <assert.h>

#include "base/metric.h"
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

/* Bytes that the character at text.at has, if it is one; else 0. */
static size_t character_bytes(struct slice text)
{
	unsigned char lead = (unsigned char)*text.at;
	size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	if (bytes > text.bytes || utf8_check(slice_from(text.at, bytes), NULL) != OK)
		return 0;
	return bytes;
}

/* A note may quote the client and be cut inside a character: what is none becomes "?". */
static void put_detail(struct buf *buf, const char *detail)
{
	char text[ERR_NOTE_BYTES_MAX]; /* a copy: to check is to leave notes */
	char clean[ERR_NOTE_BYTES_MAX];
	size_t bytes = strnlen(detail, sizeof text);
	memcpy(text, detail, bytes);
	for (size_t at = 0; at < bytes;) {
		size_t step = character_bytes(slice_from(text + at, bytes - at));
		if (step)
			memcpy(clean + at, text + at, step);
		else
			clean[at] = '?';
		at += step ? step : 1;
	}
	json_quote(slice_from(clean, bytes), buf);
}

static void put_problem(struct buf *buf, unsigned status, const char *code, const char *title,
			const char *detail)
{
	buf_putf(buf, "{\"type\":\"urn:tapecast:problem:%s\",\"title\":\"%s\",\"status\":%u,"
		      "\"code\":\"%s\",\"detail\":", code, title, status, code);
	put_detail(buf, detail && *detail ? detail : title);
}

void problem_open(struct buf *buf, enum err err, const char *detail)
{
	put_problem(buf, problem_status(err), problem_code(err), err_text(err), detail);
}

/* What failed is in the body: here only whether a token was there (RFC 6750, 3.1). */
static void challenge(struct reply *reply, enum err err)
{
	if (err == ERR_NO_TOKEN)
		reply_field(reply, "WWW-Authenticate", "Bearer realm=\"tapecast\"");
	else if (problem_status(err) == 401)
		reply_field(reply, "WWW-Authenticate",
			    "Bearer realm=\"tapecast\", error=\"invalid_token\"");
}

static void begin(struct reply *reply, unsigned status)
{
	reply_reset(reply);
	reply->status = status;
	reply_field(reply, "Content-Type", "application/problem+json");
	reply_field(reply, "Cache-Control", "no-store");
	if (status == 503)
		reply_field(reply, "Retry-After", "1");
}

void problem_reply_open(struct reply *reply, enum err err, const char *detail)
{
	metric_up(METRIC_PROBLEMS, err);
	begin(reply, problem_status(err));
	challenge(reply, err);
	problem_open(&reply->body, err, detail);
}

void problem_reply_late(struct reply *reply, const char *detail)
{
	begin(reply, 408);
	put_problem(&reply->body, 408, "request_timeout", "the request took too long", detail);
	buf_put_byte(&reply->body, '}');
}

void problem_reply(struct reply *reply, enum err err)
{
	problem_reply_open(reply, err, err_note_text());
	buf_put_byte(&reply->body, '}');
}

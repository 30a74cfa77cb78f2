/*
 * intake: turns what `pub -` reads into the body that is posted, as it comes.
 *
 * Owns    the line that has begun.
 * Promise pure. A line goes on its way as soon as its end is there; nothing waits for more.
 * Bound   INTAKE_LINE_BYTES_MAX a line: ERR_TOO_BIG.
 */
#ifndef TAPECAST_CLI_INTAKE_H
#define TAPECAST_CLI_INTAKE_H

#include <stdbool.h>

#include "base/buf.h"
#include "wire/lines.h"

enum { INTAKE_LINE_BYTES_MAX = 1 << 20 };

enum intake_form {
	INTAKE_GUESS,
	INTAKE_LINES,  /* each line is an event's data; posted as NDJSON */
	INTAKE_NDJSON, /* posted as it is */
	INTAKE_SSE,    /* posted as it is */
};

struct intake {
	enum intake_form form;
	struct slice idem; /* INTAKE_LINES: each event's key is this and "-1", "-2"…; empty: none */
	bool json;         /* INTAKE_LINES: each line is a JSON value */
	/* Kept by the functions. */
	struct lines lines;
	uint64_t events; /* made so far; INTAKE_LINES only */
	bool is_mid_line, is_comment, is_mid_event;
};

/* "lines", "ndjson", "sse". ERR_SYNTAX with a note. */
enum err intake_form_parse(const char *text, enum intake_form *ret_form) ERR_CHECKED;

/* What the first bytes are: sse if the first line begins with "event:", "data:", "id:" or "retry:",
 * or is a comment (":" alone, or ": "); else lines. INTAKE_GUESS: more bytes are needed. */
enum intake_form intake_guess(struct slice first, bool is_all);

/* The media type that is posted. */
const char *intake_media_type(enum intake_form form);

void intake_init(struct intake *intake);
void intake_fini(struct intake *intake);
/* Appends to body what can go now. ERR_UTF8, ERR_SYNTAX, ERR_TOO_BIG with a note that names the
 * line; what stands before it is in body then. */
enum err intake_feed(struct intake *intake, struct slice chunk, struct buf *body) ERR_CHECKED;
/* Nothing that has begun is unfinished in what was put into body so far: it may end here. */
bool intake_is_between(const struct intake *intake);
/* At the end of the input: the last line, if it has no end. */
enum err intake_finish(struct intake *intake, struct buf *body) ERR_CHECKED;

#endif

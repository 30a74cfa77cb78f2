/*
 * answer: reads an HTTP/1.1 response: its head, then its body as pieces without the framing.
 *
 * Promise pure: bytes in, pieces out, whatever the chunks they come in. A body that is cut is told
 *         from one that is whole.
 * Bound   a head of ANSWER_HEAD_BYTES_MAX: ERR_TOO_BIG.
 */
#ifndef TAPECAST_CLI_ANSWER_H
#define TAPECAST_CLI_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { ANSWER_HEAD_BYTES_MAX = 16384, ANSWER_TYPE_MAX = 64 };

enum answer_state {
	ANSWER_TO_CLOSE, /* the body is what comes until the connection ends */
	ANSWER_LENGTH,
	ANSWER_CHUNK_START, /* at a chunk's first digit */
	ANSWER_CHUNK_SIZE,
	ANSWER_CHUNK_EXTENSION,
	ANSWER_CHUNK_DATA,
	ANSWER_CHUNK_CR,
	ANSWER_CHUNK_LF,
	ANSWER_TRAILER, /* at the start of a trailer line */
	ANSWER_TRAILER_LINE,
	ANSWER_WHOLE,
};

struct answer {
	unsigned status;
	bool keeps_open; /* the connection serves another request after the body */
	bool has_retry_after;
	uint64_t retry_after_s;
	char type[ANSWER_TYPE_MAX]; /* media type without parameters, as sent */
	enum answer_state state;
	uint64_t left; /* of the length, or of the chunk */
};

/* Takes a whole head off *bytes. OK; ERR_AGAIN: not all here yet, nothing taken; ERR_SYNTAX,
 * ERR_TOO_BIG with a note. `bodiless`: the request was a HEAD. */
enum err answer_head(struct slice *bytes, bool bodiless, struct answer *ret_answer) ERR_CHECKED;

/* Takes bytes off *bytes. OK with a piece of the body; ERR_AGAIN: all used; ERR_CLOSED: the body is
 * whole; ERR_SYNTAX. */
enum err answer_body(struct answer *answer, struct slice *bytes,
		     struct slice *ret_piece) ERR_CHECKED;

/* The connection has ended here: was the body whole? */
bool answer_whole_at_end(const struct answer *answer);

#endif

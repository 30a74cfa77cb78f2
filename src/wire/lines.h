/*
 * lines: cuts a body into lines as it arrives. LF ends a line, a CR before it goes too.
 *
 * Owns    the bytes of a line that chunks have cut; a line that lies in one chunk is not copied.
 * Bound   a line of more than bytes_max: ERR_TOO_BIG. That, and ERR_NOMEM, are for good.
 */
#ifndef TAPECAST_WIRE_LINES_H
#define TAPECAST_WIRE_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct lines {
	struct buf held; /* the line that has begun */
	uint64_t number; /* of the line last given, from 1 */
	size_t bytes_max;
	bool given; /* what is held has been given and goes at the next call */
	enum err failed;
};

void lines_init(struct lines *lines, size_t bytes_max);
void lines_fini(struct lines *lines);

/* Takes bytes from *chunk; OK with a line (valid until the next call, and as long as the chunk's
 * bytes), ERR_AGAIN when the chunk is used up, ERR_TOO_BIG, ERR_NOMEM. Call until it is not OK. */
enum err lines_next(struct lines *lines, struct slice *chunk, struct slice *ret_line) ERR_CHECKED;
/* The last line, if it has no LF: OK; ERR_AGAIN if there is none. */
enum err lines_last(struct lines *lines, struct slice *ret_line) ERR_CHECKED;

#endif

/*
 * draft: an event as a publisher asks for it, before it has a position.
 *
 * Owns    nothing: slices of the request.
 */
#ifndef TAPECAST_WIRE_DRAFT_H
#define TAPECAST_WIRE_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum end_state { END_NONE, END_COMPLETE, END_FAILED, END_CANCELLED };

struct draft {
	struct slice stream; /* empty: the request's */
	struct slice type; /* empty: none */
	struct slice key; /* empty: none */
	struct slice idem; /* empty: none */
	struct slice data;
	bool has_data; /* false: only an end */
	bool json; /* data is one well-formed JSON value: embedded as it is in JSON forms */
	bool ephemeral;
	uint64_t ttl_ms; /* 0: as long as the class keeps it */
	enum end_state end; /* after the data, the stream ends */
};

/* "complete", "failed", "cancelled". ERR_SYNTAX with a note. */
enum err end_state_parse(struct slice text, enum end_state *ret_end) ERR_CHECKED;
const char *end_state_text(enum end_state end);

/* Stream, type, key and idem if given, UTF-8 of data, and data_bytes_max (ERR_TOO_BIG); an end may
 * not be ephemeral, ephemeral has no ttl, and there must be data or an end. Notes say what. */
enum err draft_check(const struct draft *draft, size_t data_bytes_max) ERR_CHECKED;

#endif

/*
 * sim_parse: what a client makes of the bytes. It shares no line with the product's own readers.
 *
 * Promise strict where a lenient reader would hide a fault: a comment inside a block, a carriage
 *         return, a field after the id, a block without data, a second id are errors.
 * Bound   a block (or line) of SIM_BLOCK_BYTES.
 */
#ifndef TAPECAST_SIM_PARSE_H
#define TAPECAST_SIM_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { SIM_BLOCK_BYTES = 262144, SIM_HEAD_BYTES = 512 };

struct parse {
	bool lines; /* NDJSON: a line is a block */
	bool chunked; /* the body comes in chunks */
	bool head_done;
	bool body_done; /* the last chunk has come */
	uint32_t chunk_bytes, chunk_left; /* of a chunk's first line; of its data and line end */
	uint32_t head_bytes, used;
	uint64_t blocks, comments;
	const char *wrong; /* the first thing that no client should have to read */
	char head[SIM_HEAD_BYTES];
	char chunk[16]; /* the first line of the chunk that begins */
	char bytes[SIM_BLOCK_BYTES];
};

/* A dispatched block; the slices hold during the call. An NDJSON line has only data. */
struct block {
	struct slice type, data, id;
	bool has_id;
	int64_t retry_ms; /* -1: none */
};

typedef void block_fn(void *arg, const struct block *block);

void parse_init(struct parse *parse, bool lines, bool chunked);
void parse_feed(struct parse *parse, struct slice bytes, block_fn *block, void *arg);

/* The value of a member of a JSON object, as it stands; empty if there is none. */
struct slice json_member(struct slice object, const char *name);
/* A quoted string's characters. */
bool json_unquote(struct slice raw, char *ret_bytes, size_t bytes_max, size_t *ret_bytes_count);
/* A quoted string without escapes: what is between the quotes; else empty. */
struct slice json_plain(struct slice raw);

#endif

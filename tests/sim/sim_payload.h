/*
 * sim_payload: what is said in the simulation. An event's words follow from a few numbers, so
 *              nobody has to keep them: the publisher makes them, and each reader's copy is held
 *              against them byte for byte.
 *
 * Owns    one scratch buffer: results hold until the next call.
 */
#ifndef TAPECAST_SIM_PAYLOAD_H
#define TAPECAST_SIM_PAYLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { SAYING_BYTES_MAX = 100000 };

struct saying {
	uint32_t stream, serial;
	uint32_t bytes; /* about so many; 0: empty data */
	bool json;
	uint8_t type; /* 0: none */
	uint8_t key; /* 0: none */
};

/* Begins with "STREAM:SERIAL:" ({"s":STREAM,"n":SERIAL for JSON) unless it is empty. */
struct slice saying_data(const struct saying *saying);
struct slice saying_type(const struct saying *saying);
struct slice saying_key(const struct saying *saying);

/* got is what a reader of text/event-stream makes of it: every line end a LF. */
bool saying_is_sse(const struct saying *saying, struct slice got);
/* raw is the JSON value of "data". */
bool saying_is_json(const struct saying *saying, struct slice raw);

/* Which serial a payload claims to be, by its first bytes (SSE data, or raw JSON). */
bool saying_serial(struct slice data, uint32_t *ret_stream, uint32_t *ret_serial);

#endif

/*
 * headers: what a request's header fields say, checked where a proxy in front could read otherwise.
 *
 * Owns    nothing: values are libmicrohttpd's and live as long as the request.
 * Promise whatever two servers could understand differently (two lengths, a length and chunks, an
 *         unknown coding, control bytes, a name that is no token) is ERR_HEADER: answer, then
 *         close.
 */
#ifndef TAPECAST_FRONT_HEADERS_H
#define TAPECAST_FRONT_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

enum { HEADERS_ACCEPT_MAX = 8 };

struct headers {
	struct slice accept[HEADERS_ACCEPT_MAX]; /* a field may come again; they add up */
	size_t accept_count;
	struct slice content_type, last_event_id, idempotency_key, if_match, if_none_match;
	struct slice origin, request_method; /* of a preflight */
	struct slice authorization, cookie, sec_fetch_site, host;
	bool has_length, is_chunked;
	uint64_t length;
	/* for headers_check */
	unsigned host_count, coding_count;
	enum err err;
};

struct MHD_Connection;

/* Reads all fields of the request. ERR_HEADER with a note. */
enum err headers_read(struct MHD_Connection *connection, bool is_http_1_1,
		      struct headers *ret_headers) ERR_CHECKED;

/* One field into *headers (the whole parser; separate so that tests can feed it). */
void headers_take(struct headers *headers, struct slice name, struct slice value);
/* After the last one. ERR_HEADER with a note. */
enum err headers_check(const struct headers *headers, bool is_http_1_1) ERR_CHECKED;

/* "text/plain; charset=utf-8" → type "text/plain", charset "utf-8" (quotes off; empty: none). */
void media_type_split(struct slice text, struct slice *ret_type, struct slice *ret_charset);

#endif

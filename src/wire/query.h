/*
 * query: percent-decoding, and the parameters of a URI as name and value.
 *
 * Promise pure. "+" in a query is a space (HTML forms); in a path it is itself. A broken escape,
 *         %00 or invalid UTF-8 is ERR_SYNTAX / ERR_UTF8 with a note that names the byte.
 */
#ifndef TAPECAST_WIRE_QUERY_H
#define TAPECAST_WIRE_QUERY_H

#include "base/buf.h"

/* Splits "/a/b?x=1" at the first "?"; the query is empty without one. */
void query_split(struct slice uri, struct slice *ret_path, struct slice *ret_query);

/* Decodes into buf (appended; after an error as it was). */
enum err query_decode_path(struct slice text, struct buf *buf) ERR_CHECKED;

/* The next parameter, decoded into scratch where it has escapes (appended), else as it lies in
 * query. The first call makes room in scratch for the whole query, so that all slices hold until
 * others touch scratch. Empty parameters ("&&") are passed over. Begin with *at = 0. OK;
 * ERR_NOT_FOUND at the end; ERR_SYNTAX, ERR_UTF8, ERR_TOO_BIG, ERR_NOMEM. */
enum err query_next(struct slice query, size_t *at, struct buf *scratch, struct slice *ret_name,
		    struct slice *ret_value) ERR_CHECKED;

#endif

/*
 * ingest: one long request that brings many events, each published as soon as it is here.
 *
 * Promise what has come in one chunk is published in groups before the next is read; a broken line
 *         ends the request with an answer that names it, and all before it stands.
 * Bound   a line, or an event's fields: six times event_bytes_max (escapes) and 4 KiB.
 */
#ifndef TAPECAST_FRONT_INGEST_H
#define TAPECAST_FRONT_INGEST_H

#include "front/post.h"

enum step ingest_begin(struct visit *visit, const struct post_params *params);
enum step ingest_body(struct visit *visit, struct slice *chunk);
enum step ingest_finish(struct visit *visit);

#endif

/*
 * post: what every publish shares: its parameters, events from drafts, and the answer.
 */
#ifndef TAPECAST_FRONT_POST_H
#define TAPECAST_FRONT_POST_H

#include "front/visit.h"
#include "wire/draft.h"

enum body_kind { BODY_TEXT, BODY_JSON, BODY_NDJSON, BODY_SSE };

/* What the query and the header fields say; slices of the request. */
struct post_params {
	enum body_kind kind;
	struct draft draft; /* type, key, ttl, ephemeral, end, idem: of what says nothing itself */
	bool expects;
	struct position expected;
};

/* One thing to publish: an event, an end, or both. */
struct item {
	struct event *events[2];
	size_t count;
	bool ephemeral;
	char idem[208]; /* NUL-terminated; empty: none */
	uint8_t digest[16]; /* with idem */
};

/* ERR_MEDIA_TYPE, ERR_SYNTAX, ERR_RANGE, ERR_TOO_BIG … with notes. */
enum err post_params_read(struct visit *visit, struct post_params *ret_params) ERR_CHECKED;

/* Checks the draft and makes its events. ERR_TOO_BIG, ERR_SYNTAX, ERR_UTF8, ERR_NOMEM. */
enum err item_make(const struct visit *visit, const struct draft *draft, struct item *ret_item)
	ERR_CHECKED;
void item_drop(struct item *item);

/* Publishes an ephemeral item, which needs no waiting. Takes its event. */
enum err item_shout(struct visit *visit, struct slice name, struct item *item) ERR_CHECKED;

/* The error that a publish was answered with, its note as the thread's; OK. */
enum err publish_error(const struct publish *publish) ERR_CHECKED;
/* Adds what a client needs to go on after a conflict: the present position. */
void publish_conflict_fields(struct reply *reply, const struct publish *publish);
void put_position_member(struct buf *body, const char *name, const struct position *position);

#endif

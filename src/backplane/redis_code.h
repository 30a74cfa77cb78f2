/*
 * redis_code: events in bytes, as they lie in Redis' lists and come in its pushes.
 *
 * Promise pure; what is taken was put like that, or is refused: no byte of it is believed unseen,
 *         so that a store that is broken or hostile cannot make a node show what is not allowed.
 * Bound   type, key and data as of any draft, data at most data_bytes_max; 64 events a push.
 */
#ifndef TAPECAST_BACKPLANE_REDIS_CODE_H
#define TAPECAST_BACKPLANE_REDIS_CODE_H

#include "base/buf.h"
#include "stream/event.h"

enum { CODE_HEAD_BYTES = 36, CODE_NONCE_BYTES = 8, CODE_TAGS_BYTES = 24, CODE_EPOCH_BYTES = 16 };

/* Of which publish call, and where in its group. */
struct code_place {
	uint8_t nonce[CODE_NONCE_BYTES];
	uint8_t at, count; /* 0..63, 1..64 */
};

/* What a decoder needs to know of its node. */
struct code_rules {
	size_t data_bytes_max;
	uint64_t wall_ms, now_ms; /* an event that others had for a while is that much older */
};

/* Bytes of a body, without asking for memory. */
size_t code_bytes(const struct event *event);
/* A body: version, place, flags, times, lengths; type, key, data. */
void code_put(const struct event *event, const struct code_place *place, struct buf *buf);
/* Takes one body off the front. The event stands at the origin. ERR_SYNTAX, ERR_NOMEM. */
enum err code_take(struct slice *bytes, const struct code_rules *rules,
		   struct code_place *ret_place, struct event **ret_event) ERR_CHECKED;

/* An entry of a list: tag, the parent's tag, a body, nothing else. */
struct code_entry {
	uint64_t tag, parent_tag; /* the parent of the group's first */
	struct code_place place;
	struct event *event; /* one reference */
};
enum err code_take_entry(struct slice bytes, const struct code_rules *rules,
			 struct code_entry *ret_entry) ERR_CHECKED;

/* A push: kind, epoch, number of the last event, tags, bodies. */
enum code_kind {
	CODE_PUBLISHED = 'P',
	CODE_DROPPED = 'D',
	CODE_SHOUTED = 'S',
	CODE_FENCED = 'F',
};
struct code_push {
	enum code_kind kind;
	struct position parent; /* the head before it */
	struct event *events[64]; /* with their positions; references of the caller */
	size_t count;
};
enum err code_take_push(struct slice bytes, const struct code_rules *rules,
			struct code_push *ret_push) ERR_CHECKED;

/* 1..16 digits of base 16, lower case; exactly `bytes` of them. */
enum err code_take_hex(struct slice *bytes, size_t digits, uint64_t *ret_number) ERR_CHECKED;

#endif

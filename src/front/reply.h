/*
 * reply: an HTTP answer, before it is bytes: status, header fields, body.
 *
 * Owns    its fields and its body (static bodies are borrowed).
 * Bound   4 KiB of fields, REPLY_BODY_MAX of body; what does not fit makes the reply a plain 503.
 */
#ifndef TAPECAST_FRONT_REPLY_H
#define TAPECAST_FRONT_REPLY_H

#include "base/buf.h"

enum { REPLY_FIELDS_BYTES_MAX = 4096, REPLY_BODY_MAX = 1 << 25 };

struct reply {
	unsigned status;
	struct buf fields; /* name NUL value NUL, again and again */
	struct buf body;
	struct slice fixed; /* a body that outlives the reply; used if not empty */
	bool closes; /* the connection ends with it */
};

void reply_init(struct reply *reply);
void reply_fini(struct reply *reply);
/* No status, no fields, no body; `closes` stays. */
void reply_reset(struct reply *reply);

/* The value is in printf form and must hold no control characters: it is ours, never the
 * client's. */
void reply_field(struct reply *reply, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Walks the fields: *at = 0 first; false at the end. */
bool reply_field_next(const struct reply *reply, size_t *at, const char **ret_name,
		      const char **ret_value);

struct slice reply_body(const struct reply *reply);
/* Something did not fit or there was no memory. */
bool reply_is_broken(const struct reply *reply);
const char *reply_reason(unsigned status);

/* Status line, fields, an empty line; the body's length is for the caller to tell as a field. */
void reply_write_head(const struct reply *reply, struct buf *buf);
/* The whole answer, with Content-Length and Connection: close. */
void reply_write(const struct reply *reply, struct buf *buf);

#endif

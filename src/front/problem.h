/*
 * problem: errors as application/problem+json (RFC 9457).
 *
 * Promise every error has a status and a code; a row that is missing does not compile.
 */
#ifndef TAPECAST_FRONT_PROBLEM_H
#define TAPECAST_FRONT_PROBLEM_H

#include "front/reply.h"

unsigned problem_status(enum err err);
const char *problem_code(enum err err);

/* The object without its closing brace, so that members can follow:
 * {"type":…,"title":…,"status":…,"code":…,"detail":… */
void problem_open(struct buf *buf, enum err err, const char *detail);

/* The whole answer; the detail is the thread's note (or the error's text). Retry-After where a
 * retry can mend it. */
void problem_reply(struct reply *reply, enum err err);
/* As problem_reply, but begun only: the caller adds members to reply->body and the brace. */
void problem_reply_open(struct reply *reply, enum err err, const char *detail);
/* 408: the request did not come in time, which is no error of ours. */
void problem_reply_late(struct reply *reply, const char *detail);

#endif

/*
 * caller: who makes a request: finds the token, has it verified, and checks what the route needs.
 *
 * Owns    visit->grant.
 * Thread  the loop's; caller_may_read: any.
 * Promise before a handler runs, the caller has what the route needs; a path's stream is checked by
 *         then, others by who asks the backplane (ask.c) or hands over a listener (read.c). Nothing
 *         is published in the name of a token that has expired or been revoked meanwhile.
 */
#ifndef TAPECAST_FRONT_CALLER_H
#define TAPECAST_FRONT_CALLER_H

#include "auth/auth.h"
#include "front/visit.h"

/* ERR_NO_TOKEN, ERR_TOKEN, ERR_EXPIRED, ERR_REVOKED, ERR_DENIED, ERR_HEADER (two tokens) with
 * notes. OK, and no grant: nobody is asked who they are. */
enum err caller_check(struct visit *visit) ERR_CHECKED;
/* ERR_DENIED, ERR_NO_TOKEN with a note. */
enum err caller_allow(const struct visit *visit, enum verb verb, struct slice name) ERR_CHECKED;
/* The same, just now: ERR_EXPIRED, ERR_REVOKED. */
enum err caller_allow_now(struct visit *visit, enum verb verb, struct slice name) ERR_CHECKED;

/* The caller as sessions know one, a reference; NULL where nobody is asked. ERR_NOMEM. */
enum err caller_bearer(const struct visit *visit, struct bearer **ret_bearer) ERR_CHECKED;
/* For engine_config.may_read; arg: the auth, NULL where nobody is asked. A session without a bearer
 * may hear nothing where somebody is. */
bool caller_may_read(void *arg, const struct bearer *bearer, struct slice stream);

/* What a cookie holds; false: it is not there, or twice, and then nobody knows which is ours. */
bool cookie_find(struct slice cookies, struct slice name, struct slice *ret_value);

#endif

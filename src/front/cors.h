/*
 * cors: which web pages may use an answer (fetch standard, "HTTP CORS protocol").
 *
 * Promise an origin is allowed by exact match alone (any in development mode). "null" and what is
 *         not of printable ASCII never is.
 */
#ifndef TAPECAST_FRONT_CORS_H
#define TAPECAST_FRONT_CORS_H

#include "front/reply.h"
#include "front/settings.h"

/* Named by the operator; development mode names none. */
bool cors_is_listed(const struct front_settings *settings, struct slice origin);
bool cors_allows(const struct front_settings *settings, struct slice origin);
/* Adds the fields that an answer to a request of this origin (empty: none) carries. */
void cors_fields(const struct front_settings *settings, struct slice origin, struct reply *reply);
/* And those of a preflight's answer. allow: "GET, POST". */
void cors_preflight(const struct front_settings *settings, struct slice origin, const char *allow,
		    struct reply *reply);

#endif

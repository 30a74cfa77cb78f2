/*
 * members: JSON objects of which each member is there once.
 *
 * Thread  any.
 * Promise names compare unescaped: "alg" and "\u0061lg" are one name. A member that is there twice
 *         is read differently by different programs, so it is refused.
 * Bound   MEMBERS_MAX.
 */
#ifndef TAPECAST_AUTH_MEMBERS_H
#define TAPECAST_AUTH_MEMBERS_H

#include "wire/json.h"

enum { MEMBERS_MAX = 64 };

/* text is one JSON object without a member twice. ERR_SYNTAX, ERR_UTF8, ERR_TOO_MANY, ERR_NOMEM. */
enum err members_open(struct slice text, struct json_value *ret_object) ERR_CHECKED;
/* The same of an object within one that is open. */
enum err members_check(struct json_value object) ERR_CHECKED;
/* false: there is none. */
bool members_find(struct json_value object, const char *name, struct json_value *ret_value);

#endif

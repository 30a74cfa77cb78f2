/*
 * args: the query's parameters, decoded.
 *
 * Owns    the decoded text.
 * Promise a name that the request does not know is an error that lists those it does: a typo must
 *         not be a parameter lost. access_token, utm_* and names that begin with _ are let pass.
 * Bound   ARGS_STREAMS_MAX streams; each other parameter once.
 */
#ifndef TAPECAST_FRONT_ARGS_H
#define TAPECAST_FRONT_ARGS_H

#include "base/buf.h"

enum { ARGS_STREAMS_MAX = 64 };

enum { ARGS_NONE = 0, ARGS_READ = 1, ARGS_EVENTS = 2, ARGS_PUBLISH = 4, ARGS_LIST = 8 };

#define ARG(name, text, kinds) ARG_##name,
enum arg {
#include "front/arg_table.h"
	ARG_COUNT
};
#undef ARG

struct args {
	struct buf text;
	struct slice values[ARG_COUNT]; /* at NULL: not given */
	struct slice streams[ARGS_STREAMS_MAX];
	size_t stream_count;
};

void args_init(struct args *args);
void args_fini(struct args *args);

/* kinds: what the request is, ARGS_*. ERR_SYNTAX, ERR_UTF8, ERR_TOO_MANY, ERR_NOMEM with a note. */
enum err args_parse(struct slice query, unsigned kinds, struct args *args) ERR_CHECKED;

/* Given and not empty. */
bool args_has(const struct args *args, enum arg arg);
/* The number given, or `otherwise`. ERR_RANGE with a note that names the parameter and the
 * range. */
enum err args_number(const struct args *args, enum arg arg, uint64_t min, uint64_t max,
		     uint64_t otherwise, uint64_t *ret_number) ERR_CHECKED;
/* One of two words. ERR_SYNTAX with a note. */
enum err args_choice(const struct args *args, enum arg arg, const char *no, const char *yes,
		     bool otherwise, bool *ret_yes) ERR_CHECKED;

#endif

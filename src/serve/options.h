/*
 * options: what the command line and the environment say, checked.
 *
 * Owns    nothing: texts are argv's and the environment's.
 * Promise pure but for getenv. The command line wins over the environment, that over the default. A
 *         refusal names the option, the value and what is allowed.
 */
#ifndef TAPECAST_SERVE_OPTIONS_H
#define TAPECAST_SERVE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "auth/auth.h"
#include "base/slice.h"
#include "stream/tape.h"

enum { OPTIONS_LISTEN_MAX = 16, OPTIONS_ORIGINS_MAX = 64 };

struct options {
#define OPTION(section, key, flag, kind, otherwise, min, max, help, answer) \
	uint64_t section##_##key;
#include "serve/option_table.h"
#undef OPTION
	bool dev;
	bool help;
	bool print_limits;
	struct slice listen[OPTIONS_LISTEN_MAX];
	size_t listen_count;
	struct slice origins[OPTIONS_ORIGINS_MAX];
	size_t origin_count;
	enum slow_policy stream_slow; /* default SLOW_SKIP */
	struct slice jwt_keys[AUTH_FILES_MAX], api_keys[AUTH_FILES_MAX];
	size_t jwt_key_count, api_key_count;
	struct slice jwt_issuer, jwt_audience; /* empty: anyone's */
	bool jwt_exp_optional;
	bool no_auth; /* whoever reaches the port may do anything, and that is meant */
	struct slice cookie_name; /* default "tapecast_token"; empty: no cookie is looked at */
	bool no_query_token;
	struct slice admin; /* the administrators' address, or "off" */
	bool admin_given; /* else it is a wish, and another port will do */
	struct slice redis; /* where it is; empty: the memory backplane */
	struct slice redis_password_file;
	struct slice redis_prefix; /* default "tc1" */
	uint32_t ack_replicas; /* that must have an event before it counts; 0: none */
	struct slice log_level; /* "error", "warn", "info", "debug" */
};

/* argv[0] is passed over. ERR_SYNTAX, ERR_RANGE, ERR_TOO_MANY with a note. */
enum err options_read(int argc, char **argv, struct options *ret_options) ERR_CHECKED;

/* "1.5", "65536", "64k": one value by the rules of its kind. */
enum err option_number(const char *name, const char *kind, struct slice text, uint64_t min,
		       uint64_t max, uint64_t *ret_number) ERR_CHECKED;

void options_print_help(FILE *to);
/* The table of bounds, in Markdown: docs/limits.md. */
void options_print_limits(FILE *to);

#endif

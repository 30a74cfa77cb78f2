/*
 * options_impl: the table's rows, for what reads and what prints them.
 */
#ifndef TAPECAST_SERVE_OPTIONS_IMPL_H
#define TAPECAST_SERVE_OPTIONS_IMPL_H

#include "serve/options.h"

enum { OPTION_NAME_MAX = 48, OPTION_NUMBER_MAX = 48 };

struct option_row {
	const char *name; /* section-key, with "_" inside the key */
	const char *flag; /* a shorter one, or "" */
	const char *kind; /* "COUNT", "BYTES", "TIME" */
	size_t offset; /* of the value, in struct options */
	uint64_t otherwise, min, max;
	const char *help;
	const char *answer;
};

/* --- option_auth.c: each takes one option's text --- */
enum err option_list(const char *name, struct slice text, struct slice *list, size_t *count,
		     size_t count_max) ERR_CHECKED; /* options.c */
enum err take_jwt_key(const char *name, struct slice text, struct options *options) ERR_CHECKED;
enum err take_api_key(const char *name, struct slice text, struct options *options) ERR_CHECKED;
enum err take_jwt_issuer(const char *name, struct slice text, struct options *options)
	ERR_CHECKED;
enum err take_jwt_audience(const char *name, struct slice text, struct options *options)
	ERR_CHECKED;
enum err take_jwt_exp(const char *name, struct slice text, struct options *options) ERR_CHECKED;
enum err take_no_auth(const char *name, struct slice text, struct options *options) ERR_CHECKED;
enum err take_cookie_name(const char *name, struct slice text, struct options *options)
	ERR_CHECKED;
enum err take_query_token(const char *name, struct slice text, struct options *options)
	ERR_CHECKED;

extern const struct option_row option_rows[];
extern const size_t option_row_count;

/* "session-retry-min" */
void option_flag(const struct option_row *row, char ret_flag[OPTION_NAME_MAX]);
/* As option_number reads it: "1.5". */
void option_number_text(const char *kind, uint64_t number, char ret_text[OPTION_NUMBER_MAX]);

#endif

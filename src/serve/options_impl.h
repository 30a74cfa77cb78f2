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

extern const struct option_row option_rows[];
extern const size_t option_row_count;

/* "session-retry-min" */
void option_flag(const struct option_row *row, char ret_flag[OPTION_NAME_MAX]);
/* As option_number reads it: "1.5". */
void option_number_text(const char *kind, uint64_t number, char ret_text[OPTION_NUMBER_MAX]);

#endif

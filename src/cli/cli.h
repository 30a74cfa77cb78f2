/*
 * cli: what the commands share: exit codes, the options about the server, how refusals are told.
 *
 * Thread  main; each command is one call.
 * Promise results go to standard output, everything said to people goes to standard error.
 */
#ifndef TAPECAST_CLI_CLI_H
#define TAPECAST_CLI_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

/* Written down in tapecast.1: scripts rely on them. */
enum {
	EXIT_FINE = 0,
	EXIT_REFUSED = 1,      /* the server said no, or the input is not what it should be */
	EXIT_ENDED_FAILED = 3, /* sub: a stream ended, and its publisher said "failed" */
	EXIT_ENDED_CANCELLED = 4,
	EXIT_USAGE = 64,
	EXIT_UNAVAILABLE = 69,  /* cannot connect, or the connection was cut */
	EXIT_INTERNAL = 70,     /* out of memory, standard output gone */
	EXIT_TIMED_OUT = 124,   /* as timeout(1) says it */
	EXIT_INTERRUPTED = 130, /* 128 + SIGINT, as shells say it */
};

int pub_main(int argc, char **argv);
int sub_main(int argc, char **argv);
int bench_main(int argc, char **argv);
int token_main(int argc, char **argv);
int doctor_main(int argc, char **argv);

/* The options of every command that talks to a server. */
struct cli_common {
	const char *url, *token, *token_file;
	bool quiet;
};

enum { OPTION_URL = 256, OPTION_TOKEN, OPTION_TOKEN_FILE, OPTION_OWN };

#define CLI_COMMON_SHORT "u:qh"
/* clang-format off */
#define CLI_COMMON_LONG \
	{ "url", required_argument, NULL, OPTION_URL }, \
	{ "token", required_argument, NULL, OPTION_TOKEN }, \
	{ "token-file", required_argument, NULL, OPTION_TOKEN_FILE }, \
	{ "quiet", no_argument, NULL, 'q' }, \
	{ "help", no_argument, NULL, 'h' }
/* clang-format on */

/* Takes one of the options above; false: it is the command's own (or getopt's '?'). */
bool cli_common_take(struct cli_common *common, int option, const char *value);

/* "COMMAND: text" and where to read more, to standard error; returns EXIT_USAGE. NULL: getopt has
 * told already. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "COMMAND: text" to standard error. */
void cli_tell(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tells err and its note, with a hint where there is one; returns the exit code that fits. */
int cli_fail(const char *command, enum err err);

/* A whole number in [min, max], nothing else. ERR_SYNTAX, ERR_RANGE with a note. */
enum err cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number) ERR_CHECKED;

/* Seconds with up to three decimals, as milliseconds. ERR_SYNTAX with a note. */
enum err cli_seconds(const char *text, uint64_t *ret_ms) ERR_CHECKED;

/* All of it to descriptor 1. ERR_CLOSED. */
enum err cli_print(struct slice bytes) ERR_CHECKED;

uint64_t cli_now_ms(void);
/* Waits; a pause between attempts, never a way to wait for news. */
void cli_pause(uint64_t wait_ms);

#endif

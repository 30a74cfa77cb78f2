/*
 * help: what --help says. Texts teach by example; every option stands in the man page too, and a
 *       test compares the two.
 */
#ifndef TAPECAST_CLI_HELP_H
#define TAPECAST_CLI_HELP_H

extern const char help_tapecast[], help_pub[], help_sub[], help_bench[], help_token[],
	help_doctor[];

/* To standard output; returns the exit code. */
int help_print(const char *text);

#endif

/*
 * main: which command is meant.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "serve/serve.h"

struct command {
	const char *name;
	const char *full_name; /* what getopt and messages call it */
	int (*run)(int argc, char **argv);
	const char *help; /* NULL: it prints its own */
};

static const struct command commands[] = {
	{ "serve", "tapecast serve", serve_main, NULL },
	{ "pub", "tapecast pub", pub_main, help_pub },
	{ "sub", "tapecast sub", sub_main, help_sub },
	{ "bench", "tapecast bench", bench_main, help_bench },
	{ "token", "tapecast token", token_main, help_token },
	{ "doctor", "tapecast doctor", doctor_main, help_doctor },
};

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int command_run(const struct command *command, int argc, char **argv)
{
	char name[32];
	(void)snprintf(name, sizeof name, "%s", command->full_name);
	argv[0] = name;
	return command->run(argc, argv);
}

static int help_for(int argc, char **argv)
{
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
	char flag[] = "--help";
	char *asked[] = { argv[0], flag, NULL };

	if (argc < 2)
		return help_print(help_tapecast);
	if (!command)
		return cli_usage("tapecast", "there is no command '%s'", argv[1]);
	return command->help ? help_print(command->help) : command_run(command, 2, asked);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fputs(help_tapecast, stderr);
		return EXIT_USAGE;
	}
	const char *word = argv[1];
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return help_print("tapecast " PACKAGE_VERSION "\n");
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return help_print(help_tapecast);
	if (strcmp(word, "help") == 0)
		return help_for(argc - 1, argv + 1);

	const struct command *command = command_find(word);
	if (!command)
		return cli_usage("tapecast", "there is no command '%s'", word);
	return command_run(command, argc - 1, argv + 1);
}

/*
 * doctor: looks at the Redis that nodes are to share; each finding with the line that mends it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/redis_doctor.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "world/world.h"

static const char command[] = "tapecast doctor";

enum { OPTION_REDIS = OPTION_OWN, OPTION_PASSWORD_FILE };

struct visit {
	size_t wrong, advice;
};

static uint64_t wall_ms(void *arg)
{
	struct world *world = world_linux();
	(void)arg;
	return world->ops->wall_ms(world);
}

static void found(void *arg, const struct finding *finding)
{
	static const char *const words[] = {
		[FINDING_FINE] = "fine", [FINDING_ADVICE] = "advice", [FINDING_WRONG] = "wrong",
	};
	struct visit *visit = arg;

	visit->wrong += finding->level == FINDING_WRONG;
	visit->advice += finding->level == FINDING_ADVICE;
	(void)printf("%-7s %s\n", words[finding->level], finding->what);
	if (*finding->mend)
		(void)printf("        mend: %s\n", finding->mend);
}

/* The first line of the file. */
static enum err password_read(const char *path, char ret_password[REDIS_PASSWORD_MAX])
{
	FILE *from = fopen(path, "re");
	if (!from)
		return err_note(ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
	char *line = fgets(ret_password, REDIS_PASSWORD_MAX, from);
	(void)fclose(from);
	ret_password[line ? strcspn(line, "\r\n") : 0] = '\0';
	return *ret_password ? OK : err_note(ERR_SYNTAX, "%s has no password", path);
}

static int doctor_end(enum err err, const struct visit *visit)
{
	if (err)
		return cli_fail(command, err);
	(void)printf("%zu wrong, %zu to think about\n", visit->wrong, visit->advice);
	if (fflush(stdout) != 0)
		return EXIT_INTERNAL;
	return visit->wrong ? EXIT_REFUSED : EXIT_FINE;
}

int doctor_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "redis", required_argument, NULL, OPTION_REDIS },
		{ "redis-password-file", required_argument, NULL, OPTION_PASSWORD_FILE },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *where = getenv("TAPECAST_REDIS");
	const char *file = getenv("TAPECAST_REDIS_PASSWORD_FILE");
	struct visit visit = { 0 };
	struct redis_doctor doctor = { .wall_ms = wall_ms, .found = found, .arg = &visit };
	int option;

	while ((option = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (option == 'h')
			return help_print(help_doctor);
		else if (option == OPTION_REDIS)
			where = optarg;
		else if (option == OPTION_PASSWORD_FILE)
			file = optarg;
		else
			return cli_usage(command, NULL);
	}
	if (optind < argc)
		return cli_usage(command, "'%s' is one word too many", argv[optind]);
	if (!where || !*where)
		return cli_usage(command, "which Redis? --redis redis://host:6379");
	enum err err = redis_place_parse(slice_of(where), &doctor.place);
	if (err)
		return cli_usage(command, "%s", err_note_text());
	if (file && *file)
		err = password_read(file, doctor.password);
	if (!err)
		err = redis_doctor_look(&doctor);
	return doctor_end(err, &visit);
}

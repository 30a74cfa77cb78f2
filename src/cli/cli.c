#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "world/world.h"

enum { SECONDS_MAX = 1000000 };

bool cli_common_take(struct cli_common *common, int option, const char *value)
{
	switch (option) {
	case 'u':
	case OPTION_URL:
		common->url = value;
		return true;
	case OPTION_TOKEN:
		common->token = value;
		return true;
	case OPTION_TOKEN_FILE:
		common->token_file = value;
		return true;
	case 'q':
		common->quiet = true;
		return true;
	default:
		return false;
	}
}

/* One fprintf a line, so that lines of a pipeline's commands do not mix. */
static void tell(const char *command, const char *format, va_list args)
{
	char text[1024];
	(void)vsnprintf(text, sizeof text, format, args);
	(void)fprintf(stderr, "%s: %s\n", command, text);
}

void cli_tell(const char *command, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	tell(command, format, args);
	va_end(args);
}

int cli_usage(const char *command, const char *format, ...)
{
	if (format) {
		va_list args;
		va_start(args, format);
		tell(command, format, args);
		va_end(args);
	}
	(void)fprintf(stderr, "Try '%s --help'.\n", command);
	return EXIT_USAGE;
}

int cli_fail(const char *command, enum err err)
{
	const char *note = err_note_text();
	cli_tell(command, "%s", note[0] ? note : err_text(err));
	switch (err) {
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return EXIT_UNAVAILABLE;
	case ERR_NOMEM:
	case ERR_SYSTEM:
	case ERR_CLOSED:
		return EXIT_INTERNAL;
	default:
		return EXIT_REFUSED;
	}
}

enum err cli_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	unsigned long long number;
	if (!slice_to_u64(slice_of(text), &number))
		return err_note(ERR_SYNTAX, "'%s' is not a whole number", text);
	if (number < min || number > max)
		return err_note(ERR_RANGE, "%s is not between %llu and %llu", text,
				(unsigned long long)min, (unsigned long long)max);
	*ret_number = number;
	return OK;
}

enum err cli_seconds(const char *text, uint64_t *ret_ms)
{
	struct slice whole = slice_of(text);
	const char *dot = strchr(text, '.');
	uint64_t fraction_ms = 0;

	if (dot) {
		whole.bytes = (size_t)(dot - text);
		uint64_t weight_ms = 100;
		for (const char *digit = dot + 1; *digit; digit++, weight_ms /= 10) {
			if (*digit < '0' || *digit > '9' || !weight_ms)
				return err_note(ERR_SYNTAX,
						"'%s' is not a number of seconds "
						"(three decimals at most)",
						text);
			fraction_ms += weight_ms * (uint64_t)(*digit - '0');
		}
	}
	unsigned long long seconds;
	if (!slice_to_u64(whole, &seconds) || seconds > SECONDS_MAX)
		return err_note(ERR_SYNTAX, "'%s' is not a number of seconds", text);
	*ret_ms = seconds * 1000 + fraction_ms;
	return OK;
}

enum err cli_print(struct slice bytes)
{
	while (bytes.bytes) {
		ssize_t count = write(STDOUT_FILENO, bytes.at, bytes.bytes);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return err_note(ERR_CLOSED, "standard output: %s", strerror(errno));
		bytes.at += count;
		bytes.bytes -= (size_t)count;
	}
	return OK;
}

uint64_t cli_now_ms(void)
{
	struct world *world = world_linux();
	return world->ops->now_ms(world);
}

void cli_pause(uint64_t wait_ms)
{
	uint64_t until_ms = cli_now_ms() + wait_ms;
	for (uint64_t now_ms = cli_now_ms(); now_ms < until_ms; now_ms = cli_now_ms())
		(void)poll(NULL, 0, (int)(until_ms - now_ms));
}

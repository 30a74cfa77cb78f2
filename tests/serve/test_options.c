#include "serve/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/mem.h"

enum { ARGS_MAX = 16 };

static struct options options;

/* One line, cut at blanks. */
static enum err read_line(const char *line)
{
	static char text[512];
	char *argv[ARGS_MAX] = { text };
	int argc = 1;
	(void)snprintf(text, sizeof text, "serve %s", line);
	for (char *at = text; *at; at++) {
		if (*at != ' ')
			continue;
		*at = '\0';
		if (at[1])
			argv[argc++] = at + 1;
	}
	return options_read(argc, argv, &options);
}

static void refused(const char *line, const char *note)
{
	assert_true(read_line(line) != OK);
	if (!strstr(err_note_text(), note))
		fail_msg("\"%s\": the note is \"%s\", without \"%s\"", line, err_note_text(), note);
}

static void defaults_hold_where_nothing_is_said(void **state)
{
	(void)state;
	assert_int_equal(read_line(""), OK);
	assert_int_equal(options.session_heartbeat, 15000);
	assert_int_equal(options.event_bytes, 65536);
	assert_int_equal(options.drain_window, 5000);
	assert_int_equal(options.listen_count, 1);
	assert_true(slice_equal(options.listen[0], SLICE("127.0.0.1:8080")));
	assert_false(options.dev || options.help || options.print_limits);
}

static void every_form_of_an_option(void **state)
{
	(void)state;
	assert_int_equal(read_line("--session-max 5 --heartbeat 1.5 --event-bytes=1k --dev "
				   "--listen :1 --listen :2,:3 --log-level warn"), OK);
	assert_int_equal(options.session_max, 5);
	assert_int_equal(options.session_heartbeat, 1500);
	assert_int_equal(options.event_bytes, 1024);
	assert_true(options.dev);
	assert_int_equal(options.drain_window, 500); /* shorter in development */
	assert_int_equal(options.session_retry_max, 600);
	assert_int_equal(options.listen_count, 3);
	assert_true(slice_equal(options.listen[2], SLICE(":3")));
	assert_true(slice_equal(options.log_level, SLICE("warn")));
	assert_int_equal(read_line("--dev --drain-window 7"), OK);
	assert_int_equal(options.drain_window, 7000);
	assert_int_equal(read_line("--dev=0 -h --print-limits"), OK);
	assert_true(!options.dev && options.help && options.print_limits);
	assert_int_equal(read_line("--session-retry-min 2 --session-retry-max 2"), OK);
	assert_int_equal(read_line("--session-max 1 --session-max 2"), OK);
	assert_int_equal(options.session_max, 2); /* the last one */
}

static void slips_are_guessed(void **state)
{
	(void)state;
	refused("--sesion-max 5", "did you mean --session-max?");
	refused("--hartbeat 5", "did you mean --heartbeat?");
	refused("--loop 2", "did you mean --loops?");
	refused("--lisen :1", "did you mean --listen?");
	refused("--retry_min 2", "there is no option --retry_min");
	refused("--entirely-different 2", "there is no option");
	assert_null(strstr(err_note_text(), "did you mean"));
	refused("--a-name-that-is-longer-than-any-option-could-ever-be-in-this-program-or-any 2",
		"no option");
}

static void numbers_are_checked(void **state)
{
	(void)state;
	refused("--session-max 0", "\"0\" is not a number from 1 to 10000000");
	refused("--session-max 10000001", "from 1 to 10000000");
	refused("--session-max -1", "\"-1\"");
	refused("--session-max 1.5", "\"1.5\"");
	refused("--session-max", "a value is missing");
	refused("--heartbeat 0.049", "of seconds from 0.05 to 3600");
	refused("--heartbeat 1.", "1.");
	refused("--heartbeat 1.2345", "1.2345");
	refused("--heartbeat 1s", "1s");
	refused("--heartbeat .", "seconds");
	refused("--event-bytes 1x", "of bytes (64k, 1m, 2g)");
	refused("--event-bytes 99999999999999999999g", "bytes");
	refused("--event-bytes 17179869184g", "bytes"); /* 2^64 */
	refused("--dev=yes", "1 or 0");
	refused("--session-retry-min 9", "more than --session-retry-max");
}

static void numbers_as_people_write_them(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *text;
		uint64_t number;
	} rows[] = {
		{ "TIME", "0", 0 }, { "TIME", "0.5", 500 }, { "TIME", ".25", 250 },
		{ "TIME", "1.005", 1005 }, { "TIME", "3600", 3600000 }, { "TIME", "0.050", 50 },
		{ "BYTES", "0", 0 }, { "BYTES", "64k", 65536 }, { "BYTES", "64K", 65536 },
		{ "BYTES", "2m", 2097152 }, { "BYTES", "1GiB", 1073741824 },
		{ "BYTES", "1kib", 1024 },
		{ "COUNT", "007", 7 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t number = 1;
		assert_int_equal(option_number("x", rows[i].kind, slice_of(rows[i].text), 0,
					       UINT64_MAX, &number), OK);
		assert_int_equal(number, rows[i].number);
	}
	uint64_t untouched = 42;
	assert_int_equal(option_number("x", "COUNT", SLICE("9"), 1, 8, &untouched), ERR_RANGE);
	assert_int_equal(option_number("x", "COUNT", SLICE("x"), 1, 8, &untouched), ERR_SYNTAX);
	assert_int_equal(untouched, 42);
}

static void addresses_and_origins_are_lists(void **state)
{
	(void)state;
	assert_int_equal(read_line("--cors-origins https://a.example,http://localhost:3000"), OK);
	assert_int_equal(options.origin_count, 2);
	refused("--cors-origins *", "is not an origin");
	refused("--cors-origins https://a.example/", "is not an origin");
	refused("--cors-origins https://*.example", "is not an origin");
	refused("--cors-origins a.example", "is not an origin");
	refused("--listen :1,", "missing");
	refused("--listen ,:1", "missing");
	refused("--listen=", "missing");
	refused("--listen :1,:2,:3,:4,:5,:6,:7,:8,:9,:10,:11,:12,:13,:14,:15,:16,:17",
		"at most 16");
	refused("--log-level loud", "error, warn, info or debug");
	refused("--stream-slow drop", "skip, coalesce or close");
	refused("stray", "\"stray\" is no option");
	refused("-", "no option");
	refused("--", "no option");
	refused("--=5", "no option");
}

static void the_command_line_wins_over_the_environment(void **state)
{
	(void)state;
	(void)setenv("TAPECAST_SESSION_RETRY_MIN", "0.25", 1);
	(void)setenv("TAPECAST_LISTEN", ":7,:8", 1);
	(void)setenv("TAPECAST_DEV", "1", 1);
	assert_int_equal(read_line(""), OK);
	assert_int_equal(options.session_retry_min, 250);
	assert_int_equal(options.listen_count, 2);
	assert_true(options.dev);
	assert_int_equal(read_line("--session-retry-min 1 --listen :9 --dev=0"), OK);
	assert_int_equal(options.session_retry_min, 1000);
	assert_int_equal(options.listen_count, 1); /* instead of, not beside */
	assert_false(options.dev);
	(void)setenv("TAPECAST_SESSION_RETRY_MIN", "soon", 1);
	refused("", "TAPECAST_SESSION_RETRY_MIN: \"soon\"");
	(void)unsetenv("TAPECAST_SESSION_RETRY_MIN");
	(void)unsetenv("TAPECAST_LISTEN");
	(void)unsetenv("TAPECAST_DEV");
}

static void every_default_is_within_its_bounds(void **state)
{
	(void)state;
#define OPTION(section, key, flag, kind, otherwise, min, max, help, answer) \
	assert_true((uint64_t)(otherwise) >= (uint64_t)(min) && \
		    (uint64_t)(otherwise) <= (uint64_t)(max));
#include "serve/option_table.h"
#undef OPTION
}

static int teardown(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, teardown)
	const struct CMUnitTest tests[] = {
		TEST(defaults_hold_where_nothing_is_said),
		TEST(every_form_of_an_option),
		TEST(slips_are_guessed),
		TEST(numbers_are_checked),
		TEST(numbers_as_people_write_them),
		TEST(addresses_and_origins_are_lists),
		TEST(the_command_line_wins_over_the_environment),
		TEST(every_default_is_within_its_bounds),
	};
	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}

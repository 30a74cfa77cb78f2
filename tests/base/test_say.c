#include "base/say.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int out_fds[2]; /* a pipe: we read [0], say writes [1] */
static uint64_t fake_wall_ms;

static uint64_t fake_clock(void)
{
	return fake_wall_ms;
}

static const char *said(void)
{
	static char text[65536];
	ssize_t got = read(out_fds[0], text, sizeof text - 1);
	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void a_line_is_its_level_event_and_fields(void **state)
{
	(void)state;
	say(SAY_INFO, "listening", "address", "127.0.0.1:8080", "loops", "2", NULL);
	assert_string_equal(said(), "level=info event=listening address=127.0.0.1:8080 loops=2\n");
	say(SAY_ERROR, "bare", NULL);
	assert_string_equal(said(), "level=error event=bare\n");
}

static void a_value_cannot_break_the_line_or_forge_a_field(void **state)
{
	(void)state;
	say(SAY_WARN, "x", "v", "a\nlevel=error event=forged", NULL);
	assert_string_equal(said(), "level=warn event=x v=\"a\\nlevel=error event=forged\"\n");
	say(SAY_WARN, "x", "v", "\" w=\"1", NULL);
	assert_string_equal(said(), "level=warn event=x v=\"\\\" w=\\\"1\"\n");
	say(SAY_WARN, "x", "v", "\r\t\x1b[31m\x7f\\", NULL);
	assert_string_equal(said(), "level=warn event=x v=\"\\r\\t\\x1b[31m\\x7f\\\\\"\n");
	say(SAY_WARN, "x", "v", "a\"b", "w", "c\\d", NULL);
	assert_string_equal(said(), "level=warn event=x v=\"a\\\"b\" w=\"c\\\\d\"\n");
	say(SAY_WARN, "x", "a", "", "b", " ", "c", "k=v", "d", "\xc3\xa9", NULL);
	assert_string_equal(said(), "level=warn event=x a=\"\" b=\" \" c=\"k=v\" d=\xc3\xa9\n");
}

static void every_byte_of_a_value_leaves_one_line(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char value[] = { 'a', (char)byte, 'b', '\0' };
		say(SAY_INFO, "x", "v", value, NULL);
		const char *line = said();
		assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
		for (const char *at = line; *at != '\n'; at++)
			assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
	}
}

static void a_long_value_is_cut_and_the_line_still_ends(void **state)
{
	(void)state;
	char value[4000];
	static const char fills[] = { 'x', ' ', '\n', '\x01' };
	for (size_t i = 0; i < sizeof fills; i++) {
		memset(value, fills[i], sizeof value - 1);
		value[sizeof value - 1] = '\0';
		say(SAY_INFO, "x", "v", value, "after", "y", NULL);
		const char *line = said();
		size_t bytes = strlen(line);
		assert_in_range(bytes, SAY_LINE_BYTES_MAX - 8, SAY_LINE_BYTES_MAX);
		assert_int_equal(line[bytes - 1], '\n');
		assert_null(strstr(line, "after"));
		if (fills[i] != 'x')
			assert_int_equal(line[bytes - 2], '"');
	}
}

static void levels_above_the_one_set_are_silent(void **state)
{
	(void)state;
	say(SAY_DEBUG, "quiet", NULL);
	assert_string_equal(said(), "");
	say_level_set(SAY_DEBUG);
	say(SAY_DEBUG, "loud", NULL);
	assert_string_equal(said(), "level=debug event=loud\n");
	say_level_set(SAY_ERROR);
	say(SAY_WARN, "quiet", NULL);
	assert_string_equal(said(), "");
}

static void the_clock_gives_the_time_in_utc(void **state)
{
	(void)state;
	fake_wall_ms = 1700000000007;
	say_clock_set(fake_clock);
	say(SAY_INFO, "x", NULL);
	assert_string_equal(said(), "time=2023-11-14T22:13:20.007Z level=info event=x\n");
}

static void more_lines_a_second_than_allowed_are_counted_instead(void **state)
{
	(void)state;
	fake_wall_ms = 5000;
	say_clock_set(fake_clock);
	uint64_t dropped = say_dropped();
	for (int i = 0; i < SAY_LINES_PER_S_MAX; i++)
		say(SAY_INFO, "x", NULL);
	assert_int_equal(say_dropped(), dropped);
	say(SAY_INFO, "one too many", NULL);
	assert_int_equal(say_dropped(), dropped + 1);
	assert_null(strstr(said(), "too many"));
	fake_wall_ms = 6000;
	say(SAY_INFO, "again", NULL);
	assert_non_null(strstr(said(), "event=again"));
	assert_int_equal(say_dropped(), dropped + 1);
}

static void a_reader_that_stalls_costs_lines_and_never_time(void **state)
{
	(void)state;
	char value[900];
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	uint64_t dropped = say_dropped();
	for (int i = 0; i < 200; i++) /* more than a pipe holds; a blocking write would hang here */
		say(SAY_INFO, "x", "v", value, NULL);
	assert_true(say_dropped() > dropped);
	assert_int_equal(strchr(said(), '\n')[1], 'l');
}

static void a_socket_works_as_well_and_may_be_full(void **state)
{
	(void)state;
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	say_fd_set(pair[1]);
	say(SAY_INFO, "x", NULL);
	char text[100] = "";
	assert_true(recv(pair[0], text, sizeof text - 1, 0) > 0);
	assert_string_equal(text, "level=info event=x\n");

	uint64_t dropped = say_dropped();
	for (int i = 0; i < 20000 && say_dropped() == dropped; i++)
		say(SAY_INFO, "filling", NULL);
	assert_true(say_dropped() > dropped);
	(void)close(pair[0]);
	say(SAY_INFO, "nobody is there", NULL);
	(void)close(pair[1]);
}

static int setup(void **state)
{
	(void)state;
	if (pipe(out_fds) < 0 || fcntl(out_fds[0], F_SETFL, O_NONBLOCK) < 0)
		return -1;
	say_fd_set(out_fds[1]);
	say_level_set(SAY_INFO);
	say_clock_set(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)close(out_fds[0]);
	(void)close(out_fds[1]);
	say_fd_set(STDERR_FILENO);
	return 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_its_level_event_and_fields),
		TEST(a_value_cannot_break_the_line_or_forge_a_field),
		TEST(every_byte_of_a_value_leaves_one_line),
		TEST(a_long_value_is_cut_and_the_line_still_ends),
		TEST(levels_above_the_one_set_are_silent),
		TEST(the_clock_gives_the_time_in_utc),
		TEST(more_lines_a_second_than_allowed_are_counted_instead),
		TEST(a_reader_that_stalls_costs_lines_and_never_time),
		TEST(a_socket_works_as_well_and_may_be_full),
	};
	return cmocka_run_group_tests_name("say", tests, NULL, NULL);
}

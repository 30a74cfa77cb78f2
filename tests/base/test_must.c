#include "base/must.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dies.h"

struct thing {
	uint32_t tag;
};

static void must_be_a_thing(void *arg)
{
	struct thing *thing = arg;
	MUST_BE(thing, 0x1234u);
}

static void passes_what_holds(void **state)
{
	(void)state;
	struct thing thing = { .tag = 0x1234u };
	MUST(thing.tag);
	must_be_a_thing(&thing);
	assert_false(dies(must_be_a_thing, &thing));
}

static void aborts_on_another_tag_and_on_null(void **state)
{
	(void)state;
	struct thing thing = { .tag = 0 };
	assert_true(dies(must_be_a_thing, &thing));
	assert_true(dies(must_be_a_thing, NULL));
}

static void says_where_and_what(void **state)
{
	(void)state;
	int pipe_fds[2];
	assert_int_equal(pipe(pipe_fds), 0);
	pid_t child = fork();
	if (child == 0) {
		struct rlimit none = { 0, 0 };
		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL);
		(void)dup2(pipe_fds[1], STDERR_FILENO);
		must_fail("some/file.c", 42, "function", "sky == blue");
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	char text[200] = "";
	assert_true(read(pipe_fds[0], text, sizeof text - 1) > 0);
	assert_non_null(strstr(text, "some/file.c:42: function: must hold: sky == blue\n"));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_what_holds),
		cmocka_unit_test(aborts_on_another_tag_and_on_null),
		cmocka_unit_test(says_where_and_what),
	};
	return cmocka_run_group_tests_name("must", tests, NULL, NULL);
}

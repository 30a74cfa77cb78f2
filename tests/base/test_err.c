#include "base/err.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_code_has_its_own_name_and_a_text(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		assert_true(strlen(err_name((enum err)i)) > 1);
		assert_true(strlen(err_text((enum err)i)) > 1);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(err_name((enum err)i), err_name((enum err)j));
	}
	assert_string_equal(err_name(ERR_NOMEM), "NOMEM");
	assert_string_equal(err_text(ERR_NOMEM), "out of memory");
}

static void a_number_that_is_no_code_has_a_name_too(void **state)
{
	(void)state;
	assert_string_equal(err_name(ERR_COUNT), "?");
	assert_string_equal(err_text((enum err)-1), "?");
}

static void a_note_returns_its_code_and_is_prefixed_on_the_way_up(void **state)
{
	(void)state;
	assert_int_equal(err_note(ERR_SYNTAX, "column %d", 7), ERR_SYNTAX);
	assert_int_equal(err_prefix(ERR_SYNTAX, "line %d", 3), ERR_SYNTAX);
	assert_string_equal(err_note_text(), "line 3: column 7");
}

static void a_prefix_without_a_note_stands_before_the_text(void **state)
{
	(void)state;
	assert_int_equal(err_prefix(ERR_FULL, "hub"), ERR_FULL);
	assert_string_equal(err_note_text(), "hub: full");
}

static void a_long_note_is_cut_and_ends(void **state)
{
	(void)state;
	char text[2 * ERR_NOTE_BYTES_MAX];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	err_note(ERR_RANGE, "%s", text);
	assert_int_equal(strlen(err_note_text()), ERR_NOTE_BYTES_MAX - 1);
	err_prefix(ERR_RANGE, "%s", text);
	assert_int_equal(strlen(err_note_text()), ERR_NOTE_BYTES_MAX - 1);
}

static void a_note_may_quote_the_note_before_it(void **state)
{
	(void)state;
	err_note(ERR_RANGE, "inner");
	err_note(ERR_RANGE, "outer (%s)", err_note_text());
	assert_string_equal(err_note_text(), "outer (inner)");
}

static void *note_in_a_thread(void *arg)
{
	err_note(ERR_RANGE, "theirs");
	return arg;
}

static void a_note_belongs_to_its_thread(void **state)
{
	(void)state;
	pthread_t thread;
	err_note(ERR_RANGE, "mine");
	assert_int_equal(pthread_create(&thread, NULL, note_in_a_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_string_equal(err_note_text(), "mine");
}

static int setup(void **state)
{
	(void)state;
	err_note_clear();
	return *err_note_text() ? -1 : 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup(fn, setup)
	const struct CMUnitTest tests[] = {
		TEST(every_code_has_its_own_name_and_a_text),
		TEST(a_number_that_is_no_code_has_a_name_too),
		TEST(a_note_returns_its_code_and_is_prefixed_on_the_way_up),
		TEST(a_prefix_without_a_note_stands_before_the_text),
		TEST(a_long_note_is_cut_and_ends),
		TEST(a_note_may_quote_the_note_before_it),
		TEST(a_note_belongs_to_its_thread),
	};
	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}

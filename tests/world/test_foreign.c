#include "world/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int set_fd;
static int pair[2];

/* What the set says at once: 0 if nothing. */
static uint32_t heard(void **ret_token)
{
	struct epoll_event event = { .events = 0 };
	if (epoll_wait(set_fd, &event, 1, 0) != 1)
		return 0;
	*ret_token = event.data.ptr;
	return event.events;
}

static void what_is_taken_out_is_heard_no_more(void **state)
{
	(void)state;
	void *token = NULL;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &event };
	assert_int_equal(epoll_ctl(set_fd, EPOLL_CTL_ADD, pair[0], &event), 0);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	assert_int_equal(heard(&token), EPOLLIN);
	assert_ptr_equal(token, &event);
	assert_int_equal(foreign_take(set_fd, pair[0]), OK);
	assert_int_equal(heard(&token), 0);
	assert_int_equal(foreign_take(set_fd, pair[0]), ERR_NOT_FOUND);
}

static void a_mute_member_tells_only_its_end(void **state)
{
	(void)state;
	void *token = NULL;
	int mark;
	assert_int_equal(foreign_put_mute(set_fd, pair[0], &mark), OK);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	assert_int_equal(heard(&token), 0);
	(void)close(pair[1]);
	pair[1] = -1;
	assert_true(heard(&token) & EPOLLHUP);
	assert_ptr_equal(token, &mark);
}

static void hearing_is_switched_off_and_on(void **state)
{
	(void)state;
	void *token = NULL;
	int mark;
	assert_int_equal(foreign_hear(set_fd, pair[0], true, NULL), ERR_NOT_FOUND);
	assert_int_equal(foreign_put_mute(set_fd, pair[0], NULL), OK);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	assert_int_equal(foreign_hear(set_fd, pair[0], true, &mark), OK);
	assert_int_equal(heard(&token), EPOLLIN);
	assert_ptr_equal(token, &mark);
	assert_int_equal(foreign_hear(set_fd, pair[0], false, &mark), OK);
	assert_int_equal(heard(&token), 0);
}

static void a_nest_is_readable_when_a_member_is(void **state)
{
	(void)state;
	void *token = NULL;
	int nest_fd = -1;
	assert_int_equal(nest_new(&nest_fd), OK);
	assert_int_equal(nest_add(nest_fd, pair[0]), OK);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &nest_fd };
	assert_int_equal(epoll_ctl(set_fd, EPOLL_CTL_ADD, nest_fd, &event), 0);
	assert_int_equal(heard(&token), 0);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	assert_int_equal(heard(&token), EPOLLIN);
	(void)close(nest_fd);
}

static void what_is_no_set_is_refused_with_a_note(void **state)
{
	(void)state;
	err_note_clear();
	assert_int_equal(nest_add(pair[0], pair[1]), ERR_SYSTEM);
	assert_true(*err_note_text());
}

static int setup(void **state)
{
	(void)state;
	set_fd = epoll_create1(EPOLL_CLOEXEC);
	return set_fd >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	(void)close(set_fd);
	(void)close(pair[0]);
	if (pair[1] >= 0)
		(void)close(pair[1]);
	return 0;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_taken_out_is_heard_no_more),
		TEST(a_mute_member_tells_only_its_end),
		TEST(hearing_is_switched_off_and_on),
		TEST(a_nest_is_readable_when_a_member_is),
		TEST(what_is_no_set_is_refused_with_a_note),
	};
	return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}

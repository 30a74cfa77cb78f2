#include "world/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void a_port_on_which_somebody_listens_is_taken_though_it_is_shared(void **state)
{
	(void)state;
	struct address address;
	int fd;
	assert_int_equal(address_parse(SLICE("127.0.0.1:0"), &address), OK);
	assert_int_equal(port_check(&address), OK);
	assert_int_equal(listen_on(&address, &fd), OK);
	err_note_clear();
	assert_int_equal(port_check(&address), ERR_SYSTEM);
	assert_non_null(strstr(err_note_text(), "is in use"));
	(void)close(fd);
	assert_int_equal(port_check(&address), OK);
}

static void what_is_wrong_otherwise_is_left_to_listen_on(void **state)
{
	(void)state;
	struct address address;
	assert_int_equal(address_parse(SLICE("192.0.2.1:0"), &address), OK);
	assert_int_equal(port_check(&address), OK);
	address.sa.ss_family = 255;
	assert_int_equal(port_check(&address), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_on_which_somebody_listens_is_taken_though_it_is_shared),
		cmocka_unit_test(what_is_wrong_otherwise_is_left_to_listen_on),
	};
	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}

#include "world/listen.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static void reads_every_form_and_writes_it_back(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *formatted;
		bool is_loopback;
	} rows[] = {
		{ "127.0.0.1:8080", "127.0.0.1:8080", true },
		{ "localhost:1", "127.0.0.1:1", true },
		{ "LocalHost:1", "127.0.0.1:1", true },
		{ "127.9.9.9:65535", "127.9.9.9:65535", true },
		{ "10.0.0.1:80", "10.0.0.1:80", false },
		{ "0.0.0.0:80", "0.0.0.0:80", false },
		{ ":8080", "[::]:8080", false },
		{ "[::1]:8080", "[::1]:8080", true },
		{ "[::]:0", "[::]:0", false },
		{ "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", true },
		{ "[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80", false },
		{ "[2001:db8::7f00:1]:80", "[2001:db8::7f00:1]:80", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct address address;
		char text[ADDRESS_TEXT_MAX];
		assert_int_equal(address_parse(slice_of(rows[i].text), &address), OK);
		address_format(&address, text);
		assert_string_equal(text, rows[i].formatted);
		assert_int_equal(address_is_loopback(&address), rows[i].is_loopback);
	}
}

static void refuses_what_is_no_address_with_a_note(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", ":", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
		"127.0.0.1:+1", "127.0.0.1: 1", "127.0.0.1:80x", "256.0.0.1:80", "127.1:80",
		"example.org:80", "::1:80", "[::1]", "[::1]80", "[]:80", "[127.0.0.1]:80",
		"[::1:80", "::1]:80", "[fe80::1%eth0]:80", " 127.0.0.1:80",
		"11111111111111111111111111111111111111111111111111111111111111111111111111:80",
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct address address = { .bytes = 77 };
		err_note_clear();
		assert_int_equal(address_parse(slice_of(bad[i]), &address), ERR_SYNTAX);
		assert_int_equal(address.bytes, 77);
		assert_true(*err_note_text());
	}
	struct address address;
	assert_int_equal(address_parse(SLICE("127.0.0.1\0:80"), &address), ERR_SYNTAX);
	assert_int_equal(address_parse(slice_of(NULL), &address), ERR_SYNTAX);
}

static void an_address_of_no_family_is_formatted_too(void **state)
{
	(void)state;
	struct address address = { .bytes = 0 };
	char text[ADDRESS_TEXT_MAX];
	address_format(&address, text);
	assert_string_equal(text, "?");
	assert_false(address_is_loopback(&address));
}

static int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t bytes = sizeof value;
	assert_int_equal(getsockopt(fd, level, option, &value, &bytes), 0);
	return value;
}

static void port_0_is_chosen_by_the_kernel_and_shared_by_the_loops(void **state)
{
	(void)state;
	struct address address;
	int fds[2];
	assert_int_equal(address_parse(SLICE("127.0.0.1:0"), &address), OK);
	assert_int_equal(listen_on(&address, &fds[0]), OK);
	char first[ADDRESS_TEXT_MAX];
	char second[ADDRESS_TEXT_MAX];
	address_format(&address, first);
	assert_string_not_equal(first, "127.0.0.1:0");
	assert_int_equal(listen_on(&address, &fds[1]), OK);
	address_format(&address, second);
	assert_string_equal(first, second);
	assert_int_equal(option_of(fds[0], SOL_SOCKET, SO_REUSEPORT), 1);
	assert_int_equal(option_of(fds[0], SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_true(option_of(fds[0], IPPROTO_TCP, TCP_DEFER_ACCEPT) > 0);
	/* Does not block: nobody has come. */
	assert_true(accept(fds[0], NULL, NULL) < 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_port_in_use_is_refused_with_what_to_do(void **state)
{
	(void)state;
	struct sockaddr_in taken = { .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct address address = { .bytes = sizeof address.sa };
	int owner = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(owner, (struct sockaddr *)&taken, sizeof taken), 0);
	assert_int_equal(listen(owner, 1), 0);
	assert_int_equal(getsockname(owner, (struct sockaddr *)&address.sa, &address.bytes), 0);

	int fd = 77;
	err_note_clear();
	assert_int_equal(listen_on(&address, &fd), ERR_SYSTEM);
	assert_int_equal(fd, 77);
	assert_non_null(strstr(err_note_text(), "is in use"));
	(void)close(owner);

	assert_int_equal(address_parse(SLICE("192.0.2.1:0"), &address), OK);
	assert_int_equal(listen_on(&address, &fd), ERR_SYSTEM);
	assert_non_null(strstr(err_note_text(), "no such address"));
}

static void all_addresses_answer_on_ipv4_as_well(void **state)
{
	(void)state;
	struct address address;
	int fd;
	assert_int_equal(address_parse(SLICE(":0"), &address), OK);
	assert_int_equal(listen_on(&address, &fd), OK);
	struct sockaddr_in6 bound; /* the port lies where sockaddr_in has it */
	memcpy(&bound, &address.sa, sizeof bound);
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = bound.sin6_port,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&v4, sizeof v4), 0);
	assert_int_equal(send(client, "x", 1, MSG_NOSIGNAL), 1);
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&waiting, 1, 5000), 1);
	(void)close(client);
	(void)close(fd);
}

static void accepted_sockets_hold_no_more_unread_bytes_than_asked(void **state)
{
	(void)state;
	struct address address;
	int fd;
	assert_int_equal(address_parse(SLICE("127.0.0.1:0"), &address), OK);
	assert_int_equal(listen_on(&address, &fd), OK);
	listen_bound_send(fd, 32768);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address.sa, address.bytes), 0);
	/* The accept is deferred until something comes. */
	assert_int_equal(send(client, "x", 1, MSG_NOSIGNAL), 1);
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&waiting, 1, 5000), 1);
	int server = accept(fd, NULL, NULL);
	int held = 0;
	socklen_t bytes = sizeof held;
	assert_int_equal(getsockopt(server, SOL_SOCKET, SO_SNDBUF, &held, &bytes), 0);
	assert_int_equal(held, 2 * 32768);
	(void)close(server);
	(void)close(client);
	(void)close(fd);
}

static void descriptors_are_raised_to_the_hard_limit(void **state)
{
	(void)state;
	struct rlimit old;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	struct rlimit low = { 64, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(descriptors_raise(), old.rlim_max);
	struct rlimit now;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(now.rlim_cur, old.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form_and_writes_it_back),
		cmocka_unit_test(refuses_what_is_no_address_with_a_note),
		cmocka_unit_test(an_address_of_no_family_is_formatted_too),
		cmocka_unit_test(port_0_is_chosen_by_the_kernel_and_shared_by_the_loops),
		cmocka_unit_test(a_port_in_use_is_refused_with_what_to_do),
		cmocka_unit_test(all_addresses_answer_on_ipv4_as_well),
		cmocka_unit_test(accepted_sockets_hold_no_more_unread_bytes_than_asked),
		cmocka_unit_test(descriptors_are_raised_to_the_hard_limit),
	};
	return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}

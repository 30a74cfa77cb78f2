#include "world/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 4096, DEFER_ACCEPT_S = 5 };

static void address_set_v4(struct address *address, struct in_addr host, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = host,
				  .sin_port = htons(port) };
	*address = (struct address){ .bytes = sizeof v4 };
	memcpy(&address->sa, &v4, sizeof v4);
}

static void address_set_v6(struct address *address, struct in6_addr host, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = host,
				   .sin6_port = htons(port) };
	*address = (struct address){ .bytes = sizeof v6 };
	memcpy(&address->sa, &v6, sizeof v6);
}

static enum err not_an_address(struct slice text)
{
	return err_note(ERR_SYNTAX,
			"\"%.*s\" is not an address: write 127.0.0.1:8080, [::1]:8080 or :8080",
			text.bytes < 60 ? (int)text.bytes : 60, text.at ? text.at : "");
}

enum err address_parse(struct slice text, struct address *ret_address)
{
	size_t colon = text.bytes;
	while (colon > 0 && text.at[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return not_an_address(text);

	unsigned long long port;
	struct slice port_text = { text.at + colon, text.bytes - colon };
	if (!slice_to_u64(port_text, &port) || port > UINT16_MAX)
		return not_an_address(text);

	struct slice host_text = { text.at, colon - 1 };
	bool is_bracketed = host_text.bytes > 2 && host_text.at[0] == '[' &&
			    host_text.at[host_text.bytes - 1] == ']';
	if (is_bracketed)
		host_text = (struct slice){ host_text.at + 1, host_text.bytes - 2 };

	char host[INET6_ADDRSTRLEN];
	if (host_text.bytes >= sizeof host || memchr(text.at, '\0', text.bytes))
		return not_an_address(text);
	memcpy(host, host_text.at, host_text.bytes);
	host[host_text.bytes] = '\0';

	struct in_addr v4 = { .s_addr = htonl(INADDR_LOOPBACK) };
	struct in6_addr v6 = in6addr_any;
	if (is_bracketed) {
		if (inet_pton(AF_INET6, host, &v6) != 1)
			return not_an_address(text);
		address_set_v6(ret_address, v6, (uint16_t)port);
	} else if (host_text.bytes == 0) {
		address_set_v6(ret_address, v6, (uint16_t)port);
	} else {
		if (!slice_equal_nocase(host_text, SLICE("localhost")) &&
		    inet_pton(AF_INET, host, &v4) != 1)
			return not_an_address(text);
		address_set_v4(ret_address, v4, (uint16_t)port);
	}
	return OK;
}

void address_format(const struct address *address, char ret_text[ADDRESS_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "";
	if (address->sa.ss_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, &address->sa, sizeof v4);
		(void)inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
		(void)snprintf(ret_text, ADDRESS_TEXT_MAX, "%s:%u", host, ntohs(v4.sin_port));
	} else if (address->sa.ss_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, &address->sa, sizeof v6);
		(void)inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
		(void)snprintf(ret_text, ADDRESS_TEXT_MAX, "[%s]:%u", host, ntohs(v6.sin6_port));
	} else {
		(void)snprintf(ret_text, ADDRESS_TEXT_MAX, "?");
	}
}

bool address_is_loopback(const struct address *address)
{
	if (address->sa.ss_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, &address->sa, sizeof v4);
		return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	}
	if (address->sa.ss_family != AF_INET6)
		return false;

	struct sockaddr_in6 v6;
	memcpy(&v6, &address->sa, sizeof v6);
	if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
		return v6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static enum err listen_refused(const struct address *address)
{
	int why = errno;
	char text[ADDRESS_TEXT_MAX];
	address_format(address, text);
	errno = why; /* for %m */
	switch (why) {
	case EADDRINUSE:
		return err_note(ERR_SYSTEM,
				"%s is in use: stop what listens there, or choose another port",
				text);
	case EACCES:
		return err_note(ERR_SYSTEM,
				"%s is not allowed: ports below 1024 need root or "
				"CAP_NET_BIND_SERVICE; choose a higher one",
				text);
	case EADDRNOTAVAIL:
		return err_note(ERR_SYSTEM, "%s: this machine has no such address", text);
	case EMFILE:
	case ENFILE:
		return err_note(ERR_SYSTEM, "%s: too many open files; raise ulimit -n", text);
	default:
		return err_note(ERR_SYSTEM, "listening on %s: %m", text);
	}
}

/* "All addresses" on a machine without IPv6 means those of IPv4. */
static int socket_for(struct address *address)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd = socket(address->sa.ss_family, type, 0);
	if (fd >= 0 || errno != EAFNOSUPPORT || address->sa.ss_family != AF_INET6)
		return fd;

	struct sockaddr_in6 v6;
	memcpy(&v6, &address->sa, sizeof v6);
	if (!IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr)) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	struct in_addr any = { .s_addr = htonl(INADDR_ANY) };
	address_set_v4(address, any, ntohs(v6.sin6_port));
	return socket(AF_INET, type, 0);
}

static int option_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

enum err listen_on(struct address *address, int *ret_fd)
{
	struct address bound = *address;
	int fd = socket_for(&bound);
	if (fd < 0)
		return listen_refused(&bound);

	if (option_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0 ||
	    option_set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		goto fail;
	if (bound.sa.ss_family == AF_INET6 &&
	    option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) < 0)
		goto fail;
	/* Without it, a connection is accepted before its request is there: slower, not wrong. */
	(void)option_set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_ACCEPT_S);
	if (bind(fd, (struct sockaddr *)&bound.sa, bound.bytes) < 0 ||
	    listen(fd, LISTEN_BACKLOG) < 0)
		goto fail;
	bound.bytes = sizeof bound.sa;
	if (getsockname(fd, (struct sockaddr *)&bound.sa, &bound.bytes) < 0)
		goto fail;

	*address = bound;
	*ret_fd = fd;
	return OK;

fail:;
	enum err err = listen_refused(&bound);
	(void)close(fd);
	return err;
}

void listen_bound_send(int fd, size_t bytes)
{
	int wanted = bytes > INT_MAX / 2 ? INT_MAX / 2 : (int)bytes;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
}

size_t descriptors_raise(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	rlim_t soft = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	return (size_t)(setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : soft);
}

#include "world/connect.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static enum err connect_begin(const struct sockaddr *sa, socklen_t bytes, const char *where,
			      int *ret_fd)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_note(ERR_SYSTEM, "a socket for %s: %m", where);
	if (connect(fd, sa, bytes) < 0 && errno != EINPROGRESS) {
		enum err err = err_note(ERR_SYSTEM, "connecting to %s: %m", where);
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return OK;
}

enum err connect_tcp(const char *host, uint16_t port, int *ret_fd)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char port_text[8];

	(void)snprintf(port_text, sizeof port_text, "%u", (unsigned)port);
	int why = getaddrinfo(host, port_text, &hints, &found);
	if (why != 0)
		return err_note(ERR_SYSTEM, "%s: %s", host, gai_strerror(why));
	enum err err = connect_begin(found->ai_addr, found->ai_addrlen, host, ret_fd);
	freeaddrinfo(found);
	if (err == OK) {
		int on = 1;
		(void)setsockopt(*ret_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		(void)setsockopt(*ret_fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	}
	return err;
}

enum err connect_unix(const char *path, int *ret_fd)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t bytes = strlen(path);

	if (bytes >= sizeof un.sun_path)
		return err_note(ERR_TOO_BIG, "the path of a socket has at most %zu bytes",
				sizeof un.sun_path - 1);
	memcpy(un.sun_path, path, bytes);
	struct sockaddr_storage storage = { 0 };
	memcpy(&storage, &un, sizeof un);
	return connect_begin((const struct sockaddr *)&storage, sizeof un, path, ret_fd);
}

enum err connect_over(int fd)
{
	struct pollfd asked = { .fd = fd, .events = POLLOUT };
	int why = 0;
	socklen_t bytes = sizeof why;

	if (poll(&asked, 1, 0) == 0)
		return ERR_AGAIN;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &bytes) == 0 && why == 0)
		return OK;
	errno = why ? why : ECONNREFUSED;
	return err_note(ERR_SYSTEM, "connecting: %m");
}

#include "world/port.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket that does not share may not be bound where others listen. */
enum err port_check(const struct address *address)
{
	int one = 1;
	int fd = socket(address->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return OK; /* listen_on will meet the same, and say it */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	bool is_taken = bind(fd, (const struct sockaddr *)&address->sa, address->bytes) != 0 &&
			errno == EADDRINUSE;
	(void)close(fd);
	if (!is_taken)
		return OK;
	char text[ADDRESS_TEXT_MAX];
	address_format(address, text);
	return err_note(ERR_SYSTEM, "%s is in use: stop what listens there, or choose another port",
			text);
}

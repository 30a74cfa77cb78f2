#include "front/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world/foreign.h"
#include "world/listen.h"

enum { PROBE_STEP_MS = 5, PROBE_STEPS_MAX = 200, FD_MIN = 3 };

const char *takeover_way_text(enum takeover_way way)
{
	return way == TAKEOVER_DUP ? "dup" : "swap";
}

enum err takeover_dead_new(int *ret_fd)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_note(ERR_SYSTEM, "socket: %m");
	*ret_fd = fd;
	return OK;
}

/* The connection's descriptor becomes the dead socket. libmicrohttpd may hold the descriptor in its
 * epoll set, where the registration belongs to the description: out with it before, and a mute one
 * in afterwards, for it will want to take something out. */
static enum err swap(struct MHD_Daemon *daemon, int fd, int dead_fd)
{
	const union MHD_DaemonInfo *set = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
	enum err taken = set ? foreign_take(set->epoll_fd, fd) : ERR_NOT_FOUND;
	if (dup3(dead_fd, fd, O_CLOEXEC) < 0)
		return err_note(ERR_SYSTEM, "dup3: %m");
	return taken == OK ? foreign_put_mute(set->epoll_fd, fd, NULL) : OK;
}

enum err takeover_fd(struct MHD_Daemon *daemon, struct MHD_Connection *connection,
		     enum takeover_way way, int dead_fd, int *ret_fd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int fd = fcntl(info->connect_fd, F_DUPFD_CLOEXEC, FD_MIN);
	if (fd < 0)
		return err_note(ERR_SYSTEM, "no descriptor for the connection: %m");
	if (way == TAKEOVER_SWAP) {
		enum err err = swap(daemon, info->connect_fd, dead_fd);
		if (err) {
			close(fd);
			return err;
		}
	}
	*ret_fd = fd;
	return OK;
}

/* --- the probe --- */

struct probe {
	struct MHD_Daemon *daemon;
	enum takeover_way way;
	int dead_fd;
	int taken_fd; /* -1: not yet */
	bool completed; /* libmicrohttpd is done with the connection */
};

static enum MHD_Result probe_handle(void *cls, struct MHD_Connection *connection, const char *url,
				    const char *method, const char *version, const char *data,
				    size_t *data_bytes, void **context)
{
	(void)url, (void)method, (void)version, (void)data, (void)data_bytes;
	struct probe *probe = cls;
	*context = probe; /* else NOTIFY_COMPLETED does not come */
	if (probe->taken_fd < 0 && takeover_fd(probe->daemon, connection, probe->way,
					       probe->dead_fd, &probe->taken_fd) != OK)
		probe->taken_fd = -1;
	return MHD_NO;
}

static void probe_notify(void *cls, struct MHD_Connection *connection, void **context,
			 enum MHD_ConnectionNotificationCode code)
{
	(void)connection, (void)context;
	struct probe *probe = cls;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED)
		probe->completed = true;
}

/* Both ends of a loopback connection are ours: what the kernel has taken, it has delivered. */
static bool peer_hears(int taken_fd, int client_fd)
{
	char byte;
	if (recv(client_fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		return false; /* something was sent, or the end of it */
	if (send(taken_fd, "!", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return false;
	struct pollfd readable = { .fd = client_fd, .events = POLLIN };
	if (poll(&readable, 1, PROBE_STEP_MS * PROBE_STEPS_MAX) != 1)
		return false;
	return recv(client_fd, &byte, 1, MSG_DONTWAIT) == 1 && byte == '!';
}

static bool probe_run(struct probe *probe, int client_fd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: probe\r\n\r\n";
	if (send(client_fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
		return false;
	const union MHD_DaemonInfo *set =
		MHD_get_daemon_info(probe->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	for (int i = 0; i < PROBE_STEPS_MAX && !probe->completed; i++) {
		struct pollfd readable = { .fd = set->epoll_fd, .events = POLLIN };
		(void)poll(&readable, 1, PROBE_STEP_MS);
		(void)MHD_run(probe->daemon);
	}
	return probe->completed && probe->taken_fd >= 0 && peer_hears(probe->taken_fd, client_fd);
}

static bool way_works(struct world *world, bool turbo, enum takeover_way way, int dead_fd)
{
	struct probe probe = { .way = way, .dead_fd = dead_fd, .taken_fd = -1 };
	struct address address;
	int listen_fd;
	if (address_parse(SLICE("127.0.0.1:0"), &address) || listen_on(&address, &listen_fd))
		return false;

	unsigned flags = MHD_USE_EPOLL | MHD_USE_ITC | (turbo ? MHD_USE_TURBO : 0);
	probe.daemon = MHD_start_daemon(flags, 0, NULL, NULL, probe_handle, &probe,
					MHD_OPTION_LISTEN_SOCKET, listen_fd,
					MHD_OPTION_NOTIFY_CONNECTION, probe_notify, &probe,
					MHD_OPTION_END);
	if (!probe.daemon) {
		world->ops->close(world, listen_fd);
		return false;
	}
	int client_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool works = client_fd >= 0 &&
		     connect(client_fd, (struct sockaddr *)&address.sa, address.bytes) == 0 &&
		     probe_run(&probe, client_fd);
	if (client_fd >= 0)
		world->ops->close(world, client_fd);
	MHD_stop_daemon(probe.daemon);
	if (probe.taken_fd >= 0)
		world->ops->close(world, probe.taken_fd);
	return works;
}

enum err takeover_probe(struct world *world, bool turbo, enum takeover_way *ret_way)
{
	if (way_works(world, turbo, TAKEOVER_DUP, -1)) {
		*ret_way = TAKEOVER_DUP;
		return OK;
	}
	int dead_fd = -1;
	enum err err = takeover_dead_new(&dead_fd);
	if (err)
		return err;
	bool works = way_works(world, turbo, TAKEOVER_SWAP, dead_fd);
	world->ops->close(world, dead_fd);
	if (!works)
		return err_note(ERR_SYSTEM,
				"no way to take a socket over from libmicrohttpd %s works",
				MHD_get_version());
	*ret_way = TAKEOVER_SWAP;
	return OK;
}

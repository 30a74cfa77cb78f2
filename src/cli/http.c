#include "cli/http.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { POLL_MS_MAX = 1000000, KEEPALIVE_IDLE_S = 15, KEEPALIVE_EACH_S = 5, KEEPALIVE_COUNT = 3 };

void http_init(struct http *http)
{
	*http = (struct http){ .fd = -1 };
	buf_init(&http->in, HTTP_READ_BYTES);
}

void http_fini(struct http *http)
{
	http_close(http);
	buf_fini(&http->in);
}

void http_close(struct http *http)
{
	if (http->fd >= 0)
		(void)close(http->fd);
	http->fd = -1;
	http->is_ended = false;
	http->in_used = 0;
	buf_reset(&http->in);
}

/* For poll: -1 is for ever. */
static int wait_ms_until(uint64_t deadline_ms)
{
	if (deadline_ms == HTTP_NO_DEADLINE)
		return -1;
	uint64_t now_ms = cli_now_ms();
	uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	return left_ms < POLL_MS_MAX ? (int)left_ms : POLL_MS_MAX;
}

/* OK also when nothing is ready and the deadline has come. */
static enum err poll_until(struct pollfd *wanted, nfds_t count, uint64_t deadline_ms,
			   int *ret_ready)
{
	int wait_ms;
	do {
		wait_ms = wait_ms_until(deadline_ms);
		*ret_ready = poll(wanted, count, wait_ms);
		if (*ret_ready < 0 && errno != EINTR)
			return err_note(ERR_SYSTEM, "poll: %s", strerror(errno));
	} while (*ret_ready < 0 || (*ret_ready == 0 && wait_ms != 0));
	return OK;
}

static enum err wait_for(int fd, short events, uint64_t deadline_ms)
{
	struct pollfd wanted = { .fd = fd, .events = events };
	int ready;

	enum err err = poll_until(&wanted, 1, deadline_ms, &ready);
	if (err == OK && !ready)
		return err_note(ERR_TIMEOUT, "the server does not answer");
	return err;
}

static void socket_tune(int fd)
{
	int on = 1, idle_s = KEEPALIVE_IDLE_S, each_s = KEEPALIVE_EACH_S, count = KEEPALIVE_COUNT;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &each_s, sizeof each_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

/* A socket that is connected, or will be; -1 with errno. */
static int connect_begin(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	socket_tune(fd);
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS)
		return fd;
	int cause = errno;
	(void)close(fd);
	errno = cause;
	return -1;
}

static int connect_whole(const struct addrinfo *address)
{
	int fd = connect_begin(address);
	int cause = 0;
	socklen_t bytes = sizeof cause;

	if (fd < 0)
		return -1;
	if (wait_for(fd, POLLOUT, cli_now_ms() + HTTP_CONNECT_MS) != OK)
		cause = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &bytes) < 0)
		cause = errno;
	if (!cause)
		return fd;
	(void)close(fd);
	errno = cause;
	return -1;
}

static enum err look_up(const struct target *target, struct addrinfo **ret_list)
{
	struct addrinfo wanted = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	int refusal = getaddrinfo(target->host, target->port, &wanted, ret_list);
	if (refusal)
		return err_note(ERR_UNAVAILABLE, "%s: %s", target->host, gai_strerror(refusal));
	return OK;
}

static enum err connect_any(const struct target *target, int (*how)(const struct addrinfo *),
			    int *ret_fd)
{
	struct addrinfo *list = NULL;
	int fd = -1, cause = 0;

	enum err err = look_up(target, &list);
	if (err != OK)
		return err;
	for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next) {
		fd = how(at);
		if (fd < 0)
			cause = errno;
	}
	freeaddrinfo(list);
	if (fd < 0)
		return err_note(ERR_UNAVAILABLE, "cannot connect to %s: %s%s", target->authority,
				strerror(cause),
				cause == ECONNREFUSED ? " (is 'tapecast serve' running there?)"
						      : "");
	*ret_fd = fd;
	return OK;
}

enum err http_open(struct http *http, const struct target *target)
{
	http_close(http);
	return connect_any(target, connect_whole, &http->fd);
}

enum err http_connect_begin(const struct target *target, int *ret_fd)
{
	return connect_any(target, connect_begin, ret_fd);
}

enum err http_send(struct http *http, struct slice bytes)
{
	uint64_t deadline_ms = cli_now_ms() + HTTP_ANSWER_MS;

	while (bytes.bytes) {
		ssize_t count = send(http->fd, bytes.at, bytes.bytes, MSG_NOSIGNAL);
		if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
			enum err err = wait_for(http->fd, POLLOUT, deadline_ms);
			if (err != OK)
				return err;
			continue;
		}
		if (count < 0)
			return err_note(ERR_CLOSED, "the server has closed the connection: %s",
					strerror(errno));
		bytes.at += count;
		bytes.bytes -= (size_t)count;
	}
	return OK;
}

enum err http_wait(const struct http *http, int fd, uint64_t deadline_ms, bool *ret_fd_ready,
		   bool *ret_server_ready)
{
	struct pollfd wanted[2] = {
		{ .fd = http->fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};
	int ready;

	enum err err = poll_until(wanted, 2, deadline_ms, &ready);
	if (err != OK)
		return err;
	*ret_server_ready = ready && wanted[0].revents;
	*ret_fd_ready = ready && wanted[1].revents;
	return OK;
}

/* One recv behind what has not been used yet. OK also when the peer has ended. */
static enum err read_more(struct http *http, uint64_t deadline_ms)
{
	buf_eat(&http->in, http->in_used);
	http->in_used = 0;
	size_t room_bytes = http->in.bytes_max - http->in.bytes;
	if (!room_bytes)
		return err_note(ERR_TOO_BIG, "the answer's head is too long");
	enum err err = buf_reserve(&http->in, room_bytes);
	if (err != OK)
		return err;

	for (;;) {
		ssize_t count = recv(http->fd, http->in.at + http->in.bytes, room_bytes, 0);
		if (count > 0) {
			http->in.bytes += (size_t)count;
			return OK;
		}
		if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
			http->is_ended = true;
			return count == 0 ? OK
					  : err_note(ERR_UNAVAILABLE, "the connection was cut: %s",
						     strerror(errno));
		}
		err = wait_for(http->fd, POLLIN, deadline_ms);
		if (err != OK)
			return err;
	}
}

static struct slice unused(const struct http *http)
{
	return slice_from(http->in.at + http->in_used, http->in.bytes - http->in_used);
}

enum err http_head(struct http *http, bool bodiless, uint64_t deadline_ms)
{
	do {
		struct slice bytes = unused(http);
		enum err err = answer_head(&bytes, bodiless, &http->answer);
		while (err == ERR_AGAIN) {
			if (http->is_ended)
				return err_note(
					ERR_UNAVAILABLE,
					"the server closed the connection without an answer");
			err = read_more(http, deadline_ms);
			if (err != OK)
				return err;
			bytes = unused(http);
			err = answer_head(&bytes, bodiless, &http->answer);
		}
		if (err != OK)
			return err;
		http->in_used = http->in.bytes - bytes.bytes;
	} while (http->answer.status < 200);
	return OK;
}

enum err http_body(struct http *http, uint64_t deadline_ms, struct slice *ret_piece)
{
	for (;;) {
		struct slice bytes = unused(http);
		enum err err = answer_body(&http->answer, &bytes, ret_piece);
		http->in_used = http->in.bytes - bytes.bytes;
		if (err != ERR_AGAIN)
			return err;
		if (http->is_ended)
			return answer_whole_at_end(&http->answer)
				       ? ERR_CLOSED
				       : err_note(ERR_UNAVAILABLE, "the connection was cut");
		err = read_more(http, deadline_ms);
		if (err != OK)
			return err;
	}
}

enum err http_body_all(struct http *http, uint64_t deadline_ms, struct buf *buf)
{
	struct slice piece;
	enum err err;

	while ((err = http_body(http, deadline_ms, &piece)) == OK) {
		err = buf_put(buf, piece);
		if (err != OK)
			return err;
	}
	return err == ERR_CLOSED ? OK : err;
}

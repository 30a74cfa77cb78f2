/*
 * bareloop: the floor that a streaming server is measured against. One thread, one epoll set, raw
 * sockets; no history, no checks, no queue, and only as much HTTP as bench/load speaks.
 *
 *   bareloop --listen 127.0.0.1:PORT [--mode send|writev]
 *
 * send    each event goes to each listener at once: one send() a delivery.
 * writev  each event goes into its stream's small ring; after an epoll batch every listener that is
 *         behind gets one writev() of what is outstanding.
 *
 * GET /v1/streams/NAME listens, POST publishes: one event, or one a line as application/x-ndjson.
 * A frame has the form and about the size of one of tapecast's.
 *
 * Bound   a request of REQUEST_MAX bytes, RING_FRAMES frames of FRAME_MAX bytes a stream; who falls
 *         off the ring, or in send mode has a full socket, is closed.
 */
#include "bare.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	CONNS_MAX = 1 << 20,
	REQUEST_MAX = 256 * 1024,
	BATCH_MAX = 512,
};

struct request {
	bool get, lines;
	const char *name;
	size_t name_bytes;
	const char *body;
	size_t body_bytes, bytes;
};

static const char answer_head[] = "HTTP/1.1 200 OK\r\n"
				  "Content-Type: text/event-stream\r\n"
				  "Cache-Control: no-cache, no-transform\r\n"
				  "X-Accel-Buffering: no\r\n"
				  "Connection: close\r\n\r\n"
				  "retry: 1000\n\n";

static struct {
	int epoll_fd, listen_fd;
	struct conn **conns; /* by descriptor */
	char input[REQUEST_MAX];
} loop;

static volatile sig_atomic_t stopped;

static void stop(int signal_number)
{
	(void)signal_number;
	stopped = 1;
}

static void conn_close(struct conn *conn)
{
	if (conn->stream)
		stream_drop(conn);
	loop.conns[conn->fd] = NULL;
	close(conn->fd);
	free(conn->part);
	free(conn);
}

static void listen_begin(struct conn *conn, struct stream *stream)
{
	stream_add(stream, conn);
	struct epoll_event want = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.fd = conn->fd,
	};
	if (epoll_ctl(loop.epoll_fd, EPOLL_CTL_MOD, conn->fd, &want))
		bare_die("epoll_ctl");
	if (send(conn->fd, answer_head, sizeof answer_head - 1, MSG_NOSIGNAL) < 0)
		shutdown(conn->fd, SHUT_RDWR);
}

static void answer_created(const struct conn *conn, const struct stream *stream, size_t events)
{
	char body[NAME_MAX_BYTES + 80], answer[sizeof body + 120];
	int body_bytes = snprintf(body, sizeof body,
				  "{\"stream\":\"%s\",\"id\":\"1.bareloop-%llu-9f86d081884c\"}",
				  stream->name, (unsigned long long)(stream->head + events));
	int bytes = snprintf(answer, sizeof answer,
			     "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
			     "Content-Length: %d\r\n\r\n%s", body_bytes, body);
	if (send(conn->fd, answer, (size_t)bytes, MSG_NOSIGNAL) != bytes)
		shutdown(conn->fd, SHUT_RDWR);
}

static void publish_lines(struct stream *stream, const char *body, size_t body_bytes)
{
	static const char field[] = "\"data\":\"";
	const char *end = body + body_bytes;
	const char *at;
	while ((at = memmem(body, (size_t)(end - body), field, sizeof field - 1))) {
		at += sizeof field - 1;
		const char *stop_at = memchr(at, '"', (size_t)(end - at));
		if (!stop_at)
			return;
		stream_publish(stream, at, (size_t)(stop_at - at));
		body = stop_at;
	}
}

/* 1: a whole request, 0: more must come, -1: not one of ours. */
static int request_parse(const char *text, size_t bytes, struct request *ret_request)
{
	const char *end = memmem(text, bytes, "\r\n\r\n", 4);
	if (!end)
		return bytes < REQUEST_MAX ? 0 : -1;
	size_t head_bytes = (size_t)(end - text) + 4;

	struct request request = { .get = !strncmp(text, "GET ", 4) };
	const char *name = memmem(text, head_bytes, " /v1/streams/", 13);
	if (!name)
		return -1;
	request.name = name + 13;
	request.name_bytes = strcspn(request.name, " ?\r");
	if (!request.name_bytes || request.name_bytes > NAME_MAX_BYTES)
		return -1;

	const char *length = memmem(text, head_bytes, "Content-Length: ", 16);
	if (length)
		request.body_bytes = strtoul(length + 16, NULL, 10);
	if (request.body_bytes > REQUEST_MAX - head_bytes)
		return -1;
	request.lines = memmem(text, head_bytes, "x-ndjson", 8);
	request.body = text + head_bytes;
	request.bytes = head_bytes + request.body_bytes;
	if (request.bytes > bytes)
		return 0;
	*ret_request = request;
	return 1;
}

static size_t lines_count(const char *body, size_t body_bytes)
{
	size_t count = 0;
	for (const char *end = body + body_bytes, *at = body;
	     (at = memchr(at, '\n', (size_t)(end - at))); at++)
		count++;
	return count;
}

/* The answer goes first: while the listeners get theirs, the publisher can make its next request,
 * which then is there before the loop would sleep. */
static void request_serve(struct conn *conn, const struct request *request)
{
	struct stream *stream = stream_get(request->name, request->name_bytes);
	if (request->get) {
		listen_begin(conn, stream);
		return;
	}
	if (request->lines) {
		answer_created(conn, stream, lines_count(request->body, request->body_bytes));
		publish_lines(stream, request->body, request->body_bytes);
	} else {
		answer_created(conn, stream, 1);
		stream_publish(stream, request->body, request->body_bytes);
	}
}

static void conn_keep(struct conn *conn, const char *rest, size_t bytes)
{
	char *part = NULL;
	if (bytes) {
		part = bare_grown(NULL, bytes);
		memcpy(part, rest, bytes);
	}
	free(conn->part);
	conn->part = part;
	conn->part_bytes = bytes;
}

static void conn_read(struct conn *conn)
{
	if (conn->part_bytes)
		memcpy(loop.input, conn->part, conn->part_bytes);
	ssize_t got = recv(conn->fd, loop.input + conn->part_bytes,
			   sizeof loop.input - 1 - conn->part_bytes, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		conn_close(conn);
		return;
	}
	size_t bytes = conn->part_bytes + (size_t)got, used = 0;
	loop.input[bytes] = '\0';

	struct request request;
	int whole = 0;
	while (!conn->stream && used < bytes &&
	       (whole = request_parse(loop.input + used, bytes - used, &request)) > 0) {
		request_serve(conn, &request);
		used += request.bytes;
	}
	if (whole < 0) {
		conn_close(conn);
		return;
	}
	conn_keep(conn, loop.input + used, conn->stream ? 0 : bytes - used);
}

static void accept_all(void)
{
	for (int i = 0; i < BATCH_MAX; i++) {
		int fd = accept4(loop.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		struct conn *conn = fd < CONNS_MAX ? calloc(1, sizeof *conn) : NULL;
		if (!conn) {
			close(fd);
			continue;
		}
		int on = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		conn->fd = fd;
		loop.conns[fd] = conn;
		struct epoll_event want = { .events = EPOLLIN, .data.fd = fd };
		if (epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, fd, &want))
			bare_die("epoll_ctl");
		conn_read(conn); /* deferred accept: the request is there already */
	}
}

static void conn_event(struct conn *conn, uint32_t events)
{
	if (conn->stream && conn->blocked && (events & EPOLLOUT))
		conn_flush(conn);
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))
		conn_read(conn);
}

static void serve(void)
{
	struct epoll_event events[BATCH_MAX];
	while (!stopped) {
		int count = epoll_wait(loop.epoll_fd, events, BATCH_MAX, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == loop.listen_fd)
				accept_all();
			else if (loop.conns[events[i].data.fd])
				conn_event(loop.conns[events[i].data.fd], events[i].events);
		}
		streams_flush();
	}
}

static void listen_on(const char *where)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	char host[64];
	unsigned port = 0;
	if (sscanf(where, "%63[0-9.]:%u", host, &port) != 2 || port > 65535 ||
	    inet_pton(AF_INET, host, &address.sin_addr) != 1) {
		fprintf(stderr, "bareloop: --listen takes ADDRESS:PORT, not %s\n", where);
		exit(2);
	}
	address.sin_port = htons((uint16_t)port);

	int on = 1, defer_s = 5;
	loop.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(loop.listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(loop.listen_fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer_s, sizeof defer_s);
	if (bind(loop.listen_fd, (struct sockaddr *)&address, sizeof address) ||
	    listen(loop.listen_fd, 4096))
		bare_die(where);
}

int main(int argc, char **argv)
{
	const char *where = NULL;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--listen"))
			where = argv[i + 1];
		else if (!strcmp(argv[i], "--mode"))
			streams_coalesce(!strcmp(argv[i + 1], "writev"));
	}
	if (!where) {
		fprintf(stderr, "usage: bareloop --listen ADDRESS:PORT [--mode send|writev]\n");
		return 2;
	}
	struct rlimit files;
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	struct sigaction action = { .sa_handler = stop };
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);

	loop.conns = calloc(CONNS_MAX, sizeof *loop.conns);
	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!loop.conns || loop.epoll_fd < 0)
		bare_die("start");
	listen_on(where);
	struct epoll_event want = { .events = EPOLLIN, .data.fd = loop.listen_fd };
	if (epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, loop.listen_fd, &want))
		bare_die("epoll_ctl");
	serve();
	return 0;
}

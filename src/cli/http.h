/*
 * http: one connection to the server, asked one request at a time.
 *
 * Owns    its socket and what it has read ahead.
 * Thread  the caller's.
 * Time    deadlines are monotonic milliseconds (cli_now_ms); HTTP_NO_DEADLINE waits for ever.
 * Promise nothing waits past its deadline. A peer that is gone is noticed in half a minute even
 *         while nothing is sent (TCP keep-alive), whatever the server's heartbeat.
 */
#ifndef TAPECAST_CLI_HTTP_H
#define TAPECAST_CLI_HTTP_H

#include "base/buf.h"
#include "cli/answer.h"
#include "cli/target.h"

#define HTTP_NO_DEADLINE UINT64_MAX

enum { HTTP_READ_BYTES = 65536, HTTP_CONNECT_MS = 10000, HTTP_ANSWER_MS = 30000 };

struct http {
	int fd; /* -1: not connected */
	struct buf in;
	size_t in_used;
	bool is_ended;
	struct answer answer;
};

void http_init(struct http *http);
void http_fini(struct http *http);

/* Tries every address of the host. ERR_UNAVAILABLE with a note that says where and why. */
enum err http_open(struct http *http, const struct target *target) ERR_CHECKED;
void http_close(struct http *http);

/* All of it. ERR_CLOSED: the server reads no more, which it may have explained: see http_head. */
enum err http_send(struct http *http, struct slice bytes) ERR_CHECKED;

/* Waits until descriptor `fd` or the server (if connected) has something to read, or the deadline:
 * then neither is ready. */
enum err http_wait(const struct http *http, int fd, uint64_t deadline_ms, bool *ret_fd_ready,
		   bool *ret_server_ready) ERR_CHECKED;

/* Reads http->answer; interim answers (1xx) are passed over. ERR_TIMEOUT, ERR_UNAVAILABLE. */
enum err http_head(struct http *http, bool bodiless, uint64_t deadline_ms) ERR_CHECKED;

/* The next piece of the body, valid until the next call. ERR_CLOSED: the body is whole.
 * ERR_UNAVAILABLE: it was cut. ERR_TIMEOUT. */
enum err http_body(struct http *http, uint64_t deadline_ms, struct slice *ret_piece) ERR_CHECKED;

/* The whole body, appended to buf. ERR_TOO_BIG by the buf's bound. */
enum err http_body_all(struct http *http, uint64_t deadline_ms, struct buf *buf) ERR_CHECKED;

/* A socket on its way to being connected, without waiting: for those who have a poller. */
enum err http_connect_begin(const struct target *target, int *ret_fd) ERR_CHECKED;

#endif

/*
 * target: which server, and who we are to it; the heads of the requests that go there.
 *
 * Owns    the token's text.
 * Promise pure but for the token's file. What came from outside cannot break a request's head.
 * Bound   see the enum.
 */
#ifndef TAPECAST_CLI_TARGET_H
#define TAPECAST_CLI_TARGET_H

#include "base/buf.h"
#include "cli/cli.h"

enum {
	TARGET_HOST_MAX = 256,
	TARGET_PATH_MAX = 512,
	TARGET_TOKEN_BYTES_MAX = 16384,
	REQUEST_HEAD_BYTES_MAX = 65536, /* room for all of it and a long path */
};

struct target {
	char host[TARGET_HOST_MAX]; /* without brackets: what getaddrinfo takes */
	char port[6];
	char authority[TARGET_HOST_MAX + 8]; /* what the Host header takes */
	char path[TARGET_PATH_MAX];          /* goes before every path; no slash at its end */
	char *token;                         /* NULL: none */
};

/* From the options, else the environment, else http://127.0.0.1:8080 and no token. Any errors
 * come with a note. */
enum err target_init(struct target *target, const struct cli_common *common) ERR_CHECKED;
void target_fini(struct target *target);

/* "http://host:port/path", "host:port", ":port"; [::1] for IPv6. ERR_SYNTAX with a note. */
enum err target_parse(struct slice url, struct target *ret_target) ERR_CHECKED;

/* The request line, Host, User-Agent and Authorization. `path` may hold a query. Failures stick in
 * the buf. */
void request_begin(const struct target *target, const char *method, struct slice path,
		   struct buf *buf);
/* One header line. ERR_HEADER with a note if the value holds control characters. */
enum err request_header(struct buf *buf, const char *name, struct slice value) ERR_CHECKED;
void request_end(struct buf *buf);

/* "?name=value", then "&name=value": the value percent-encoded where a query needs it. */
void request_parameter(struct buf *path, const char *name, struct slice value);

#endif

/*
 * requests: what the tests of the door ask it, and how they look at the answer.
 */
#ifndef TAPECAST_TESTS_FRONT_REQUESTS_H
#define TAPECAST_TESTS_FRONT_REQUESTS_H

#include <stdio.h>

#include "lobby.h"
#include "support.h"

#define LISTEN "GET /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n"
#define DELETE "DELETE /v1/streams/s HTTP/1.1\r\nHost: h\r\n\r\n"
#define GET_PAGE "GET /v1/streams/s?from=start&limit=1000 HTTP/1.1\r\nHost: h\r\n" \
	"Accept: application/json\r\n\r\n"
#define CHUNKED(type) \
	"POST /v1/streams/s HTTP/1.1\r\nHost: h\r\nContent-Type: " type "\r\n" \
	"Transfer-Encoding: chunked\r\n\r\n"

static struct lobby lobby;
static struct buf heard;

/* The request's text, for a while. */
static inline const char *post(const char *path, const char *body)
{
	static char texts[8][512];
	static unsigned next;
	char *text = texts[next++ % 8];
	int bytes = snprintf(text, sizeof texts[0],
			     "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s", path,
			     strlen(body), body);
	assert_in_range(bytes, 1, sizeof texts[0] - 1);
	return text;
}

static inline int setup(void **state)
{
	(void)state;
	lobby_init(&lobby);
	buf_init(&heard, 1 << 22);
	return 0;
}

static inline int teardown(void **state)
{
	lobby_close(&lobby);
	buf_fini(&heard);
	return gives_back_all(state);
}

static inline void assert_heard(const char *text)
{
	if (!heard.at || !memmem(heard.at, heard.bytes, text, strlen(text)))
		fail_msg("\"%s\" is not in \"%.*s\"", text, (int)heard.bytes, heard.at);
}

static inline size_t heard_count(const char *text)
{
	size_t count = 0;
	const char *at = heard.at;
	while (at && (at = memmem(at, heard.bytes - (size_t)(at - heard.at), text, strlen(text)))) {
		count++;
		at += strlen(text);
	}
	return count;
}

#endif

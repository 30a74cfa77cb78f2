#include "press.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gauge.h"

enum { REQUEST_ROOM = BATCH_MAX * (PAYLOAD_MAX + 16) + 512 };

void press_init(struct press *press, const struct plan *plan, int epoll_fd, size_t count)
{
	*press = (struct press){ .plan = plan, .count = count };
	press->all = calloc(count, sizeof *press->all);
	if (!press->all || count > PRESS_MAX)
		die("at most %d connections publish", PRESS_MAX);
	for (size_t i = 0; i < count; i++) {
		press->all[i].fd = plan_connect(plan, i);
		struct epoll_event want = {
			.events = EPOLLIN,
			.data.u32 = PRESS_BIT | (uint32_t)i,
		};
		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, press->all[i].fd, &want))
			die("epoll_ctl: %s", strerror(errno));
	}
}

void press_fini(struct press *press)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	for (size_t i = 0; i < press->count; i++) {
		setsockopt(press->all[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(press->all[i].fd);
	}
	free(press->all);
	*press = (struct press){ 0 };
}

struct sender *press_idle(struct press *press)
{
	if (press->busy_count == press->count)
		return NULL;
	for (size_t i = 0; i < press->count; i++)
		if (!press->all[i].asked)
			return &press->all[i];
	return NULL;
}

static char *payload_put(char *at, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t stamp_ns = now_ns();
	*at = '@';
	for (int i = 16; i > 0; i--, stamp_ns >>= 4)
		at[i] = digits[stamp_ns & 15];
	memset(at + 17, 'x', bytes - 17);
	return at + bytes;
}

static char *text_put(char *at, const char *text)
{
	size_t bytes = strlen(text);
	memcpy(at, text, bytes);
	return at + bytes;
}

void press_say(struct press *press, struct sender *sender, const char *stream, size_t count)
{
	static const char before[] = "{\"data\":\"", after[] = "\"}\n";
	static char request[REQUEST_ROOM];
	size_t payload_bytes = press->plan->payload_bytes;
	size_t line_bytes = payload_bytes + sizeof before - 1 + sizeof after - 1;
	int head_bytes = snprintf(request, sizeof request,
				  "POST /v1/streams/%.200s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
				  "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
				  stream, count > 1 ? "application/x-ndjson" : "text/plain",
				  count > 1 ? count * line_bytes : payload_bytes);
	char *at = request + head_bytes;
	if (count == 1) {
		at = payload_put(at, payload_bytes);
	} else {
		for (size_t i = 0; i < count; i++)
			at = text_put(payload_put(text_put(at, before), payload_bytes), after);
	}
	if (send(sender->fd, request, (size_t)(at - request), MSG_NOSIGNAL) != at - request)
		die("cannot publish: %s", strerror(errno));
	sender->asked = count;
	press->busy_count++;
	press->asked += count;
}

/* Whether the answer is whole; a refusal ends the program. */
static bool answer_whole(struct sender *sender)
{
	sender->got[sender->got_bytes] = '\0';
	const char *end = strstr(sender->got, "\r\n\r\n");
	if (!end)
		return false;
	if (strncmp(sender->got, "HTTP/1.1 2", 10))
		die("a publisher was refused: %s", sender->got);
	size_t body_bytes = 0;
	const char *length = strcasestr(sender->got, "\r\nContent-Length:");
	if (length && length < end)
		body_bytes = strtoul(length + 17, NULL, 10);
	else if (strcasestr(sender->got, "\r\nTransfer-Encoding:"))
		die("an answer in chunks is not understood: %s", sender->got);
	return sender->got_bytes >= (size_t)(end + 4 - sender->got) + body_bytes;
}

void press_read(struct press *press, size_t which)
{
	struct sender *sender = &press->all[which];
	ssize_t got = recv(sender->fd, sender->got + sender->got_bytes,
			   ANSWER_MAX - sender->got_bytes, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0)
		die("the server closed a publisher");
	sender->got_bytes += (size_t)got;
	if (!answer_whole(sender))
		return;
	sender->got_bytes = 0;
	press->taken += sender->asked;
	press->busy_count--;
	sender->asked = 0;
}

#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_MAX = 1 << 20,
	STAMP_DIGITS = 16,
};

enum stage {
	STAGE_STATUS,
	STAGE_HEAD,
	STAGE_FIRST_BLOCK,
	STAGE_LIVE,
};

struct listener {
	int fd;
	bool skims;
	enum stage stage;
	uint64_t events;
	uint64_t stamp_ns; /* of the event being read; 0: none */
	size_t part_bytes; /* of a line that has not come whole: crowd->parts */
};

/* What is read lands behind the part of a line left from before. */
static char input[LINE_MAX_BYTES + READ_MAX];

void crowd_init(struct crowd *crowd, const struct plan *plan, int epoll_fd, size_t count_max)
{
	*crowd = (struct crowd){ .plan = plan, .epoll_fd = epoll_fd, .count_max = count_max };
	crowd->all = calloc(count_max, sizeof *crowd->all);
	crowd->bytes = calloc(count_max, sizeof *crowd->bytes);
	crowd->parts = calloc(count_max, sizeof *crowd->parts);
	if (!crowd->all || !crowd->bytes || !crowd->parts)
		die("no memory for %zu listeners", count_max);
}

void crowd_fini(struct crowd *crowd)
{
	/* A reset leaves no port waiting, so that the next run has them all. */
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	for (size_t i = 0; i < crowd->count; i++) {
		setsockopt(crowd->all[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(crowd->all[i].fd);
	}
	free(crowd->all);
	free(crowd->bytes);
	free(crowd->parts);
	free(crowd->ends);
	*crowd = (struct crowd){ 0 };
}

size_t crowd_connect(struct crowd *crowd)
{
	if (crowd->count == crowd->count_max)
		die("more than %zu listeners", crowd->count_max);
	size_t which = crowd->count++;
	struct listener *listener = &crowd->all[which];
	listener->fd = plan_connect(crowd->plan, which);
	struct epoll_event want = { .events = EPOLLIN, .data.u32 = (uint32_t)which };
	if (epoll_ctl(crowd->epoll_fd, EPOLL_CTL_ADD, listener->fd, &want))
		die("epoll_ctl: %s", strerror(errno));
	return which;
}

void crowd_ask(struct crowd *crowd, size_t which, const char *stream, const char *after)
{
	char request[800];
	int bytes = snprintf(request, sizeof request,
			     "GET /v1/streams/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			     "Accept: text/event-stream\r\n%s%s%s\r\n",
			     stream, after ? "Last-Event-ID: " : "", after ? after : "",
			     after ? "\r\n" : "");
	if (send(crowd->all[which].fd, request, (size_t)bytes, MSG_NOSIGNAL) != bytes)
		die("listener %zu cannot ask: %s", which, strerror(errno));
}

static void listener_ready(struct crowd *crowd, struct listener *listener)
{
	listener->stage = STAGE_LIVE;
	crowd->ready_count++;
}

static void head_line(struct crowd *crowd, struct listener *listener, const char *line,
		      size_t bytes)
{
	if (listener->stage == STAGE_STATUS) {
		if (bytes < 12 || memcmp(line, "HTTP/1.1 200", 12))
			die("a listener was refused: %.*s", (int)bytes, line);
		listener->stage = STAGE_HEAD;
	} else if (bytes <= 1) { /* "\r" */
		listener->stage = STAGE_FIRST_BLOCK;
		if (crowd->plan->flavour != FLAVOUR_TAPECAST)
			listener_ready(crowd, listener);
	}
}

static void event_end(struct crowd *crowd, struct listener *listener, uint64_t end)
{
	if (crowd->spread)
		spread_add(crowd->spread, now_ns() - listener->stamp_ns);
	listener->stamp_ns = 0;
	listener->events++;
	crowd->events++;
	if (listener != crowd->all)
		return;
	if (crowd->ends_count == crowd->ends_max) {
		crowd->ends_max = crowd->ends_max ? 2 * crowd->ends_max : 4096;
		crowd->ends = realloc(crowd->ends, crowd->ends_max * sizeof *crowd->ends);
		if (!crowd->ends)
			die("no memory for %zu events", crowd->ends_max);
	}
	crowd->ends[crowd->ends_count++] = end;
}

static bool starts(const char *line, size_t bytes, const char *with)
{
	size_t with_bytes = strlen(with);
	return bytes >= with_bytes && !memcmp(line, with, with_bytes);
}

static uint64_t stamp_parse(const char *digits)
{
	uint64_t stamp_ns = 0;
	for (int i = 0; i < STAMP_DIGITS; i++) {
		unsigned digit = (unsigned char)digits[i];
		stamp_ns = stamp_ns * 16 + (digit & 15) + (digit > '9' ? 9 : 0);
	}
	return stamp_ns;
}

static void id_keep(struct crowd *crowd, const char *id, size_t bytes)
{
	if (bytes >= ID_MAX_BYTES)
		die("an id of %zu bytes", bytes);
	memcpy(crowd->last_id, id, bytes);
	crowd->last_id[bytes] = '\0';
}

static void body_line(struct crowd *crowd, struct listener *listener, const char *line,
		      size_t bytes, uint64_t end)
{
	if (!bytes) {
		if (listener->stage == STAGE_FIRST_BLOCK)
			listener_ready(crowd, listener);
		if (listener->stamp_ns)
			event_end(crowd, listener, end);
	} else if (starts(line, bytes, "data: @") && bytes >= 7 + STAMP_DIGITS) {
		listener->stamp_ns = stamp_parse(line + 7);
	} else if (line[0] == 'i' && listener == crowd->all && starts(line, bytes, "id: ")) {
		id_keep(crowd, line + 4, bytes - 4);
	} else if (line[0] == 'e' && starts(line, bytes, "event: tapecast.") &&
		   !starts(line, bytes, "event: tapecast.open")) {
		crowd->notices++;
	}
}

static void lines_read(struct crowd *crowd, struct listener *listener, size_t bytes,
		       uint64_t bytes_before)
{
	const char *line = input, *end = input + bytes;
	for (const char *stop; (stop = memchr(line, '\n', (size_t)(end - line))); line = stop + 1) {
		size_t line_bytes = (size_t)(stop - line);
		if (listener->stage < STAGE_FIRST_BLOCK)
			head_line(crowd, listener, line, line_bytes);
		else
			body_line(crowd, listener, line, line_bytes,
				  bytes_before + (size_t)(stop + 1 - input));
	}
	listener->part_bytes = (size_t)(end - line);
	if (listener->part_bytes > LINE_MAX_BYTES)
		die("a line of more than %d bytes", LINE_MAX_BYTES);
	memcpy(crowd->parts[listener - crowd->all], line, listener->part_bytes);
}

void crowd_read(struct crowd *crowd, size_t which)
{
	struct listener *listener = &crowd->all[which];
	size_t part_bytes = listener->skims ? 0 : listener->part_bytes;
	memcpy(input, crowd->parts[which], part_bytes);
	ssize_t got = recv(listener->fd, input + part_bytes, READ_MAX,
			   MSG_DONTWAIT | (listener->skims ? MSG_TRUNC : 0));
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0)
		die("the server closed listener %zu", which);
	uint64_t bytes_before = crowd->bytes[which] - part_bytes;
	crowd->bytes[which] += (size_t)got;
	if (!listener->skims)
		lines_read(crowd, listener, part_bytes + (size_t)got, bytes_before);
}

uint64_t crowd_events_of(const struct crowd *crowd, size_t which)
{
	return crowd->all[which].events;
}

void crowd_skim(struct crowd *crowd, size_t stride)
{
	for (size_t i = 0; i < crowd->count; i++) {
		if (crowd->all[i].part_bytes)
			die("listener %zu stands inside a line", i);
		crowd->all[i].skims = i % stride != 0;
		crowd->bytes[i] = 0;
	}
	crowd->ends_count = 0;
	crowd->whole_count = 0;
}

void crowd_settle(struct crowd *crowd)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < crowd->count; i++)
		least = crowd->bytes[i] < least ? crowd->bytes[i] : least;
	while (crowd->whole_count < crowd->ends_count &&
	       crowd->ends[crowd->whole_count] <= least)
		crowd->whole_count++;
}

bool crowd_even(const struct crowd *crowd)
{
	for (size_t i = 1; i < crowd->count; i++)
		if (crowd->bytes[i] != crowd->bytes[0])
			return false;
	return true;
}

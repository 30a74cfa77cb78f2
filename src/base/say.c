#include "base/say.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static atomic_int level_max = SAY_INFO;
static _Atomic uint64_t dropped_count;

/* One line at a time; everything below belongs to whoever holds it. */
static pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
static int out_fd = STDERR_FILENO;
static bool out_is_torn; /* the last line was taken in part: end it first */
static uint64_t (*clock_wall_ms)(void);
static uint64_t window_s;
static unsigned window_lines;

struct line {
	char text[SAY_LINE_BYTES_MAX];
	size_t bytes;
	bool is_cut;
};

void say_level_set(enum say_level level)
{
	atomic_store(&level_max, (int)level);
}

void say_fd_set(int fd)
{
	pthread_mutex_lock(&door);
	out_fd = fd;
	out_is_torn = false;
	pthread_mutex_unlock(&door);
}

void say_clock_set(uint64_t (*wall_ms)(void))
{
	pthread_mutex_lock(&door);
	clock_wall_ms = wall_ms;
	window_lines = 0;
	pthread_mutex_unlock(&door);
}

uint64_t say_dropped(void)
{
	return atomic_load(&dropped_count);
}

/* Puts all of it or, from the first that does not fit, nothing more: two bytes are kept for the
 * closing quote and the end of the line. */
static void line_put(struct line *line, const char *text, size_t bytes)
{
	if (line->is_cut || bytes > sizeof line->text - 2 - line->bytes) {
		line->is_cut = true;
		return;
	}
	memcpy(line->text + line->bytes, text, bytes);
	line->bytes += bytes;
}

static void line_put_text(struct line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

static bool is_plain(const char *value)
{
	if (!*value)
		return false;
	for (const unsigned char *at = (const unsigned char *)value; *at; at++) {
		if (*at <= ' ' || *at == 0x7f || *at == '"' || *at == '\\' || *at == '=')
			return false;
	}
	return true;
}

static void line_put_escaped(struct line *line, unsigned char byte)
{
	char escape[5] = { '\\', (char)byte };
	if (byte == '"' || byte == '\\') {
		line_put(line, escape, 2);
	} else if (byte == '\n' || byte == '\r' || byte == '\t') {
		escape[1] = byte == '\n' ? 'n' : byte == '\r' ? 'r' : 't';
		line_put(line, escape, 2);
	} else if (byte < ' ' || byte == 0x7f) {
		(void)snprintf(escape, sizeof escape, "\\x%02x", byte);
		line_put(line, escape, 4);
	} else {
		line_put(line, escape + 1, 1);
	}
}

static void line_put_field(struct line *line, const char *key, const char *value)
{
	if (line->bytes)
		line_put_text(line, " ");
	line_put_text(line, key);
	line_put_text(line, "=");
	if (is_plain(value)) {
		/* Byte by byte, so that a long one is cut and not left out. */
		for (; *value; value++)
			line_put(line, value, 1);
		return;
	}
	if (line->is_cut)
		return;
	line_put_text(line, "\"");
	if (line->is_cut)
		return;
	for (; *value; value++)
		line_put_escaped(line, (unsigned char)*value);
	line->text[line->bytes++] = '"';
}

static void line_put_time(struct line *line, uint64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm day;
	char date[40];
	char text[48];
	if (!gmtime_r(&seconds, &day) || !strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &day))
		return;
	(void)snprintf(text, sizeof text, "%s.%03uZ", date, (unsigned)(wall_ms % 1000));
	line_put_field(line, "time", text);
}

static bool window_admits(uint64_t wall_ms)
{
	if (wall_ms / 1000 != window_s) {
		window_s = wall_ms / 1000;
		window_lines = 0;
	}
	return window_lines++ < SAY_LINES_PER_S_MAX;
}

/* A pipe that polls writable has room for PIPE_BUF bytes, more than a line: the write cannot
 * block. A socket has a flag for it. */
static bool out_write(const char *text, size_t bytes)
{
	ssize_t sent = send(out_fd, text, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno == ENOTSOCK) {
		struct pollfd out = { .fd = out_fd, .events = POLLOUT };
		if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT))
			return false;
		sent = write(out_fd, text, bytes);
	}
	if (sent > 0 && (size_t)sent < bytes)
		out_is_torn = true;
	return sent == (ssize_t)bytes;
}

static bool line_write(struct line *line)
{
	line->text[line->bytes++] = '\n';
	if (out_is_torn) {
		if (!out_write("\n", 1))
			return false;
		out_is_torn = false;
	}
	return out_write(line->text, line->bytes);
}

void say(enum say_level level, const char *event, ...)
{
	if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed))
		return;

	pthread_mutex_lock(&door);
	struct line line = { .bytes = 0 };
	uint64_t wall_ms = clock_wall_ms ? clock_wall_ms() : 0;
	bool is_written = false;
	if (!clock_wall_ms || window_admits(wall_ms)) {
		if (clock_wall_ms)
			line_put_time(&line, wall_ms);
		line_put_field(&line, "level", level_names[level]);
		line_put_field(&line, "event", event);

		va_list args;
		va_start(args, event);
		const char *key;
		const char *value;
		while ((key = va_arg(args, const char *)) && (value = va_arg(args, const char *)))
			line_put_field(&line, key, value);
		va_end(args);
		is_written = line_write(&line);
	}
	pthread_mutex_unlock(&door);
	if (!is_written)
		atomic_fetch_add(&dropped_count, 1);
}

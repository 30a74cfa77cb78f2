/*
 * say: diagnostics, one event name a line with its fields (logfmt), to standard error.
 *
 * Thread  any.
 * Promise never blocks (a line that cannot be written at once is dropped and counted), never
 *         breaks a line: bytes below 0x20, quotes and DEL in values are escaped.
 * Bound   a line is cut at SAY_LINE_BYTES_MAX; SAY_LINES_PER_S_MAX lines a second, the rest
 *         counted.
 */
#ifndef TAPECAST_BASE_SAY_H
#define TAPECAST_BASE_SAY_H

#include <stdint.h>

enum { SAY_LINE_BYTES_MAX = 1024, SAY_LINES_PER_S_MAX = 200 };

enum say_level { SAY_ERROR, SAY_WARN, SAY_INFO, SAY_DEBUG };

/* Lines above this level are not written. Default SAY_INFO. */
void say_level_set(enum say_level level);
/* Where lines go; default 2. Its flags stay as they are, for others may share it: our own writes do
 * not block. */
void say_fd_set(int fd);
/* The clock for time= and the rate bound: wall milliseconds. Default: no time field, no bound. */
void say_clock_set(uint64_t (*wall_ms)(void));

/* say(SAY_INFO, "listening", "address", "127.0.0.1:8080", "loops", "2", NULL): pairs of texts. */
void say(enum say_level level, const char *event, ...) __attribute__((sentinel));
uint64_t say_dropped(void);

#endif

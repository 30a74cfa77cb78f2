/*
 * err: the outside world's refusals, as values; the text beside them, one note a thread.
 *
 * Owns    one bounded note per thread.
 * Thread  any; a note belongs to the thread that wrote it.
 * Promise a lower floor never prints: it returns a code and leaves a note.
 * Bound   a note holds ERR_NOTE_BYTES_MAX - 1 bytes; longer ones are cut.
 */
#ifndef TAPECAST_BASE_ERR_H
#define TAPECAST_BASE_ERR_H

enum { ERR_NOTE_BYTES_MAX = 256 };

#define ERR(name, text) ERR_##name,
enum err {
	OK = 0,
#include "base/err_table.h"
	ERR_COUNT
};
#undef ERR

#define ERR_CHECKED __attribute__((warn_unused_result))

/* "NOMEM" and "out of memory"; "?" for a number that is no error code. */
const char *err_name(enum err err);
const char *err_text(enum err err);

/* Leaves a note for people (printf form) and returns err, so that one line does both. */
enum err err_note(enum err err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the note, or before err's text if there is none, and returns err. */
enum err err_prefix(enum err err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The thread's last note; "" if there is none. Valid until the next note. */
const char *err_note_text(void);
void err_note_clear(void);

#endif

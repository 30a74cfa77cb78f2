/*
 * whatwg: an EventSource for tests, written from the standard (HTML, 9.2.6) and from nothing else.
 *
 * Owns    the events it has dispatched; it takes a whole stream at once, a byte at a time.
 */
#ifndef TAPECAST_TESTS_WIRE_WHATWG_H
#define TAPECAST_TESTS_WIRE_WHATWG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/slice.h"

struct whatwg_event {
	struct slice type, data, id; /* type empty: "message" */
};

struct whatwg {
	char *arena; /* all events' data */
	struct whatwg_event *events;
	size_t count;

	/* The block being read: offsets in the arena. */
	size_t data_at, data_bytes;
	struct slice type, id;
};

static inline void whatwg_dispatch(struct whatwg *whatwg)
{
	/* "If the data buffer is an empty string, set the data buffer and the event type buffer to
	 * the empty string and return." */
	if (whatwg->data_bytes) {
		struct whatwg_event *event = &whatwg->events[whatwg->count++];
		/* "If the data buffer's last character is a LF, remove it." */
		event->data = slice_from(whatwg->arena + whatwg->data_at, whatwg->data_bytes - 1);
		event->type = whatwg->type;
		event->id = whatwg->id;
	}
	whatwg->data_at += whatwg->data_bytes;
	whatwg->data_bytes = 0;
	whatwg->type = SLICE("");
}

static inline void whatwg_field(struct whatwg *whatwg, struct slice name, struct slice value)
{
	if (slice_equal(name, SLICE("event"))) {
		whatwg->type = value;
	} else if (slice_equal(name, SLICE("data"))) {
		char *at = whatwg->arena + whatwg->data_at + whatwg->data_bytes;
		for (size_t i = 0; i < value.bytes; i++)
			at[i] = value.at[i];
		at[value.bytes] = '\n';
		whatwg->data_bytes += value.bytes + 1;
	} else if (slice_equal(name, SLICE("id"))) {
		for (size_t i = 0; i < value.bytes; i++) {
			if (value.at[i] == '\0')
				return;
		}
		whatwg->id = value;
	}
}

static inline void whatwg_line(struct whatwg *whatwg, struct slice line)
{
	size_t colon = 0;

	if (line.bytes == 0) {
		whatwg_dispatch(whatwg);
		return;
	}
	while (colon < line.bytes && line.at[colon] != ':')
		colon++;
	if (colon == 0)
		return;
	size_t value_at = colon < line.bytes ? colon + 1 : colon;
	if (value_at < line.bytes && line.at[value_at] == ' ')
		value_at++;
	whatwg_field(whatwg, slice_from(line.at, colon),
		     slice_from(line.at + value_at, line.bytes - value_at));
}

/* Types and ids point into text, which must live as long; data is the reader's own. */
static inline void whatwg_read(struct whatwg *whatwg, struct slice text)
{
	*whatwg = (struct whatwg){ .type = SLICE(""), .id = SLICE("") };
	whatwg->arena = mem_alloc(text.bytes + 1);
	whatwg->events = mem_zalloc_array(text.bytes / 6 + 1, sizeof *whatwg->events);
	MUST(whatwg->arena && whatwg->events);

	size_t at = 0;
	if (text.bytes >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	size_t line_at = at;
	while (at < text.bytes) {
		if (text.at[at] != '\n' && text.at[at] != '\r') {
			at++;
			continue;
		}
		whatwg_line(whatwg, slice_from(text.at + line_at, at - line_at));
		at += text.at[at] == '\r' && at + 1 < text.bytes && text.at[at + 1] == '\n' ? 2 : 1;
		line_at = at;
	}
	/* "Once the end of the file is reached, any pending data must be discarded." */
}

static inline void whatwg_free(struct whatwg *whatwg)
{
	mem_free(whatwg->arena);
	mem_free(whatwg->events);
	*whatwg = (struct whatwg){ 0 };
}

#endif

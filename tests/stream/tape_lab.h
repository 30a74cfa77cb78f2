/*
 * tape_lab: short ways to say events, tapes and starts, for the tests of this floor.
 *
 * Thread  a test's own.
 */
#ifndef TAPECAST_TESTS_STREAM_TAPE_LAB_H
#define TAPECAST_TESTS_STREAM_TAPE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "stream/tape.h"
#include "wire/chunk.h"
#include "wire/encode.h"
#include "wire/ws.h"

static const struct slice lab_name = { "room/1", 6 };

/* What an event is to be; zero: plain. */
struct said {
	struct draft draft;
	uint64_t wall_ms;
	uint64_t born_ms;
};

/* The seq-th event of a history: branch tells apart what took the same number twice. */
static inline struct position lab_position(uint32_t epoch_n, uint64_t seq, uint64_t branch)
{
	return (struct position){ position_epoch(epoch_n, 77), seq, seq * 16 + branch };
}

static inline struct event *lab_event(struct position position, const struct said *said)
{
	struct event *event = NULL;
	enum err err;
	if (said->draft.end)
		err = event_new_end(said->draft.end, said->wall_ms, said->born_ms, &event);
	else
		err = event_new(&said->draft, said->wall_ms, said->born_ms, &event);
	assert_int_equal(err, OK);
	event->position = position;
	return event;
}

/* Appends and keeps no reference. */
static inline void lab_append(struct tape *tape, struct position position, const struct said *said)
{
	struct event *event = lab_event(position, said);
	assert_int_equal(tape_append(tape, event, said->born_ms), OK);
	event_unref(&event);
}

/* Appends plain events first..last of epoch 1, branch 0; each says its number. */
static inline void lab_run(struct tape *tape, uint64_t first, uint64_t last)
{
	for (uint64_t seq = first; seq <= last; seq++) {
		struct buf text;
		buf_init(&text, 32);
		assert_int_equal(buf_put_u64(&text, seq), OK);
		struct said said = { .draft.data = buf_slice(&text), .wall_ms = 1000 * seq };
		lab_append(tape, lab_position(1, seq, 0), &said);
		buf_fini(&text);
	}
}

static inline struct tape *lab_tape(struct tape_bounds bounds)
{
	struct tape *tape = NULL;
	assert_int_equal(tape_new(lab_name, bounds, &tape), OK);
	return tape;
}

static inline struct tape_bounds lab_bounds(uint32_t events_max)
{
	return (struct tape_bounds){ .events_max = events_max, .bytes_max = SIZE_MAX,
				       .age_ms_max = UINT64_MAX };
}

static inline void lab_fork(struct tape *tape, enum gap_reason reason, struct position next)
{
	struct gap gap = { .reason = reason, .after = tape_head(tape), .next = next };
	assert_int_equal(tape_fork(tape, &gap), OK);
}

/* The bytes that the event has in a form, by the encoders alone. */
static inline void lab_frame(const struct event *event, enum form form, struct buf *frame)
{
	if (event->end)
		return;
	const struct encode_event bytes = {
		.stream = lab_name,
		.type = event_type(event),
		.key = event_key(event),
		.data = event_data(event),
		.position = event->position,
		.has_position = !event->ephemeral,
		.json = event->json,
		.wall_ms = event->wall_ms,
	};
	if (form == FORM_SSE) {
		assert_int_equal(encode_sse(&bytes, frame), OK);
	} else if (form == FORM_CHUNKED) {
		size_t mark = 0;
		assert_int_equal(chunk_open(frame, &mark), OK);
		assert_int_equal(encode_sse(&bytes, frame), OK);
		assert_int_equal(chunk_close(frame, mark), OK);
	} else if (form == FORM_WS) {
		struct buf text;
		buf_init(&text, SIZE_MAX / 4);
		assert_int_equal(encode_json(&bytes, &text), OK);
		struct buf with_op;
		buf_init(&with_op, SIZE_MAX / 4);
		buf_put_text(&with_op, "{\"op\":\"event\",");
		buf_put(&with_op, slice_from(text.at + 1, text.bytes - 1));
		assert_int_equal(ws_frame(WS_TEXT, buf_slice(&with_op), frame), OK);
		buf_fini(&text);
		buf_fini(&with_op);
	} else {
		assert_int_equal(encode_json(&bytes, frame), OK);
		assert_int_equal(buf_put_byte(frame, '\n'), OK);
	}
}

#define assert_position(actual, expected) lab_position_is((actual), (expected), __LINE__)

static inline void lab_position_is(struct position actual, struct position expected, int line)
{
	if (!position_equal(&actual, &expected)) {
		char a[POSITION_TEXT_MAX], b[POSITION_TEXT_MAX];
		position_format(&actual, a);
		position_format(&expected, b);
		fail_msg("line %d: position %s, expected %s", line, a, b);
	}
}

#define assert_bytes(actual, expected) lab_bytes_are((actual), (expected), __LINE__)

static inline void lab_bytes_are(struct slice actual, struct slice expected, int line)
{
	if (!slice_equal(actual, expected))
		fail_msg("line %d: %zu bytes \"%.*s\", expected %zu \"%.*s\"", line, actual.bytes,
			 actual.bytes > 200 ? 200 : (int)actual.bytes, actual.at, expected.bytes,
			 expected.bytes > 200 ? 200 : (int)expected.bytes, expected.at);
}

/* What a reader at the tail gets up to the head, all segments in a row, into bytes. */
static inline void lab_read_all(const struct tape *tape, enum form form, struct buf *bytes)
{
	struct peek peek = { .form = form, .ord = tape_tail_ord(tape) };
	struct position at = { 0 };
	for (;;) {
		struct view view;
		tape_peek(tape, &peek, &at, &view);
		if (view.kind == VIEW_NOTHING)
			break;
		assert_int_not_equal(view.kind, VIEW_OVERTAKEN);
		if (view.kind == VIEW_BYTES)
			assert_int_equal(buf_put(bytes, view.bytes), OK);
		peek.ord = view.end_ord;
		at = view.end_at;
		view_done(&view);
	}
	assert_int_equal(peek.ord, tape_head_ord(tape));
}

static inline void assert_reads(const struct tape *tape, enum form form, struct slice expected)
{
	struct buf bytes;
	buf_init(&bytes, SIZE_MAX / 4);
	lab_read_all(tape, form, &bytes);
	assert_bytes(buf_slice(&bytes), expected);
	buf_fini(&bytes);
}

#endif

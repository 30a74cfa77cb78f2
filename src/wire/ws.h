/*
 * ws: RFC 6455 in bytes: frames written, and a stream of frames read as it comes in.
 *
 * Owns    a reader its message under way, and nothing between messages.
 * Thread  any; one reader belongs to one connection.
 * Promise pure. However the stream is cut into pieces, the same is found in it. What the standard
 *         forbids is refused with the code that it wants, at the first byte that shows it.
 * Bound   message_bytes_max, fragments_max; 125 bytes a control frame.
 */
#ifndef TAPECAST_WIRE_WS_H
#define TAPECAST_WIRE_WS_H

#include <stdint.h>

#include "base/buf.h"
#include "wire/utf8.h"

enum ws_opcode {
	WS_MORE = 0, /* a message goes on */
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

enum {
	WS_HEAD_BYTES_MAX = 10, /* of a frame that is not masked */
	WS_MASK_BYTES = 4,
	WS_CONTROL_BYTES_MAX = 125,
};

/* Close codes. The private ones (4000 and up) say what an HTTP status of the same digits says. */
enum ws_code {
	WS_CODE_DONE = 1000,
	WS_CODE_AWAY = 1001,
	WS_CODE_PROTOCOL = 1002,
	WS_CODE_DATA = 1003,
	WS_CODE_NONE = 1005, /* never sent: the peer gave none */
	WS_CODE_UTF8 = 1007,
	WS_CODE_POLICY = 1008,
	WS_CODE_TOO_BIG = 1009,
	WS_CODE_INTERNAL = 1011,
	WS_CODE_LATER = 1013,
	WS_CODE_AUTH = 4401,
	WS_CODE_FORBIDDEN = 4403,
	WS_CODE_SLOW = 4408,
};

/* --- written --- */

/* The head of a whole, unmasked frame with `bytes` bytes of payload; returns the head's length. */
size_t ws_frame_head(enum ws_opcode opcode, uint64_t bytes, char head[WS_HEAD_BYTES_MAX]);
/* A whole frame, as a server sends it. ERR_NOMEM, ERR_TOO_BIG: buf is as it was. */
enum err ws_frame(enum ws_opcode opcode, struct slice payload, struct buf *buf) ERR_CHECKED;
/* The same, as a client sends it. */
enum err ws_frame_masked(enum ws_opcode opcode, struct slice payload,
			 const uint8_t mask[WS_MASK_BYTES], struct buf *buf) ERR_CHECKED;
/* A close frame's payload: the code, and as much of the reason as fits, cut between characters.
 * WS_CODE_NONE: empty. Returns its length. */
size_t ws_close_payload(enum ws_code code, struct slice reason, char payload[WS_CONTROL_BYTES_MAX]);

/* --- read --- */

enum ws_side {
	WS_SERVER, /* reads a client's frames, which are masked */
	WS_CLIENT, /* reads a server's, which are not */
};

enum ws_found {
	WS_FOUND_NOTHING, /* all bytes are taken; more are needed */
	WS_FOUND_TEXT, /* a whole message, valid UTF-8 (U+0000 included) */
	WS_FOUND_BINARY,
	WS_FOUND_PING,
	WS_FOUND_PONG,
	WS_FOUND_CLOSE, /* reader->code is the peer's, or WS_CODE_NONE; payload is its reason */
	WS_FOUND_BROKEN, /* close with reader->code; payload says why, for people */
};

struct ws_reader {
	struct buf message; /* `kept` bytes of it, and behind them a control frame's payload */
	size_t kept;
	size_t message_bytes_max;
	uint64_t left; /* of the frame's payload */
	uint32_t fragments, fragments_max;
	uint16_t code;
	uint8_t step;
	uint8_t side;
	uint8_t message_opcode; /* of the message under way; WS_MORE: none is */
	uint8_t head_bytes;
	uint8_t head[WS_HEAD_BYTES_MAX + WS_MASK_BYTES];
	uint8_t mask_phase;
	bool found; /* what was found has been handed out: it goes with the next call */
	struct utf8 text;
};

void ws_reader_init(struct ws_reader *reader, enum ws_side side, size_t message_bytes_max,
		    uint32_t fragments_max);
void ws_reader_fini(struct ws_reader *reader);
/* Takes from *bytes up to and with what it finds. The payload is good until the next call. After
 * WS_FOUND_CLOSE and WS_FOUND_BROKEN nothing is found any more, and all bytes are taken. */
enum ws_found ws_read(struct ws_reader *reader, struct slice *bytes, struct slice *ret_payload);
/* A close code that may be sent: of the standard, registered, or for private use. */
bool ws_code_is_sendable(unsigned code);

#endif

#include "wire/ws.h"

#include <string.h>

#include "wire/word.h"

enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASKED = 0x80, LENGTH = 0x7f };
enum { LENGTH_16 = 126, LENGTH_64 = 127, HEAD_BYTES_MIN = 2 };
enum { CODE_BYTES = 2, CODE_PRIVATE_MIN = 3000, CODE_MAX = 4999 };

enum step { STEP_HEAD, STEP_PAYLOAD, STEP_OVER };

/* --- written --- */

size_t ws_frame_head(enum ws_opcode opcode, uint64_t bytes, char head[WS_HEAD_BYTES_MAX])
{
	unsigned char *at = (unsigned char *)head;
	at[0] = (unsigned char)(FIN | opcode);
	if (bytes < LENGTH_16) {
		at[1] = (unsigned char)bytes;
		return HEAD_BYTES_MIN;
	}
	size_t count = bytes > UINT16_MAX ? 8 : 2;
	at[1] = count == 8 ? LENGTH_64 : LENGTH_16;
	for (size_t i = 0; i < count; i++)
		at[HEAD_BYTES_MIN + i] = (unsigned char)(bytes >> 8 * (count - 1 - i));
	return HEAD_BYTES_MIN + count;
}

enum err ws_frame(enum ws_opcode opcode, struct slice payload, struct buf *buf)
{
	char head[WS_HEAD_BYTES_MAX];
	size_t head_bytes = ws_frame_head(opcode, payload.bytes, head);
	enum err err = buf_reserve(buf, head_bytes + payload.bytes);
	if (!err)
		err = buf_put(buf, slice_from(head, head_bytes));
	return err ? err : buf_put(buf, payload);
}

/* to = from ^ mask, whose first byte is mask[phase]. */
static void mask_copy(char *to, struct slice from, const uint8_t mask[WS_MASK_BYTES],
		      unsigned phase)
{
	char turned[WORD_BYTES];
	for (unsigned i = 0; i < WORD_BYTES; i++)
		turned[i] = (char)mask[(phase + i) % WS_MASK_BYTES];
	uint64_t pattern = word_load(turned);
	size_t at = 0;
	for (; from.bytes - at >= WORD_BYTES; at += WORD_BYTES) {
		uint64_t word = word_load(from.at + at) ^ pattern;
		memcpy(to + at, &word, WORD_BYTES);
	}
	for (size_t i = 0; at < from.bytes; at++, i++)
		to[at] = (char)(from.at[at] ^ turned[i]);
}

enum err ws_frame_masked(enum ws_opcode opcode, struct slice payload,
			 const uint8_t mask[WS_MASK_BYTES], struct buf *buf)
{
	char head[WS_HEAD_BYTES_MAX + WS_MASK_BYTES];
	size_t head_bytes = ws_frame_head(opcode, payload.bytes, head);
	head[1] = (char)((unsigned char)head[1] | MASKED);
	memcpy(head + head_bytes, mask, WS_MASK_BYTES);
	head_bytes += WS_MASK_BYTES;
	enum err err = buf_reserve(buf, head_bytes + payload.bytes);
	if (!err)
		err = buf_put(buf, slice_from(head, head_bytes));
	if (err)
		return err;
	mask_copy(buf->at + buf->bytes, payload, mask, 0);
	buf->bytes += payload.bytes;
	return OK;
}

size_t ws_close_payload(enum ws_code code, struct slice reason, char payload[WS_CONTROL_BYTES_MAX])
{
	if (code == WS_CODE_NONE)
		return 0;
	payload[0] = (char)(code >> 8);
	payload[1] = (char)(code & 0xff);
	size_t bytes = reason.bytes;
	if (bytes > WS_CONTROL_BYTES_MAX - CODE_BYTES) {
		bytes = WS_CONTROL_BYTES_MAX - CODE_BYTES;
		while (bytes > 0 && ((unsigned char)reason.at[bytes] & 0xc0) == 0x80)
			bytes--;
	}
	if (bytes)
		memcpy(payload + CODE_BYTES, reason.at, bytes);
	return CODE_BYTES + bytes;
}

/* --- read --- */

bool ws_code_is_sendable(unsigned code)
{
	switch (code) {
	case 1000: case 1001: case 1002: case 1003:
	case 1007: case 1008: case 1009: case 1010: case 1011: case 1012: case 1013: case 1014:
		return true;
	default:
		return code >= CODE_PRIVATE_MIN && code <= CODE_MAX;
	}
}

void ws_reader_init(struct ws_reader *reader, enum ws_side side, size_t message_bytes_max,
		    uint32_t fragments_max)
{
	*reader = (struct ws_reader){
		.side = (uint8_t)side,
		.message_bytes_max = message_bytes_max,
		.fragments_max = fragments_max,
		.text = { .nul = true },
	};
	buf_init(&reader->message, message_bytes_max + WS_CONTROL_BYTES_MAX);
}

void ws_reader_fini(struct ws_reader *reader)
{
	buf_fini(&reader->message);
}

static enum ws_found broken(struct ws_reader *reader, enum ws_code code, const char *why,
			    struct slice *ret_payload)
{
	reader->code = (uint16_t)code;
	reader->step = STEP_OVER;
	buf_fini(&reader->message);
	*ret_payload = slice_of(why);
	return WS_FOUND_BROKEN;
}

static unsigned frame_opcode(const struct ws_reader *reader)
{
	return reader->head[0] & OPCODE;
}

static bool frame_is_control(const struct ws_reader *reader)
{
	return frame_opcode(reader) >= WS_CLOSE;
}

/* What the first two bytes alone show to be wrong, or NULL. */
static const char *head_fault(const struct ws_reader *reader)
{
	unsigned opcode = frame_opcode(reader);
	bool fin = reader->head[0] & FIN, goes_on = reader->message_opcode != WS_MORE;
	unsigned length = reader->head[1] & LENGTH;
	if (reader->head[0] & RESERVED)
		return "a reserved bit is set, and no extension was agreed on";
	if (opcode > WS_PONG || (opcode > WS_BINARY && opcode < WS_CLOSE))
		return "no such opcode";
	if (!(reader->head[1] & MASKED) != (reader->side == WS_CLIENT))
		return reader->side == WS_SERVER ? "a client's frames must be masked" :
						   "a server's frames must not be masked";
	if (opcode >= WS_CLOSE && !fin)
		return "a control frame cannot be a fragment";
	if (opcode >= WS_CLOSE && length > WS_CONTROL_BYTES_MAX)
		return "a control frame holds at most 125 bytes";
	if (opcode == WS_MORE && !goes_on)
		return "there is no message that could go on";
	if ((opcode == WS_TEXT || opcode == WS_BINARY) && goes_on)
		return "the message before has not ended";
	return NULL;
}

/* Bytes that the head has, as far as what is there of it tells. */
static size_t head_bytes_wanted(const struct ws_reader *reader)
{
	if (reader->head_bytes < HEAD_BYTES_MIN)
		return HEAD_BYTES_MIN;
	unsigned length = reader->head[1] & LENGTH;
	size_t extended = length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
	return HEAD_BYTES_MIN + extended + (reader->side == WS_SERVER ? WS_MASK_BYTES : 0);
}

/* False: not the shortest form, or a number with its top bit set. */
static bool head_length(const struct ws_reader *reader, uint64_t *ret_bytes)
{
	unsigned length = reader->head[1] & LENGTH;
	size_t count = length == LENGTH_64 ? 8 : length == LENGTH_16 ? 2 : 0;
	uint64_t bytes = count ? 0 : length;
	for (size_t i = 0; i < count; i++)
		bytes = bytes << 8 | reader->head[HEAD_BYTES_MIN + i];
	*ret_bytes = bytes;
	return (count != 2 || bytes >= LENGTH_16) &&
	       (count != 8 || (bytes > UINT16_MAX && bytes <= INT64_MAX));
}

/* The head is whole. WS_FOUND_NOTHING: its payload may come. */
static enum ws_found head_take(struct ws_reader *reader, struct slice *ret_payload)
{
	uint64_t bytes;
	if (!head_length(reader, &bytes))
		return broken(reader, WS_CODE_PROTOCOL, "the frame's length is not well-formed",
			      ret_payload);
	if (!frame_is_control(reader)) {
		if (bytes > reader->message_bytes_max - reader->kept)
			return broken(reader, WS_CODE_TOO_BIG, "the message is too large",
				      ret_payload);
		if (++reader->fragments > reader->fragments_max)
			return broken(reader, WS_CODE_POLICY, "the message has too many fragments",
				      ret_payload);
		if (frame_opcode(reader) != WS_MORE)
			reader->message_opcode = (uint8_t)frame_opcode(reader);
	}
	reader->left = bytes;
	reader->mask_phase = 0;
	reader->step = STEP_PAYLOAD;
	return WS_FOUND_NOTHING;
}

/* Takes what is there of the head. */
static enum ws_found head_read(struct ws_reader *reader, struct slice *bytes,
			       struct slice *ret_payload)
{
	while (reader->head_bytes < head_bytes_wanted(reader)) {
		if (!bytes->bytes)
			return WS_FOUND_NOTHING;
		reader->head[reader->head_bytes++] = (uint8_t)bytes->at[0];
		*bytes = slice_from(bytes->at + 1, bytes->bytes - 1);
		const char *fault = reader->head_bytes == HEAD_BYTES_MIN ? head_fault(reader) :
									   NULL;
		if (fault)
			return broken(reader, WS_CODE_PROTOCOL, fault, ret_payload);
	}
	return head_take(reader, ret_payload);
}

/* Takes what is there of the payload. */
static enum ws_found payload_read(struct ws_reader *reader, struct slice *bytes,
				  struct slice *ret_payload)
{
	static const uint8_t no_mask[WS_MASK_BYTES];
	struct buf *message = &reader->message;
	size_t count = bytes->bytes < reader->left ? bytes->bytes : (size_t)reader->left;
	if (!count)
		return WS_FOUND_NOTHING;
	if (buf_reserve(message, count) != OK)
		return broken(reader, WS_CODE_INTERNAL, "out of memory", ret_payload);
	const uint8_t *mask = reader->side == WS_SERVER ?
				      reader->head + reader->head_bytes - WS_MASK_BYTES : no_mask;
	char *to = message->at + message->bytes;
	mask_copy(to, slice_from(bytes->at, count), mask, reader->mask_phase);
	message->bytes += count;
	reader->mask_phase = (uint8_t)((reader->mask_phase + count) % WS_MASK_BYTES);
	reader->left -= count;
	*bytes = slice_from(bytes->at + count, bytes->bytes - count);
	if (frame_is_control(reader))
		return WS_FOUND_NOTHING;
	reader->kept = message->bytes;
	if (reader->message_opcode == WS_TEXT &&
	    utf8_feed(&reader->text, slice_from(to, count), NULL) != OK) {
		err_note_clear();
		return broken(reader, WS_CODE_UTF8, "the text is not valid UTF-8", ret_payload);
	}
	return WS_FOUND_NOTHING;
}

static enum ws_found close_take(struct ws_reader *reader, struct slice *ret_payload)
{
	struct slice payload = *ret_payload;
	struct utf8 reason = { .nul = true };
	if (payload.bytes == 1)
		return broken(reader, WS_CODE_PROTOCOL, "a close code has two bytes", ret_payload);
	*ret_payload = SLICE("");
	reader->code = WS_CODE_NONE;
	if (payload.bytes) {
		reader->code = (uint16_t)((unsigned char)payload.at[0] << 8 |
					  (unsigned char)payload.at[1]);
		*ret_payload = slice_from(payload.at + CODE_BYTES, payload.bytes - CODE_BYTES);
		if (!ws_code_is_sendable(reader->code))
			return broken(reader, WS_CODE_PROTOCOL, "that close code is not to be sent",
				      ret_payload);
	}
	if (utf8_feed(&reason, *ret_payload, NULL) != OK || utf8_end(&reason) != OK) {
		err_note_clear();
		return broken(reader, WS_CODE_UTF8, "the close reason is not valid UTF-8",
			      ret_payload);
	}
	reader->step = STEP_OVER;
	reader->found = true;
	return WS_FOUND_CLOSE;
}

/* The frame's payload is whole. WS_FOUND_NOTHING: the message goes on. */
static enum ws_found frame_end(struct ws_reader *reader, struct slice *ret_payload)
{
	const struct buf *message = &reader->message;
	reader->step = STEP_HEAD;
	reader->head_bytes = 0;
	if (frame_is_control(reader)) {
		size_t bytes = message->bytes - reader->kept;
		*ret_payload = bytes ? slice_from(message->at + reader->kept, bytes) : SLICE("");
		if (frame_opcode(reader) == WS_CLOSE)
			return close_take(reader, ret_payload);
		reader->found = true;
		return frame_opcode(reader) == WS_PING ? WS_FOUND_PING : WS_FOUND_PONG;
	}
	if (!(reader->head[0] & FIN))
		return WS_FOUND_NOTHING;
	if (utf8_end(&reader->text) != OK) {
		err_note_clear();
		return broken(reader, WS_CODE_UTF8, "the text ends inside a character",
			      ret_payload);
	}
	bool is_text = reader->message_opcode == WS_TEXT;
	*ret_payload = message->bytes ? buf_slice(message) : SLICE("");
	reader->message_opcode = WS_MORE;
	reader->fragments = 0;
	reader->kept = 0;
	reader->found = true;
	return is_text ? WS_FOUND_TEXT : WS_FOUND_BINARY;
}

enum ws_found ws_read(struct ws_reader *reader, struct slice *bytes, struct slice *ret_payload)
{
	enum ws_found found = WS_FOUND_NOTHING;
	if (reader->found) {
		reader->message.bytes = reader->kept;
		reader->found = false;
	}
	while (reader->step != STEP_OVER) {
		if (reader->step == STEP_HEAD) {
			found = head_read(reader, bytes, ret_payload);
			if (found != WS_FOUND_NOTHING || reader->step == STEP_HEAD)
				break;
		}
		found = payload_read(reader, bytes, ret_payload);
		if (found != WS_FOUND_NOTHING || reader->left)
			break;
		found = frame_end(reader, ret_payload);
		if (found != WS_FOUND_NOTHING)
			break;
	}
	if (reader->step == STEP_OVER) {
		*bytes = slice_from(bytes->at + bytes->bytes, 0);
		if (!reader->found)
			buf_fini(&reader->message);
	} else if (found == WS_FOUND_NOTHING && !reader->message.bytes) {
		buf_fini(&reader->message); /* nothing is kept for one that is silent */
	}
	return found;
}

/* fuzz_ws: a stream of frames holds the same however it is cut; what is found keeps the bounds, and
 * comes back when it is written anew. */
#include "fuzz.h"
#include "wire/ws.h"

enum { FOUND_MAX = 64 };

struct found {
	enum ws_found kind;
	unsigned code;
	uint64_t digest; /* of the payload */
	size_t bytes;
};

static uint64_t digest_of(struct slice payload)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < payload.bytes; i++)
		digest = (digest ^ (unsigned char)payload.at[i]) * UINT64_C(0x100000001b3);
	return digest;
}

/* What a server would send, a client reads as the same. */
static void comes_back(enum ws_found kind, struct slice payload)
{
	enum ws_opcode opcode = kind == WS_FOUND_TEXT ? WS_TEXT :
				kind == WS_FOUND_BINARY ? WS_BINARY :
				kind == WS_FOUND_PING ? WS_PING : WS_PONG;
	struct ws_reader reader;
	struct buf frame;
	struct slice again = SLICE("");
	buf_init(&frame, 1 << 16);
	MUST(ws_frame(opcode, payload, &frame) == OK);
	ws_reader_init(&reader, WS_CLIENT, 1 << 16, 1);
	struct slice bytes = buf_slice(&frame);
	MUST(ws_read(&reader, &bytes, &again) == kind);
	MUST(slice_equal(again, payload) && bytes.bytes == 0);
	ws_reader_fini(&reader);
	buf_fini(&frame);
}

static void found_check(enum ws_found kind, const struct ws_reader *reader, struct slice payload)
{
	struct utf8 text = { .nul = true };
	if (kind == WS_FOUND_TEXT || kind == WS_FOUND_CLOSE)
		MUST(utf8_feed(&text, payload, NULL) == OK && utf8_end(&text) == OK);
	if (kind == WS_FOUND_TEXT || kind == WS_FOUND_BINARY)
		MUST(payload.bytes <= reader->message_bytes_max);
	else if (kind != WS_FOUND_BROKEN)
		MUST(payload.bytes <= WS_CONTROL_BYTES_MAX);
	if (kind == WS_FOUND_CLOSE)
		MUST(reader->code == WS_CODE_NONE || ws_code_is_sendable(reader->code));
	else if (kind == WS_FOUND_BROKEN)
		MUST(ws_code_is_sendable(reader->code) && payload.bytes > 0);
	else
		comes_back(kind, payload);
}

/* chunked NULL: all at once. Returns how many things were found. */
static size_t read_all(struct slice stream, enum ws_side side, size_t bytes_max, unsigned *chunked,
		       struct found *ret_found)
{
	struct ws_reader reader;
	size_t count = 0;
	ws_reader_init(&reader, side, bytes_max, 4);
	while (stream.bytes) {
		struct slice piece = chunked ? fuzz_chunk(&stream, chunked) :
					       fuzz_take(&stream, stream.bytes);
		struct slice payload = SLICE("");
		enum ws_found kind;
		while ((kind = ws_read(&reader, &piece, &payload)) != WS_FOUND_NOTHING) {
			found_check(kind, &reader, payload);
			bool coded = kind == WS_FOUND_CLOSE || kind == WS_FOUND_BROKEN;
			if (count < FOUND_MAX)
				ret_found[count++] = (struct found){
					.kind = kind, .code = coded ? reader.code : 0,
					.digest = digest_of(payload), .bytes = payload.bytes };
		}
		MUST(piece.bytes == 0);
	}
	ws_reader_fini(&reader);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = fuzz_slice(data, size);
	unsigned choice = fuzz_byte(&rest), seed = choice;
	enum ws_side side = choice & 1 ? WS_CLIENT : WS_SERVER;
	size_t bytes_max = choice & 2 ? 32 : 4096;
	struct found whole[FOUND_MAX] = { { .kind = WS_FOUND_NOTHING } };
	struct found pieces[FOUND_MAX] = { { .kind = WS_FOUND_NOTHING } };

	size_t count = read_all(rest, side, bytes_max, NULL, whole);
	MUST(read_all(rest, side, bytes_max, &seed, pieces) == count);
	for (size_t i = 0; i < count; i++)
		MUST(whole[i].kind == pieces[i].kind && whole[i].code == pieces[i].code &&
		     whole[i].digest == pieces[i].digest && whole[i].bytes == pieces[i].bytes);
	return 0;
}

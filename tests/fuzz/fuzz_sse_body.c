/* fuzz_sse_body: any body, in any chunks, is read as the standard says; and with a small bound. */
#include "fuzz.h"
#include "../wire/whatwg.h"
#include "wire/sse.h"

static void check_against_the_standard(struct slice body, unsigned seed)
{
	struct sse_reader reader;
	struct sse_event event;
	struct whatwg whatwg;
	struct slice rest = body;
	size_t count = 0;
	enum err err = ERR_AGAIN;

	whatwg_read(&whatwg, body);
	sse_reader_init(&reader, body.bytes + 1);
	while (rest.bytes) {
		struct slice chunk = fuzz_chunk(&rest, &seed);
		while ((err = sse_next(&reader, &chunk, &event)) == OK) {
			if (!event.has_data)
				continue;
			MUST(count < whatwg.count);
			MUST(slice_equal(event.type, whatwg.events[count].type));
			MUST(slice_equal(event.data, whatwg.events[count].data));
			MUST(slice_equal(event.id, whatwg.events[count].id));
			count++;
		}
		MUST(err == ERR_AGAIN && chunk.bytes == 0);
	}
	MUST(count == whatwg.count);
	sse_reader_fini(&reader);
	whatwg_free(&whatwg);
}

static void check_bound(struct slice body, unsigned seed)
{
	enum { BYTES_MAX = 8 };
	struct sse_reader reader;
	struct sse_event event;
	enum err err = ERR_AGAIN;

	sse_reader_init(&reader, BYTES_MAX);
	while (body.bytes && err == ERR_AGAIN) {
		struct slice chunk = fuzz_chunk(&body, &seed);
		while ((err = sse_next(&reader, &chunk, &event)) == OK)
			MUST(event.type.bytes + event.data.bytes +
				     (event.has_id ? event.id.bytes : 0) <= BYTES_MAX);
	}
	MUST(err == ERR_AGAIN || err == ERR_TOO_BIG);
	MUST(reader.line.capacity <= BYTES_MAX + 32 && reader.data.capacity <= BYTES_MAX + 1);
	MUST(reader.type.capacity <= BYTES_MAX && reader.id.capacity <= BYTES_MAX);
	sse_reader_fini(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = fuzz_slice(data, size);
	unsigned seed = fuzz_byte(&body);

	check_against_the_standard(body, seed);
	check_bound(body, seed);
	return 0;
}

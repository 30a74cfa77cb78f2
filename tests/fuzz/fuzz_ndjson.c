/* fuzz_ndjson: lines in any chunks are those of the whole body; each is published or refused. */
#include "fuzz.h"
#include "wire/json.h"
#include "wire/lines.h"
#include "wire/publish.h"

enum { LINE_BYTES_MAX = 256 };

/* The next line of the whole body, without its end; false at the body's end. */
static bool whole_line(struct slice *body, struct slice *ret_line)
{
	size_t bytes = 0;

	if (!body->bytes)
		return false;
	while (bytes < body->bytes && body->at[bytes] != '\n')
		bytes++;
	*ret_line = fuzz_take(body, bytes);
	fuzz_take(body, 1);
	if (ret_line->bytes && ret_line->at[ret_line->bytes - 1] == '\r')
		ret_line->bytes--;
	return true;
}

static void check_line(struct slice line, struct buf *scratch)
{
	struct draft draft;
	struct json_value value;

	buf_reset(scratch);
	enum err err = publish_object(line, scratch, &draft);
	MUST(err == OK || err == ERR_SYNTAX || err == ERR_UTF8 || err == ERR_RANGE);
	if (err == OK)
		MUST(json_check(line, &value) == OK && value.kind == JSON_OBJECT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = fuzz_slice(data, size), line, wanted;
	unsigned seed = fuzz_byte(&body);
	struct slice rest = body;
	struct lines lines;
	struct buf scratch;
	uint64_t number = 0;
	enum err err = ERR_AGAIN;

	lines_init(&lines, LINE_BYTES_MAX);
	buf_init(&scratch, LINE_BYTES_MAX);
	while (rest.bytes && err == ERR_AGAIN) {
		struct slice chunk = fuzz_chunk(&rest, &seed);
		while ((err = lines_next(&lines, &chunk, &line)) == OK) {
			MUST(whole_line(&body, &wanted) && slice_equal(line, wanted));
			MUST(lines.number == ++number);
			check_line(line, &scratch);
		}
	}
	if (err == ERR_AGAIN)
		err = lines_last(&lines, &line);
	if (err == OK) {
		MUST(whole_line(&body, &wanted) && slice_equal(line, wanted));
		check_line(line, &scratch);
		err = lines_last(&lines, &line);
	}
	if (err == ERR_TOO_BIG)
		MUST(whole_line(&body, &wanted) && wanted.bytes > LINE_BYTES_MAX);
	else
		MUST(err == ERR_AGAIN && !whole_line(&body, &wanted));
	lines_fini(&lines);
	buf_fini(&scratch);
	return 0;
}

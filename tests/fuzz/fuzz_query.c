/* fuzz_query: what was decoded, escaped again in full, decodes to the same. */
#include <stdio.h>

#include "fuzz.h"
#include "../wire/naive.h"
#include "wire/query.h"

enum { TEXT_MAX = 4096 };

static void put_escaped(struct buf *buf, struct slice text)
{
	for (size_t i = 0; i < text.bytes; i++)
		MUST(buf_putf(buf, "%%%02X", (unsigned)(unsigned char)text.at[i]) == OK);
}

static void check_query(struct slice query)
{
	struct buf scratch, escaped, scratch_again;
	struct slice name, value, name_again, value_again;
	size_t at = 0, at_again = 0;
	enum err err;

	buf_init(&scratch, query.bytes);
	buf_init(&escaped, 4 * TEXT_MAX);
	buf_init(&scratch_again, 4 * TEXT_MAX);
	while ((err = query_next(query, &at, &scratch, &name, &value)) == OK) {
		MUST(at <= query.bytes);
		MUST(naive_is_text(name) && naive_is_text(value));

		buf_reset(&escaped);
		put_escaped(&escaped, name);
		MUST(buf_put_byte(&escaped, '=') == OK);
		put_escaped(&escaped, value);
		at_again = 0;
		buf_reset(&scratch_again);
		MUST(query_next(buf_slice(&escaped), &at_again, &scratch_again, &name_again,
				&value_again) == OK);
		MUST(slice_equal(name, name_again) && slice_equal(value, value_again));
		MUST(query_next(buf_slice(&escaped), &at_again, &scratch_again, &name_again,
				&value_again) == ERR_NOT_FOUND);
	}
	MUST(err == ERR_NOT_FOUND || err == ERR_SYNTAX || err == ERR_UTF8);
	MUST(err != ERR_NOT_FOUND || at == query.bytes);
	buf_fini(&scratch);
	buf_fini(&escaped);
	buf_fini(&scratch_again);
}

static void check_path(struct slice path)
{
	struct buf decoded, escaped, again;

	buf_init(&decoded, TEXT_MAX);
	buf_init(&escaped, 4 * TEXT_MAX);
	buf_init(&again, 4 * TEXT_MAX);
	enum err err = query_decode_path(path, &decoded);
	if (err == OK) {
		MUST(naive_is_text(buf_slice(&decoded)));
		put_escaped(&escaped, buf_slice(&decoded));
		MUST(query_decode_path(buf_slice(&escaped), &again) == OK);
		MUST(slice_equal(buf_slice(&again), buf_slice(&decoded)));
	} else {
		MUST((err == ERR_SYNTAX || err == ERR_UTF8) && decoded.bytes == 0);
	}
	buf_fini(&decoded);
	buf_fini(&escaped);
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice path, query;

	if (size > TEXT_MAX)
		return 0;
	query_split(fuzz_slice(data, size), &path, &query);
	MUST(path.bytes + query.bytes + (path.bytes < size ? 1 : 0) == size);
	check_path(path);
	check_query(query);
	return 0;
}

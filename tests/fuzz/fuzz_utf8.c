/* fuzz_utf8: against a naive decoder, at once and in chunks. */
#include "fuzz.h"
#include "../wire/naive.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = fuzz_slice(data, size);
	unsigned seed = fuzz_byte(&rest);
	struct slice text = rest;
	size_t bad_at = text.bytes, chunk_bad_at = 0;
	struct utf8 state = { 0 };
	enum err whole = utf8_check(text, &bad_at), err = OK;

	MUST(whole == OK || whole == ERR_UTF8);
	MUST((whole == OK) == naive_is_text(text));
	MUST(bad_at <= text.bytes);

	size_t before = 0;
	while (err == OK && rest.bytes) {
		before = text.bytes - rest.bytes;
		err = utf8_feed(&state, fuzz_chunk(&rest, &seed), &chunk_bad_at);
	}
	if (err)
		MUST(before + chunk_bad_at == bad_at);
	else
		err = utf8_end(&state);
	MUST(err == whole);
	return 0;
}

/* fuzz_publish_json: JSON against the grammar, the walk, strings, and both forms of publishing. */
#include "fuzz.h"
#include "../wire/naive.h"
#include "wire/json.h"
#include "wire/publish.h"

enum { TEXT_MAX = 8192 };

/* What a string comes to, quoted again, comes to the same. */
static void check_string(struct json_value value)
{
	struct buf plain, quoted, again;
	struct json_value back;

	buf_init(&plain, TEXT_MAX);
	buf_init(&quoted, 6 * TEXT_MAX);
	buf_init(&again, TEXT_MAX);
	enum err err = json_string(value, &plain);
	if (err == OK) {
		MUST(plain.bytes + 2 <= value.text.bytes && naive_is_text(buf_slice(&plain)));
		MUST(json_quote(buf_slice(&plain), &quoted) == OK);
		MUST(json_check(buf_slice(&quoted), &back) == OK && back.kind == JSON_STRING);
		MUST(json_string(back, &again) == OK);
		MUST(slice_equal(buf_slice(&plain), buf_slice(&again)));
	} else {
		MUST(err == ERR_SYNTAX && plain.bytes == 0);
		MUST(memmem(value.text.at, value.text.bytes, "\\u0000", 6));
	}
	buf_fini(&plain);
	buf_fini(&quoted);
	buf_fini(&again);
}

/* Every value of the walk is a whole value inside of the one around it. Levels below the first two
 * are checked as text alone, so that the work stays linear. */
static void check_walk(struct json_value whole, int levels)
{
	struct json_value value, checked;
	struct slice name;
	const char *behind = whole.text.at;
	size_t at = 0;

	if (whole.kind == JSON_STRING)
		check_string(whole);
	while (levels && json_next(whole, &at, &name, &value)) {
		MUST(value.text.at >= behind && at <= whole.text.bytes);
		behind = value.text.at + value.text.bytes;
		MUST(behind <= whole.text.at + whole.text.bytes);
		MUST(json_check(value.text, &checked) == OK);
		MUST(checked.kind == value.kind && slice_equal(checked.text, value.text));
		MUST(whole.kind == JSON_OBJECT || name.bytes == 0);
		check_walk(value, levels - 1);
	}
}

static bool lies_in(struct slice part, struct slice whole)
{
	return part.bytes == 0 ||
	       (part.at >= whole.at && part.at + part.bytes <= whole.at + whole.bytes);
}

static void check_draft(const struct draft *draft, struct slice text, const struct buf *scratch)
{
	const struct slice fields[] = { draft->stream, draft->type, draft->key, draft->idem,
					draft->data };
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		MUST(lies_in(fields[i], text) || lies_in(fields[i], buf_slice(scratch)));
	struct json_value value;
	MUST(!draft->json || json_check(draft->data, &value) == OK);
	MUST(draft->has_data || draft->data.bytes == 0);
	enum err err = draft_check(draft, TEXT_MAX);
	MUST(err != ERR_TOO_BIG || draft->key.bytes > 200 || draft->idem.bytes > 200);
}

static void check_publish(struct slice text, bool is_json)
{
	static struct draft drafts[PUBLISH_BATCH_MAX];
	struct draft draft;
	struct buf scratch;
	size_t count = 0;

	buf_init(&scratch, text.bytes);
	if (publish_object(text, &scratch, &draft) == OK) {
		MUST(is_json);
		check_draft(&draft, text, &scratch);
	}
	buf_reset(&scratch);
	if (publish_array(text, &scratch, drafts, &count) == OK) {
		MUST(is_json && count <= PUBLISH_BATCH_MAX);
		for (size_t i = 0; i < count; i++)
			check_draft(&drafts[i], text, &scratch);
	}
	buf_fini(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = fuzz_slice(data, size);
	struct json_value value;

	if (size > TEXT_MAX)
		return 0;
	enum err err = json_check(text, &value);
	MUST((err == OK) == naive_is_json(text));
	if (err == OK) {
		MUST(lies_in(value.text, text));
		check_walk(value, 2);
	}
	check_publish(text, err == OK);
	return 0;
}

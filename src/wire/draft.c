#include "wire/draft.h"

#include "wire/name.h"
#include "wire/utf8.h"

static const char *const end_texts[] = {
	[END_NONE] = "",
	[END_COMPLETE] = "complete",
	[END_FAILED] = "failed",
	[END_CANCELLED] = "cancelled",
};

enum err end_state_parse(struct slice text, enum end_state *ret_end)
{
	for (enum end_state end = END_COMPLETE; end <= END_CANCELLED; end++) {
		if (slice_equal(text, slice_of(end_texts[end]))) {
			*ret_end = end;
			return OK;
		}
	}
	return err_note(ERR_SYNTAX, "end is \"complete\", \"failed\" or \"cancelled\"");
}

const char *end_state_text(enum end_state end)
{
	return end_texts[end];
}

static enum err check_names(const struct draft *draft)
{
	enum err err = OK;

	if (draft->stream.bytes)
		err = name_check(draft->stream);
	if (!err && draft->type.bytes)
		err = type_check(draft->type);
	if (!err && draft->key.bytes)
		err = key_check(draft->key);
	if (!err && draft->idem.bytes)
		err = idem_check(draft->idem);
	return err;
}

enum err draft_check(const struct draft *draft, size_t data_bytes_max)
{
	enum err err = check_names(draft);
	if (err)
		return err;

	if (!draft->has_data && draft->end == END_NONE)
		return err_note(ERR_SYNTAX, "nothing to publish: neither data nor an end");
	if (draft->ephemeral && draft->end != END_NONE)
		return err_note(ERR_SYNTAX, "an end stays in the history: it cannot be ephemeral");
	if (draft->ephemeral && draft->ttl_ms)
		return err_note(ERR_SYNTAX, "an ephemeral event is not kept, so it has no ttl");
	if (draft->data.bytes > data_bytes_max)
		return err_note(ERR_TOO_BIG, "data has %zu bytes, at most %zu are allowed",
				draft->data.bytes, data_bytes_max);

	err = utf8_check(draft->data, NULL);
	return err ? err_prefix(err, "data") : OK;
}

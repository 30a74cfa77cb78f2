#include "cli/show.h"

#include "wire/json.h"

enum { WORDS_MAX = 512 };

enum show_kind show_kind_of(struct slice type)
{
	if (!slice_starts(type, SLICE("tapecast.")))
		return SHOW_EVENT;
	if (slice_equal(type, SLICE("tapecast.open")))
		return SHOW_OPEN;
	if (slice_equal(type, SLICE("tapecast.gap")))
		return SHOW_GAP;
	if (slice_equal(type, SLICE("tapecast.end")))
		return SHOW_END;
	return slice_equal(type, SLICE("tapecast.auth")) ? SHOW_AUTH : SHOW_OTHER;
}

void show_put_clean(bool is_terminal, struct slice text, struct buf *out)
{
	if (!is_terminal) {
		(void)buf_put(out, text);
		return;
	}
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char byte = (unsigned char)text.at[i];
		bool is_c1 =
			byte == 0xc2 && i + 1 < text.bytes && (unsigned char)text.at[i + 1] < 0xa0;
		if (is_c1)
			i++;
		if (is_c1 || byte == 0x7f || (byte < ' ' && byte != '\n' && byte != '\t'))
			(void)buf_put_byte(out, '?');
		else
			(void)buf_put_byte(out, (char)byte);
	}
}

/* The member's value; false: there is none. */
static bool member_get(struct json_value object, const char *wanted, struct json_value *ret_value)
{
	struct slice name;
	struct json_value value;
	for (size_t at = 0; json_next(object, &at, &name, &value);) {
		if (json_name_is(name, wanted)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

static enum err object_read(struct slice text, struct json_value *ret_object)
{
	enum err err = json_check(text, ret_object);
	if (err == OK && ret_object->kind != JSON_OBJECT)
		err = err_note(ERR_SYNTAX, "not an object");
	return err == OK ? OK : err_prefix(err, "the server sent something unexpected");
}

/* A string's characters, or any other value as it is. */
static enum err put_value(struct json_value value, struct buf *out)
{
	return value.kind == JSON_STRING ? json_string(value, out) : buf_put(out, value.text);
}

/* Each line of data with the stream's name before it, if that is wanted. */
static void put_lines(const struct show *show, struct slice stream, struct slice data,
		      struct buf *out)
{
	for (;;) {
		const char *end = data.bytes ? memchr(data.at, '\n', data.bytes) : NULL;
		struct slice line = end ? slice_from(data.at, (size_t)(end - data.at)) : data;
		if (show->names_streams) {
			show_put_clean(show->is_terminal, stream, out);
			(void)buf_put_text(out, ": ");
		}
		show_put_clean(show->is_terminal, line, out);
		(void)buf_put_byte(out, '\n');
		if (!end)
			return;
		data = slice_from(end + 1, data.bytes - line.bytes - 1);
	}
}

static enum err put_envelope(const struct show *show, struct slice text, struct buf *out)
{
	struct json_value envelope, data, stream = { .kind = JSON_NULL };
	struct buf name, words;

	enum err err = object_read(text, &envelope);
	if (err != OK)
		return err;
	if (!member_get(envelope, "data", &data))
		return err_note(ERR_SYNTAX, "the server sent an event without data");
	(void)member_get(envelope, "stream", &stream);

	buf_init(&name, WORDS_MAX);
	buf_init(&words, text.bytes + 1);
	err = put_value(data, &words);
	if (err == OK)
		err = put_value(stream, &name);
	if (err == OK)
		put_lines(show, buf_slice(&name), buf_slice(&words), out);
	buf_fini(&name);
	buf_fini(&words);
	return err;
}

/* {"event":"tapecast.gap","id":"…","data":{…}}, as the server writes its notices. */
static void put_notice(const struct show *show, const struct sse_event *event, struct buf *out)
{
	(void)buf_put_text(out, "{\"event\":");
	(void)json_quote(event->type, out);
	if (event->has_id) {
		(void)buf_put_text(out, ",\"id\":");
		(void)json_quote(event->id, out);
	}
	(void)buf_put_text(out, ",\"data\":");
	show_put_clean(show->is_terminal, event->data, out);
	(void)buf_put_text(out, "}\n");
}

enum err show_put(const struct show *show, const struct sse_event *event, struct buf *out)
{
	bool is_event = show_kind_of(event->type) == SHOW_EVENT;
	struct json_value object;

	if (show->json) {
		enum err err = object_read(event->data, &object);
		if (err != OK)
			return err;
		if (!is_event) {
			put_notice(show, event, out);
		} else {
			show_put_clean(show->is_terminal, event->data, out);
			(void)buf_put_byte(out, '\n');
		}
		return out->err;
	}
	if (!is_event)
		return OK;
	if (show->is_envelope)
		return put_envelope(show, event->data, out);
	put_lines(show, (struct slice){ NULL, 0 }, event->data, out);
	return out->err;
}

static const char *reason_words(struct slice reason)
{
	static const struct {
		const char *reason, *words;
	} rows[] = {
		{ "trimmed", "they are older than what the stream keeps" },
		{ "skipped", "this reader was too slow, and the tape has moved on" },
		{ "epoch", "the server's store was lost, and what was in it" },
		{ "rewound", "the store lost its newest events; some that were read are gone" },
		{ "invalid", "the id we resumed after is not one of this stream" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (slice_equal(reason, slice_of(rows[i].reason)))
			return rows[i].words;
	}
	return "the server does not say why";
}

void show_gap_words(struct slice notice, struct buf *out)
{
	struct json_value object, value;
	struct buf reason;
	uint64_t lost;

	buf_init(&reason, WORDS_MAX);
	if (object_read(notice, &object) != OK) {
		object = (struct json_value){ .kind = JSON_OBJECT, .text = SLICE("{}") };
		err_note_clear();
	}
	(void)buf_put_text(out, "gap");
	if (member_get(object, "stream", &value)) {
		(void)buf_put_text(out, " on ");
		if (put_value(value, out) != OK)
			err_note_clear();
	}
	if (member_get(object, "lost", &value) && json_u64(value, &lost) == OK)
		(void)buf_putf(out, ": %llu event%s could not be given: ", (unsigned long long)lost,
			       lost == 1 ? "" : "s");
	else
		(void)buf_put_text(out, ": some events could not be given: ");
	if (member_get(object, "reason", &value) && put_value(value, &reason) != OK)
		err_note_clear();
	(void)buf_put_text(out, reason_words(buf_slice(&reason)));
	buf_fini(&reason);
}

enum err show_end_read(struct slice notice, struct buf *name, enum end_state *ret_state)
{
	struct json_value object, value;
	struct buf state;

	enum err err = object_read(notice, &object);
	if (err != OK)
		return err;
	if (member_get(object, "stream", &value))
		err = put_value(value, name);
	if (err != OK || !member_get(object, "state", &value))
		return err_note(ERR_SYNTAX, "the server sent an end without a state");

	buf_init(&state, WORDS_MAX);
	err = put_value(value, &state);
	if (err == OK)
		err = end_state_parse(buf_slice(&state), ret_state);
	buf_fini(&state);
	return err;
}

void show_auth_words(struct slice notice, struct buf *out)
{
	struct json_value object, value;
	if (object_read(notice, &object) == OK && member_get(object, "expires_in", &value) &&
	    value.kind == JSON_NUMBER) {
		(void)buf_put_text(out, "the token lapses in ");
		(void)buf_put(out, value.text);
		(void)buf_put_text(out, " s");
	} else {
		(void)buf_put_text(out, "the token lapses soon");
	}
	err_note_clear();
}

/*
 * json_walk: the half of wire/json.h that reads texts which json_check has passed.
 *
 * Promise trusts the form but not the end: no byte beyond the value's text is read, come what may.
 */
#include "wire/json.h"

#include "wire/quote.h"

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1)

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static size_t skip_space(struct slice text, size_t at)
{
	while (at < text.bytes && is_space(text.at[at]))
		at++;
	return at;
}

/* From an opening quote to behind the closing one. */
static size_t skip_string(struct slice text, size_t at)
{
	for (at++; at < text.bytes; at++) {
		if (text.at[at] == '\\')
			at++;
		else if (text.at[at] == '"')
			return at + 1;
	}
	return text.bytes;
}

/* From an opening brace or bracket to behind its partner: in a checked text, counting is enough. */
static size_t skip_nested(struct slice text, size_t at)
{
	size_t depth = 0;

	while (at < text.bytes) {
		switch (text.at[at]) {
		case '"':
			at = skip_string(text, at);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return at + 1;
			break;
		default:
			break;
		}
		at++;
	}
	return text.bytes;
}

static struct json_value value_at(struct slice text, size_t at, size_t *ret_end)
{
	struct json_value value;
	size_t end = at + 1;

	switch (text.at[at]) {
	case '"':
		value.kind = JSON_STRING;
		end = skip_string(text, at);
		break;
	case '{':
	case '[':
		value.kind = text.at[at] == '{' ? JSON_OBJECT : JSON_ARRAY;
		end = skip_nested(text, at);
		break;
	case 't':
		value.kind = JSON_TRUE;
		break;
	case 'f':
		value.kind = JSON_FALSE;
		break;
	case 'n':
		value.kind = JSON_NULL;
		break;
	default:
		value.kind = JSON_NUMBER;
	}
	if (value.kind >= JSON_NUMBER) {
		while (end < text.bytes && !is_space(text.at[end]) && !strchr(",]}", text.at[end]))
			end++;
	}
	value.text = slice_from(text.at + at, end - at);
	*ret_end = end;
	return value;
}

bool json_next(struct json_value whole, size_t *at, struct slice *ret_name,
	       struct json_value *ret_value)
{
	struct slice text = whole.text;
	struct slice name = SLICE("");

	if (whole.kind != JSON_OBJECT && whole.kind != JSON_ARRAY)
		return false;

	/* *at is 0, or stands behind a value: then a comma or the end follows. */
	size_t now = *at == 0 ? 1 : skip_space(text, *at);
	if (*at && now < text.bytes && text.at[now] == ',')
		now++;
	now = skip_space(text, now);
	if (now >= text.bytes || text.at[now] == '}' || text.at[now] == ']')
		return false;

	if (whole.kind == JSON_OBJECT) {
		size_t end = skip_string(text, now);
		if (end < now + 2)
			return false;
		name = slice_from(text.at + now + 1, end - now - 2);
		now = skip_space(text, skip_space(text, end) + 1);
		if (now >= text.bytes)
			return false;
	}
	*ret_value = value_at(text, now, at);
	*ret_name = name;
	return true;
}

static unsigned hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (unsigned)(digit - '0');
	return ((unsigned)digit | 0x20u) - 'a' + 10u;
}

static unsigned hex4_value(const char *at)
{
	unsigned unit = 0;
	for (int i = 0; i < 4; i++)
		unit = unit << 4 | hex_value(at[i]);
	return unit;
}

static size_t utf8_write(unsigned point, char to[4])
{
	if (point < 0x80) {
		to[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		to[0] = (char)(0xc0 | point >> 6);
		to[1] = (char)(0x80 | (point & 0x3f));
		return 2;
	}
	if (point < 0x10000) {
		to[0] = (char)(0xe0 | point >> 12);
		to[1] = (char)(0x80 | (point >> 6 & 0x3f));
		to[2] = (char)(0x80 | (point & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | point >> 18);
	to[1] = (char)(0x80 | (point >> 12 & 0x3f));
	to[2] = (char)(0x80 | (point >> 6 & 0x3f));
	to[3] = (char)(0x80 | (point & 0x3f));
	return 4;
}

/* The character of the escape at text[at] (a backslash). Returns the escape's length, 0 if cut. */
static size_t escape_read(struct slice text, size_t at, unsigned *ret_point)
{
	static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	size_t left = text.bytes - at;

	if (left < 2)
		return 0;
	char letter = text.at[at + 1];
	const char *name = letter ? strchr(names, letter) : NULL;
	if (letter != 'u') {
		*ret_point = (unsigned char)(name ? bytes[name - names] : letter);
		return 2;
	}
	if (left < 6)
		return 0;
	unsigned unit = hex4_value(text.at + at + 2);
	*ret_point = unit;
	if (unit < 0xd800 || unit > 0xdbff)
		return 6;
	if (left < 12)
		return 0;
	*ret_point = 0x10000u + ((unit - 0xd800u) << 10) + (hex4_value(text.at + at + 8) & 0x3ffu);
	return 12;
}

bool json_name_is(struct slice raw_name, const char *name)
{
	struct slice rest = slice_of(name);
	size_t at = 0;

	while (at < raw_name.bytes) {
		char character[4] = { raw_name.at[at] };
		size_t character_bytes = 1, taken = 1;

		if (raw_name.at[at] == '\\') {
			unsigned point;
			taken = escape_read(raw_name, at, &point);
			if (taken == 0)
				return false;
			character_bytes = utf8_write(point, character);
		}
		if (!slice_starts(rest, slice_from(character, character_bytes)))
			return false;
		rest = slice_from(rest.at + character_bytes, rest.bytes - character_bytes);
		at += taken;
	}
	return rest.bytes == 0;
}

static enum err string_write(struct slice raw, struct buf *buf)
{
	size_t at = 0;

	while (at < raw.bytes) {
		const char *found = memchr(raw.at + at, '\\', raw.bytes - at);
		size_t run = found ? (size_t)(found - raw.at) - at : raw.bytes - at;
		enum err err = buf_put(buf, slice_from(raw.at + at, run));
		if (err)
			return err;
		at += run;
		if (at == raw.bytes)
			break;

		char character[4];
		unsigned point;
		size_t taken = escape_read(raw, at, &point);
		if (taken == 0 || point == 0)
			return err_note(ERR_SYNTAX, "it holds \\u0000, which text may not hold");
		err = buf_put(buf, slice_from(character, utf8_write(point, character)));
		if (err)
			return err;
		at += taken;
	}
	return OK;
}

enum err json_string(struct json_value value, struct buf *buf)
{
	size_t before = buf->bytes;

	if (value.kind != JSON_STRING || value.text.bytes < 2)
		return err_note(ERR_SYNTAX, "must be a string");

	enum err err = string_write(slice_from(value.text.at + 1, value.text.bytes - 2), buf);
	if (err)
		buf->bytes = before;
	return err;
}

enum err json_quote(struct slice text, struct buf *buf)
{
	enum err err = buf_reserve(buf, quote_bytes(text));
	if (err)
		return err;
	buf->bytes = (size_t)(quote_write(text, buf->at + buf->bytes) - buf->at);
	return OK;
}

enum err json_u64(struct json_value value, uint64_t *ret_number)
{
	unsigned long long number;

	if (value.kind != JSON_NUMBER || !slice_to_u64(value.text, &number) || number > NUMBER_MAX)
		return err_note(ERR_RANGE, "must be a whole number from 0 to 2^53 - 1");
	*ret_number = number;
	return OK;
}

#include "wire/name.h"

#include "wire/utf8.h"

static bool is_alnum(char byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= '0' && byte <= '9');
}

static bool is_name_byte(char byte)
{
	return is_alnum(byte) || (byte && strchr("-._~:@+/", byte));
}

static bool is_type_byte(char byte)
{
	return is_alnum(byte) || (byte && strchr("._:-", byte));
}

/* "byte 3 ('x')" or "byte 3 (0x0a)", then the rule. */
static enum err refuse_byte(enum err err, struct slice text, size_t at, const char *rule)
{
	unsigned byte = (unsigned char)text.at[at];
	if (byte >= 0x20 && byte < 0x7f)
		return err_note(err, "byte %zu ('%c'): %s", at, (char)byte, rule);
	return err_note(err, "byte %zu (0x%02x): %s", at, byte, rule);
}

static bool segment_is_bad(struct slice segment)
{
	return segment.bytes == 0 || slice_equal(segment, SLICE(".")) ||
	       slice_equal(segment, SLICE(".."));
}

enum err name_check(struct slice name)
{
	if (name.bytes == 0)
		return err_note(ERR_NAME, "a stream name is empty");
	if (name.bytes > NAME_BYTES_MAX)
		return err_note(ERR_NAME, "a stream name has at most %d bytes, this one %zu",
				NAME_BYTES_MAX, name.bytes);
	if (!is_alnum(name.at[0]))
		return refuse_byte(ERR_NAME, name, 0,
				   "a stream name starts with a letter or a digit");

	size_t segment_at = 0;
	for (size_t at = 0; at <= name.bytes; at++) {
		if (at < name.bytes && !is_name_byte(name.at[at]))
			return refuse_byte(ERR_NAME, name, at,
					   "a stream name is made of A-Z a-z 0-9 - . _ ~ : @ + /");
		if (at < name.bytes && name.at[at] != '/')
			continue;
		if (segment_is_bad(slice_from(name.at + segment_at, at - segment_at)))
			return refuse_byte(ERR_NAME, name, at < name.bytes ? at : at - 1,
					   "no empty, \".\" or \"..\" segment between slashes");
		segment_at = at + 1;
	}
	return OK;
}

enum err type_check(struct slice type)
{
	if (type.bytes == 0)
		return err_note(ERR_SYNTAX, "the type is empty");
	if (type.bytes > TYPE_BYTES_MAX)
		return err_note(ERR_SYNTAX, "a type has at most %d bytes, this one %zu",
				TYPE_BYTES_MAX, type.bytes);
	for (size_t at = 0; at < type.bytes; at++) {
		if (!is_type_byte(type.at[at]))
			return refuse_byte(ERR_SYNTAX, type, at,
					   "a type is made of A-Z a-z 0-9 . _ : -");
	}
	if (slice_starts(type, SLICE("tapecast.")))
		return err_note(ERR_SYNTAX, "types that start with \"tapecast.\" are the server's");
	return OK;
}

enum err key_check(struct slice key)
{
	if (key.bytes == 0)
		return err_note(ERR_SYNTAX, "the key is empty");
	if (key.bytes > KEY_BYTES_MAX)
		return err_note(ERR_TOO_BIG, "a key has at most %d bytes, this one %zu",
				KEY_BYTES_MAX, key.bytes);

	enum err err = utf8_check(key, NULL);
	if (err)
		return err_prefix(err, "key");

	for (size_t at = 0; at < key.bytes; at++) {
		unsigned char byte = (unsigned char)key.at[at];
		/* U+0080..U+009F are c2 80..9f; the text is valid, so a byte follows c2. */
		bool c1 = byte == 0xc2 && (unsigned char)key.at[at + 1] <= 0x9f;
		if (byte < 0x20 || byte == 0x7f || c1)
			return refuse_byte(ERR_SYNTAX, key, at,
					   "a key holds no control characters");
	}
	return OK;
}

enum err idem_check(struct slice idem)
{
	if (idem.bytes == 0)
		return err_note(ERR_SYNTAX, "the idempotency key is empty");
	if (idem.bytes > IDEM_BYTES_MAX)
		return err_note(ERR_TOO_BIG,
				"an idempotency key has at most %d bytes, this one %zu",
				IDEM_BYTES_MAX, idem.bytes);
	for (size_t at = 0; at < idem.bytes; at++) {
		if (idem.at[at] < 0x21 || idem.at[at] > 0x7e)
			return refuse_byte(ERR_SYNTAX, idem, at,
					   "an idempotency key is printable ASCII without spaces");
	}
	return OK;
}

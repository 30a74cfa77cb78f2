#include "wire/base64url.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Three bytes are four digits; at the end, one byte is two and two are three. */
char *base64url_write(const uint8_t *bytes, size_t count, char *to)
{
	for (size_t i = 0; i < count; i += 3) {
		size_t left = count - i;
		unsigned held = (unsigned)bytes[i] << 16;
		if (left > 1)
			held |= (unsigned)bytes[i + 1] << 8;
		if (left > 2)
			held |= bytes[i + 2];
		*to++ = digits[held >> 18];
		*to++ = digits[held >> 12 & 63];
		if (left > 1)
			*to++ = digits[held >> 6 & 63];
		if (left > 2)
			*to++ = digits[held & 63];
	}
	return to;
}

static int digit_value(char digit)
{
	if (digit >= 'A' && digit <= 'Z')
		return digit - 'A';
	if (digit >= 'a' && digit <= 'z')
		return digit - 'a' + 26;
	if (digit >= '0' && digit <= '9')
		return digit - '0' + 52;
	return digit == '-' ? 62 : digit == '_' ? 63 : -1;
}

enum err base64url_read(struct slice text, uint8_t *ret_bytes, size_t *ret_count)
{
	uint32_t held = 0;
	unsigned held_bits = 0;
	size_t count = 0;

	if (text.bytes % 4 == 1)
		return err_note(ERR_SYNTAX, "no base64url has this length");
	for (size_t i = 0; i < text.bytes; i++) {
		int value = digit_value(text.at[i]);
		if (value < 0)
			return err_note(ERR_SYNTAX, "byte %zu is not of base64url", i);
		held = (held << 6 | (uint32_t)value) & 0xffff;
		held_bits += 6;
		if (held_bits >= 8) {
			held_bits -= 8;
			ret_bytes[count++] = (uint8_t)(held >> held_bits);
		}
	}
	if (held & ((1u << held_bits) - 1))
		return err_note(ERR_SYNTAX, "the last base64url digit has bits that mean nothing");
	*ret_count = count;
	return OK;
}

enum err base64url_encode(struct slice bytes, struct buf *buf)
{
	if (buf_reserve(buf, BASE64URL_TEXT(bytes.bytes)))
		return buf->err;
	char *end = base64url_write((const uint8_t *)bytes.at, bytes.bytes, buf->at + buf->bytes);
	buf->bytes = (size_t)(end - buf->at);
	return OK;
}

enum err base64url_decode(struct slice text, struct buf *buf)
{
	size_t count = 0;
	if (buf_reserve(buf, BASE64URL_BYTES(text.bytes)))
		return buf->err;
	enum err err = base64url_read(text, (uint8_t *)buf->at + buf->bytes, &count);
	if (err == OK)
		buf->bytes += count;
	return err;
}

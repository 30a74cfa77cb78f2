#include "auth/base64url.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

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

enum err base64url_decode(struct slice text, struct buf *buf)
{
	uint32_t bits = 0;
	unsigned bit_count = 0;

	if (text.bytes % 4 == 1)
		return err_note(ERR_SYNTAX, "no base64url has this length");
	if (buf_reserve(buf, text.bytes / 4 * 3 + 3))
		return buf->err;
	size_t at = buf->bytes;
	for (size_t i = 0; i < text.bytes; i++) {
		int value = digit_value(text.at[i]);
		if (value < 0)
			return err_note(ERR_SYNTAX, "byte %zu is not of base64url", i);
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		bit_count += 6;
		if (bit_count < 8)
			continue;
		bit_count -= 8;
		buf->at[at++] = (char)(unsigned char)(bits >> bit_count & 0xff);
	}
	if (bits & ((1u << bit_count) - 1))
		return err_note(ERR_SYNTAX, "the last base64url digit has bits that mean nothing");
	buf->bytes = at;
	return OK;
}

enum err base64url_encode(struct slice bytes, struct buf *buf)
{
	uint32_t bits = 0;
	unsigned bit_count = 0;

	if (buf_reserve(buf, bytes.bytes / 3 * 4 + 4))
		return buf->err;
	for (size_t i = 0; i < bytes.bytes; i++) {
		bits = (bits << 8 | (unsigned char)bytes.at[i]) & 0xffff;
		for (bit_count += 8; bit_count >= 6; bit_count -= 6)
			buf->at[buf->bytes++] = digits[bits >> (bit_count - 6) & 63];
	}
	if (bit_count)
		buf->at[buf->bytes++] = digits[bits << (6 - bit_count) & 63];
	return OK;
}

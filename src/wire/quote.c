#include "wire/quote.h"

#include <stdint.h>

#include "wire/word.h"

/* By how much a byte grows: "\n" by one, "\u001f" by five. */
static const uint8_t quote_growth[256] = {
	[0 ... 7] = 5, ['\b'] = 1, ['\t'] = 1,	  ['\n'] = 1, [11] = 5,
	['\f'] = 1,    ['\r'] = 1, [14 ... 31] = 5, ['"'] = 1,	['\\'] = 1,
};

/* The length of the run at `at` whose bytes stand for themselves. */
static size_t plain_run(const char *at, size_t bytes)
{
	size_t run = 0;

	while (bytes - run >= WORD_BYTES && word_is_plain(word_load(at + run)))
		run += WORD_BYTES;
	while (run < bytes && !quote_growth[(unsigned char)at[run]])
		run++;
	return run;
}

size_t quote_bytes(struct slice text)
{
	size_t total = text.bytes + 2;
	size_t at = 0;
	while (at < text.bytes) {
		at += plain_run(text.at + at, text.bytes - at);
		for (; at < text.bytes && quote_growth[(unsigned char)text.at[at]]; at++)
			total += quote_growth[(unsigned char)text.at[at]];
	}
	return total;
}

static char *escape_write(unsigned char byte, char *to)
{
	static const char hex[] = "0123456789abcdef";

	*to++ = '\\';
	switch (byte) {
	case '\b':
		*to++ = 'b';
		break;
	case '\t':
		*to++ = 't';
		break;
	case '\n':
		*to++ = 'n';
		break;
	case '\f':
		*to++ = 'f';
		break;
	case '\r':
		*to++ = 'r';
		break;
	case '"':
	case '\\':
		*to++ = (char)byte;
		break;
	default:
		*to++ = 'u';
		*to++ = '0';
		*to++ = '0';
		*to++ = hex[byte >> 4];
		*to++ = hex[byte & 15];
	}
	return to;
}

char *quote_write(struct slice text, char *to)
{
	size_t at = 0;

	*to++ = '"';
	while (at < text.bytes) {
		size_t run = plain_run(text.at + at, text.bytes - at);
		memcpy(to, text.at + at, run);
		to += run;
		at += run;
		for (; at < text.bytes && quote_growth[(unsigned char)text.at[at]]; at++)
			to = escape_write((unsigned char)text.at[at], to);
	}
	*to++ = '"';
	return to;
}

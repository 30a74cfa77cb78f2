#include "wire/position.h"

#include <string.h>

#include "base/must.h"

enum { R_BITS = 40, R_DIGITS = 8, TAG_DIGITS = 12 };

#define R_MASK ((UINT64_C(1) << R_BITS) - 1)
#define N_MAX ((UINT32_C(1) << 24) - 1)

static const char base32[] = "0123456789abcdefghjkmnpqrstvwxyz";
static const char base16[] = "0123456789abcdef";

uint64_t position_epoch(uint32_t n, uint64_t r)
{
	MUST(n >= 1 && n <= N_MAX);
	return (uint64_t)n << R_BITS | (r & R_MASK);
}

uint32_t position_epoch_n(uint64_t epoch)
{
	return (uint32_t)(epoch >> R_BITS);
}

bool position_equal(const struct position *a, const struct position *b)
{
	return a->seq == b->seq && a->tag == b->tag && a->epoch == b->epoch;
}

bool position_is_origin(const struct position *position)
{
	return !(position->epoch | position->seq | position->tag);
}

static char *decimal_write(uint64_t number, char *to)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	memcpy(to, digits + at, sizeof digits - at);
	return to + (sizeof digits - at);
}

/* Writes for any numbers, so that a broken store cannot make us overrun: 8 + 8 + 20 + 12 digits,
 * three dashes and dots, and the NUL are 52 bytes. */
size_t position_format(const struct position *position, char ret_text[POSITION_TEXT_MAX])
{
	char *to = ret_text;

	if (position_is_origin(position)) {
		*to++ = '0';
		*to = '\0';
		return 1;
	}

	to = decimal_write(position_epoch_n(position->epoch), to);
	*to++ = '.';
	for (int shift = R_BITS - 5; shift >= 0; shift -= 5)
		*to++ = base32[position->epoch >> shift & 31];
	*to++ = '-';
	to = decimal_write(position->seq, to);
	*to++ = '-';
	for (int shift = TAG_DIGITS * 4 - 4; shift >= 0; shift -= 4)
		*to++ = base16[position->tag >> shift & 15];
	*to = '\0';
	return (size_t)(to - ret_text);
}

/* The parts of a text, taken from the front; `at` stays at the byte that did not fit. */
struct scan {
	struct slice text;
	size_t at;
};

static bool scan_byte(struct scan *scan, char byte)
{
	if (scan->at == scan->text.bytes || scan->text.at[scan->at] != byte)
		return false;
	scan->at++;
	return true;
}

/* No leading zero, at most number_max (below 2^60). */
static bool scan_decimal(struct scan *scan, uint64_t number_max, uint64_t *ret_number)
{
	size_t start = scan->at;
	uint64_t number = 0;

	for (; scan->at < scan->text.bytes; scan->at++) {
		unsigned digit = (unsigned char)scan->text.at[scan->at] - (unsigned)'0';
		if (digit > 9)
			break;
		if (scan->at > start && number == 0)
			return false;
		number = number * 10 + digit;
		if (number > number_max)
			return false;
	}
	*ret_number = number;
	return scan->at > start;
}

static bool scan_digits(struct scan *scan, const char *alphabet, unsigned digit_bits, int count,
			uint64_t *ret_number)
{
	uint64_t number = 0;

	for (int i = 0; i < count; i++, scan->at++) {
		if (scan->at == scan->text.bytes || scan->text.at[scan->at] == '\0')
			return false;
		const char *found = strchr(alphabet, scan->text.at[scan->at]);
		if (!found)
			return false;
		number = number << digit_bits | (uint64_t)(found - alphabet);
	}
	*ret_number = number;
	return true;
}

enum err position_parse(struct slice text, struct position *ret_position)
{
	struct scan scan = { .text = text };
	uint64_t n, r, seq, tag;

	if (text.bytes == 1 && text.at[0] == '0') {
		*ret_position = (struct position){ 0 };
		return OK;
	}
	if (scan_decimal(&scan, N_MAX, &n) && n >= 1 && scan_byte(&scan, '.') &&
	    scan_digits(&scan, base32, 5, R_DIGITS, &r) && scan_byte(&scan, '-') &&
	    scan_decimal(&scan, POSITION_SEQ_MAX, &seq) && scan_byte(&scan, '-') &&
	    scan_digits(&scan, base16, 4, TAG_DIGITS, &tag) && scan.at == text.bytes) {
		*ret_position = (struct position){ n << R_BITS | r, seq, tag };
		return OK;
	}
	return err_note(ERR_SYNTAX, "byte %zu does not fit the form 1.k3x9q2ab-42-9f86d081884c",
			scan.at);
}

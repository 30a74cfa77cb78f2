#include "wire/json.h"

#include "wire/quote.h"
#include "wire/utf8.h"
#include "wire/word.h"

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

/* The value of four hex digits; false if they are none. */
static bool hex4(const char *at, unsigned *ret_unit)
{
	unsigned unit = 0;
	for (int i = 0; i < 4; i++) {
		unsigned char byte = (unsigned char)at[i];
		unsigned lower = byte | 0x20u;
		if (is_digit((char)byte))
			unit = unit << 4 | (byte - (unsigned)'0');
		else if (lower >= 'a' && lower <= 'f')
			unit = unit << 4 | (lower - 'a' + 10u);
		else
			return false;
	}
	*ret_unit = unit;
	return true;
}

static bool is_high_surrogate(unsigned unit)
{
	return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low_surrogate(unsigned unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The check. Each scan_ function starts at scan->at and leaves it behind what it took, or at the
 * byte that was wrong with `wrong` saying why. */
struct scan {
	const char *text;
	size_t bytes;
	size_t at;
	const char *wrong;
	unsigned depth;
	unsigned char open[JSON_DEPTH_MAX]; /* '{' or '[' of each level */
};

static bool scan_fail(struct scan *scan, const char *wrong)
{
	scan->wrong = wrong;
	return false;
}

static void scan_space(struct scan *scan)
{
	while (scan->at < scan->bytes && is_space(scan->text[scan->at]))
		scan->at++;
}

static bool scan_unicode_escape(struct scan *scan)
{
	const char *at = scan->text + scan->at; /* behind "\u" */
	size_t left = scan->bytes - scan->at;
	unsigned unit, low;

	if (left < 4 || !hex4(at, &unit))
		return scan_fail(scan, "four hex digits must follow \\u");
	if (is_low_surrogate(unit))
		return scan_fail(scan, "an unpaired surrogate");
	scan->at += 4;
	if (!is_high_surrogate(unit))
		return true;
	if (left < 10 || at[4] != '\\' || at[5] != 'u' || !hex4(at + 6, &low) ||
	    !is_low_surrogate(low))
		return scan_fail(scan, "an unpaired surrogate");
	scan->at += 6;
	return true;
}

static bool scan_string(struct scan *scan)
{
	scan->at++; /* the quote */
	while (scan->at < scan->bytes) {
		while (scan->bytes - scan->at >= WORD_BYTES &&
		       word_is_plain(word_load(scan->text + scan->at)))
			scan->at += WORD_BYTES;
		if (scan->at == scan->bytes)
			break;

		unsigned char byte = (unsigned char)scan->text[scan->at];
		if (byte < 0x20)
			return scan_fail(scan, "a control character must be escaped in a string");
		scan->at++;
		if (byte == '"')
			return true;
		if (byte != '\\')
			continue;

		if (scan->at == scan->bytes)
			break;
		char escape = scan->text[scan->at];
		if (!escape || !strchr("\"\\/bfnrtu", escape))
			return scan_fail(scan, "no such escape");
		scan->at++;
		if (escape == 'u' && !scan_unicode_escape(scan))
			return false;
	}
	return scan_fail(scan, "the string does not end");
}

static bool scan_digits(struct scan *scan)
{
	if (scan->at == scan->bytes || !is_digit(scan->text[scan->at]))
		return scan_fail(scan, "a digit must stand here");
	while (scan->at < scan->bytes && is_digit(scan->text[scan->at]))
		scan->at++;
	return true;
}

static bool scan_is(const struct scan *scan, char byte)
{
	return scan->at < scan->bytes && scan->text[scan->at] == byte;
}

static bool scan_number(struct scan *scan)
{
	if (scan_is(scan, '-'))
		scan->at++;
	if (scan_is(scan, '0'))
		scan->at++;
	else if (!scan_digits(scan))
		return false;
	if (scan->at < scan->bytes && is_digit(scan->text[scan->at]))
		return scan_fail(scan, "a number has no leading zero");

	if (scan_is(scan, '.')) {
		scan->at++;
		if (!scan_digits(scan))
			return false;
	}
	if (scan_is(scan, 'e') || scan_is(scan, 'E')) {
		scan->at++;
		if (scan_is(scan, '+') || scan_is(scan, '-'))
			scan->at++;
		if (!scan_digits(scan))
			return false;
	}
	return true;
}

static bool scan_word(struct scan *scan, struct slice word)
{
	if (!slice_starts(slice_from(scan->text + scan->at, scan->bytes - scan->at), word))
		return scan_fail(scan, "not a JSON value");
	scan->at += word.bytes;
	return true;
}

/* A value that is neither object nor array. */
static bool scan_scalar(struct scan *scan)
{
	switch (scan->text[scan->at]) {
	case '"':
		return scan_string(scan);
	case 't':
		return scan_word(scan, SLICE("true"));
	case 'f':
		return scan_word(scan, SLICE("false"));
	case 'n':
		return scan_word(scan, SLICE("null"));
	case '-':
	case '0' ... '9':
		return scan_number(scan);
	default:
		return scan_fail(scan, "not a JSON value");
	}
}

/* A member's name and its colon. */
static bool scan_name(struct scan *scan)
{
	scan_space(scan);
	if (!scan_is(scan, '"'))
		return scan_fail(scan, "a member's name must stand here");
	if (!scan_string(scan))
		return false;
	scan_space(scan);
	if (!scan_is(scan, ':'))
		return scan_fail(scan, "a colon must follow a member's name");
	scan->at++;
	return true;
}

/* An opening brace or bracket. *ret_whole: it closed at once, so a whole value has been read. */
static bool scan_open(struct scan *scan, bool *ret_whole)
{
	char open = scan->text[scan->at];

	if (scan->depth == JSON_DEPTH_MAX)
		return scan_fail(scan, "nested too deep");
	scan->at++;
	scan_space(scan);
	*ret_whole = scan_is(scan, open == '{' ? '}' : ']');
	if (*ret_whole) {
		scan->at++;
		return true;
	}
	scan->open[scan->depth++] = (unsigned char)open;
	return open == '[' || scan_name(scan);
}

/* What may follow a value inside of others: closes as many as close, up to a comma or the top. */
static bool scan_after_value(struct scan *scan)
{
	while (scan->depth) {
		bool object = scan->open[scan->depth - 1] == '{';

		scan_space(scan);
		if (scan_is(scan, ',')) {
			scan->at++;
			return !object || scan_name(scan);
		}
		if (!scan_is(scan, object ? '}' : ']'))
			return scan_fail(scan, object ? "a comma or } must stand here" :
							"a comma or ] must stand here");
		scan->at++;
		scan->depth--;
	}
	return true;
}

/* One whole value; the loop's turns are values, its stack is scan->open. */
static bool scan_value(struct scan *scan)
{
	do {
		scan_space(scan);
		if (scan->at == scan->bytes)
			return scan_fail(scan, "a value is missing");

		bool whole = true;
		char first = scan->text[scan->at];
		if (first == '{' || first == '[') {
			if (!scan_open(scan, &whole))
				return false;
		} else if (!scan_scalar(scan)) {
			return false;
		}
		if (whole && !scan_after_value(scan))
			return false;
	} while (scan->depth);
	return true;
}

static enum json_kind kind_of(char first)
{
	switch (first) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

enum err json_check(struct slice text, struct json_value *ret_value)
{
	struct scan scan;
	scan.text = text.at;
	scan.bytes = text.bytes;
	scan.at = 0;
	scan.depth = 0;
	scan.wrong = NULL;

	/* Once for all strings, at the speed of whole words, instead of byte by byte below. */
	enum err err = utf8_check(text, NULL);
	if (err)
		return err_prefix(err, "JSON");

	scan_space(&scan);
	size_t start = scan.at;
	if (scan_value(&scan)) {
		size_t end = scan.at;
		scan_space(&scan);
		if (scan.at == scan.bytes) {
			ret_value->kind = kind_of(text.at[start]);
			ret_value->text = slice_from(text.at + start, end - start);
			return OK;
		}
		scan.wrong = "nothing may follow the value";
	}
	return err_note(ERR_SYNTAX, "JSON: byte %zu: %s", scan.at, scan.wrong);
}

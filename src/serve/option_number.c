/*
 * option_number: numbers as people write them: seconds with a fraction, bytes with a letter.
 */
#include "serve/options_impl.h"

/* "1.25" as 1250; three digits behind the point at most. */
static bool parse_seconds(struct slice text, uint64_t *ret_ms)
{
	const char *point = text.bytes ? memchr(text.at, '.', text.bytes) : NULL;
	struct slice whole = slice_from(text.at, point ? (size_t)(point - text.at) : text.bytes);
	struct slice rest = SLICE("0");
	if (point)
		rest = slice_from(point + 1, text.bytes - whole.bytes - 1);
	unsigned long long seconds = 0;
	unsigned long long fraction;
	if (whole.bytes && !slice_to_u64(whole, &seconds))
		return false;
	if (rest.bytes == 0 || rest.bytes > 3 || !slice_to_u64(rest, &fraction))
		return false;
	for (size_t i = rest.bytes; i < 3; i++)
		fraction *= 10;
	if (seconds > UINT64_MAX / 2000)
		return false;
	*ret_ms = seconds * 1000 + fraction;
	return whole.bytes > 0 || point;
}

/* "64k", "1M", "2GiB": powers of 1024. */
static bool parse_bytes(struct slice text, uint64_t *ret_bytes)
{
	unsigned shift = 0;
	if (text.bytes > 3 &&
	    slice_equal_nocase(slice_from(text.at + text.bytes - 2, 2), SLICE("ib")))
		text.bytes -= 2;
	if (text.bytes > 1) {
		switch (text.at[text.bytes - 1] | 0x20) {
		case 'k': shift = 10; break;
		case 'm': shift = 20; break;
		case 'g': shift = 30; break;
		default: break;
		}
	}
	unsigned long long number;
	if (!slice_to_u64(slice_from(text.at, text.bytes - (shift > 0)), &number) ||
	    number > UINT64_MAX >> shift)
		return false;
	*ret_bytes = (uint64_t)number << shift;
	return true;
}

void option_number_text(const char *kind, uint64_t number, char ret_text[OPTION_NUMBER_MAX])
{
	if (strcmp(kind, "TIME") != 0) {
		(void)snprintf(ret_text, OPTION_NUMBER_MAX, "%llu", (unsigned long long)number);
		return;
	}
	(void)snprintf(ret_text, OPTION_NUMBER_MAX, "%llu.%03llu",
		       (unsigned long long)(number / 1000), (unsigned long long)(number % 1000));
	size_t bytes = strlen(ret_text);
	while (ret_text[bytes - 1] == '0')
		ret_text[--bytes] = '\0';
	if (ret_text[bytes - 1] == '.')
		ret_text[bytes - 1] = '\0';
}

enum err option_number(const char *name, const char *kind, struct slice text, uint64_t min,
		       uint64_t max, uint64_t *ret_number)
{
	bool is_time = strcmp(kind, "TIME") == 0;
	bool is_bytes = strcmp(kind, "BYTES") == 0;
	unsigned long long count = 0;
	uint64_t number = 0;
	bool parsed = is_time ? parse_seconds(text, &number)
		      : is_bytes ? parse_bytes(text, &number)
				 : slice_to_u64(text, &count);
	if (!is_time && !is_bytes)
		number = count;

	char min_text[OPTION_NUMBER_MAX];
	char max_text[OPTION_NUMBER_MAX];
	option_number_text(kind, min, min_text);
	option_number_text(kind, max, max_text);
	if (!parsed || number < min || number > max)
		return err_note(parsed ? ERR_RANGE : ERR_SYNTAX,
				"%s: \"%.*s\" is not a number%s from %s to %s", name,
				text.bytes < 40 ? (int)text.bytes : 40, text.at,
				is_time	   ? " of seconds"
				: is_bytes ? " of bytes (64k, 1m, 2g)"
					   : "",
				min_text, max_text);
	*ret_number = number;
	return OK;
}

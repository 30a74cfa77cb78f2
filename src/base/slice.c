#include "base/slice.h"

static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.bytes != b.bytes)
		return false;
	for (size_t i = 0; i < a.bytes; i++) {
		if (lower(a.at[i]) != lower(b.at[i]))
			return false;
	}
	return true;
}

bool slice_starts(struct slice whole, struct slice start)
{
	return whole.bytes >= start.bytes &&
	       slice_equal((struct slice){ whole.at, start.bytes }, start);
}

bool slice_to_u64(struct slice text, unsigned long long *ret_number)
{
	/* 19 nines still fit, so no sum below can overflow. */
	if (text.bytes == 0 || text.bytes > 19)
		return false;

	unsigned long long number = 0;
	for (size_t i = 0; i < text.bytes; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text.at[i] - '0');
	}
	*ret_number = number;
	return true;
}

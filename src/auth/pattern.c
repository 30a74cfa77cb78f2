#include "auth/pattern.h"

#include "wire/name.h"

/* A star that is not at the end would promise more than it does. */
enum err pattern_check(struct slice pattern)
{
	if (pattern.bytes == 0 || pattern.bytes > NAME_BYTES_MAX)
		return err_note(ERR_SYNTAX, "a pattern has 1 to %d bytes", NAME_BYTES_MAX);
	if (memchr(pattern.at, '*', pattern.bytes - 1))
		return err_note(ERR_SYNTAX, "a pattern has its * at the end, or none");
	return OK;
}

/* Takes text off the front of *rest; false: it does not begin so. */
static bool eat(struct slice *rest, struct slice text)
{
	if (!slice_starts(*rest, text))
		return false;
	*rest = slice_from(rest->at + text.bytes, rest->bytes - text.bytes);
	return true;
}

bool pattern_matches(struct slice pattern, struct slice sub, struct slice name)
{
	while (pattern.bytes) {
		if (slice_equal(pattern, SLICE("*")))
			return true;
		if (eat(&pattern, SLICE("{sub}"))) {
			if (!sub.bytes || !eat(&name, sub))
				return false;
			continue;
		}
		if (!eat(&name, slice_from(pattern.at, 1)))
			return false;
		pattern = slice_from(pattern.at + 1, pattern.bytes - 1);
	}
	return name.bytes == 0;
}

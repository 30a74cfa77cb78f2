#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void must_fail(const char *file, int line, const char *function, const char *cond)
{
	/* No stdio stream and no allocation: the heap may be what is broken. */
	char text[512];
	int bytes = snprintf(text, sizeof text, "%s:%d: %s: must hold: %s\n", file, line, function,
			     cond);
	if (bytes >= (int)sizeof text)
		bytes = (int)sizeof text - 1;
	if (bytes > 0 && write(STDERR_FILENO, text, (size_t)bytes) < 0)
		abort();
	abort();
}

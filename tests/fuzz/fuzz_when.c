/* fuzz_when: times against the C library's calendar; any number of milliseconds comes back. */
#include <stdio.h>
#include <time.h>

#include "fuzz.h"
#include "wire/when.h"

#define WALL_MS_MAX UINT64_C(253402300799999)

/* The text has been taken, so its first 19 bytes are digits where they should be. */
static void check_parsed(struct slice text, uint64_t wall_ms)
{
	char copy[20], again[WHEN_TEXT_MAX];
	struct tm tm = { 0 };
	int hour = 0, minute = 0;
	uint64_t back = 0;

	MUST(text.bytes >= 20 && wall_ms <= WALL_MS_MAX);
	memcpy(copy, text.at, 19);
	copy[19] = '\0';
	MUST(sscanf(copy, "%d-%d-%d%*c%d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
		    &tm.tm_min, &tm.tm_sec) == 6);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (tm.tm_sec == 60)
		tm.tm_sec = 59;

	const char *end = text.at + text.bytes;
	if (end[-1] != 'Z' && end[-1] != 'z') {
		hour = (end[-5] - '0') * 10 + end[-4] - '0';
		minute = (end[-2] - '0') * 10 + end[-1] - '0';
		if (end[-6] == '-') {
			hour = -hour;
			minute = -minute;
		}
	}
	MUST((int64_t)(wall_ms / 1000) == timegm(&tm) - hour * 3600 - minute * 60);

	MUST(when_format(wall_ms, again) == 24);
	MUST(when_parse(slice_of(again), &back) == OK && back == wall_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = fuzz_slice(data, size);
	uint64_t wall_ms = 0, back = 0;
	char formatted[WHEN_TEXT_MAX];

	enum err err = when_parse(text, &wall_ms);
	MUST(err == OK || err == ERR_SYNTAX || err == ERR_RANGE);
	if (err == OK)
		check_parsed(text, wall_ms);

	if (size >= sizeof wall_ms) {
		memcpy(&wall_ms, data, sizeof wall_ms);
		MUST(when_format(wall_ms, formatted) == 24);
		MUST(when_parse(slice_of(formatted), &back) == OK);
		MUST(back == (wall_ms > WALL_MS_MAX ? WALL_MS_MAX : wall_ms));
	}
	return 0;
}

#include "wire/when.h"

enum { DAY_S = 24 * 3600, ERA_DAYS = 146097, ERA_YEARS = 400 };

/* The first day of March of year 0 is day 0 here; 1970-01-01 is this far behind it. */
enum { EPOCH_DAYS = 719468 };

#define WALL_MS_MAX UINT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* Days since 1970-01-01. Years run from March, so that the leap day is their last. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
	unsigned march_year = month > 2 ? year : year - 1;
	unsigned era = march_year / ERA_YEARS;
	unsigned year_of_era = march_year % ERA_YEARS;
	unsigned month_from_march = month > 2 ? month - 3 : month + 9;
	unsigned day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
	unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (int64_t)era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

static void date_of(uint64_t days, unsigned *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	unsigned total = (unsigned)days + EPOCH_DAYS;
	unsigned era = total / ERA_DAYS;
	unsigned day_of_era = total % ERA_DAYS;
	unsigned leap_days = day_of_era / 1460 - day_of_era / 36524 + day_of_era / (ERA_DAYS - 1);
	unsigned year_of_era = (day_of_era - leap_days) / 365;
	unsigned year_start = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
	unsigned day_of_year = day_of_era - year_start;
	unsigned month_from_march = (5 * day_of_year + 2) / 153;

	*ret_day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	*ret_month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	*ret_year = era * ERA_YEARS + year_of_era + (*ret_month <= 2 ? 1 : 0);
}

static char *digits_write(unsigned number, unsigned count, char *to)
{
	for (unsigned i = count; i-- > 0; number /= 10)
		to[i] = (char)('0' + number % 10);
	return to + count;
}

size_t when_format(uint64_t wall_ms, char ret_text[WHEN_TEXT_MAX])
{
	unsigned year, month, day;
	char *to = ret_text;

	if (wall_ms > WALL_MS_MAX)
		wall_ms = WALL_MS_MAX;
	uint64_t wall_s = wall_ms / 1000;
	unsigned second_of_day = (unsigned)(wall_s % DAY_S);
	date_of(wall_s / DAY_S, &year, &month, &day);

	to = digits_write(year, 4, to);
	*to++ = '-';
	to = digits_write(month, 2, to);
	*to++ = '-';
	to = digits_write(day, 2, to);
	*to++ = 'T';
	to = digits_write(second_of_day / 3600, 2, to);
	*to++ = ':';
	to = digits_write(second_of_day / 60 % 60, 2, to);
	*to++ = ':';
	to = digits_write(second_of_day % 60, 2, to);
	*to++ = '.';
	to = digits_write((unsigned)(wall_ms % 1000), 3, to);
	*to++ = 'Z';
	*to = '\0';
	return (size_t)(to - ret_text);
}

static bool take_digits(struct slice *text, unsigned count, unsigned *ret_number)
{
	unsigned number = 0;

	if (text->bytes < count)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (text->at[i] < '0' || text->at[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text->at[i] - '0');
	}
	*text = slice_from(text->at + count, text->bytes - count);
	*ret_number = number;
	return true;
}

/* The first byte, if it is one of these. */
static bool take_one_of(struct slice *text, const char *bytes, char *ret_byte)
{
	if (!text->bytes || !text->at[0] || !strchr(bytes, text->at[0]))
		return false;
	*ret_byte = text->at[0];
	*text = slice_from(text->at + 1, text->bytes - 1);
	return true;
}

static bool take_date(struct slice *text, int64_t *ret_days)
{
	static const unsigned char month_days[] = { 31, 28, 31, 30, 31, 30,
						    31, 31, 30, 31, 30, 31 };
	unsigned year, month, day;
	char dash;

	if (!take_digits(text, 4, &year) || !take_one_of(text, "-", &dash) ||
	    !take_digits(text, 2, &month) || !take_one_of(text, "-", &dash) ||
	    !take_digits(text, 2, &day))
		return false;

	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (month < 1 || month > 12 || day < 1)
		return false;
	if (day > month_days[month - 1] + (month == 2 && leap ? 1u : 0u))
		return false;
	/* Year 0 may stand for itself: it lies before 1970 whatever it comes to. */
	*ret_days = year ? days_of(year, month, day) : -EPOCH_DAYS;
	return true;
}

static bool take_time(struct slice *text, int64_t *ret_ms)
{
	unsigned hour, minute, second, fraction_ms = 0;
	char byte;

	if (!take_digits(text, 2, &hour) || !take_one_of(text, ":", &byte) ||
	    !take_digits(text, 2, &minute) || !take_one_of(text, ":", &byte) ||
	    !take_digits(text, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;

	if (take_one_of(text, ".", &byte)) {
		unsigned digit, weight_ms = 100;
		if (!take_digits(text, 1, &digit))
			return false;
		do {
			fraction_ms += digit * weight_ms;
			weight_ms /= 10;
		} while (take_digits(text, 1, &digit));
	}
	if (second == 60) {
		second = 59;
		fraction_ms = 999;
	}
	*ret_ms = (int64_t)((hour * 60 + minute) * 60 + second) * 1000 + fraction_ms;
	return true;
}

static bool take_offset(struct slice *text, int64_t *ret_ms)
{
	unsigned hour, minute;
	char sign, colon;

	if (take_one_of(text, "Zz", &sign)) {
		*ret_ms = 0;
		return true;
	}
	if (!take_one_of(text, "+- ", &sign) || !take_digits(text, 2, &hour) ||
	    !take_one_of(text, ":", &colon) || !take_digits(text, 2, &minute) || hour > 23 ||
	    minute > 59)
		return false;
	*ret_ms = (int64_t)(hour * 60 + minute) * (sign == '-' ? -60000 : 60000);
	return true;
}

enum err when_parse(struct slice text, uint64_t *ret_wall_ms)
{
	int64_t days, time_ms, offset_ms;
	char separator;

	if (!take_date(&text, &days) || !take_one_of(&text, "Tt ", &separator) ||
	    !take_time(&text, &time_ms) || !take_offset(&text, &offset_ms) || text.bytes)
		return err_note(ERR_SYNTAX, "not a time like 2026-11-24T13:00:00Z (RFC 3339)");

	int64_t wall_ms = days * DAY_S * 1000 + time_ms - offset_ms;
	if (wall_ms < 0 || wall_ms > (int64_t)WALL_MS_MAX)
		return err_note(ERR_RANGE, "the time must lie in the years 1970 to 9999");
	*ret_wall_ms = (uint64_t)wall_ms;
	return OK;
}

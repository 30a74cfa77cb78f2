/*
 * option_number: numbers as people write them: seconds with a fraction, bytes with a letter.
 */
#include "serve/options_impl.h"

enum { NUMBER_TEXT_MAX = 48 };

/* "1.25" as 1250; three digits behind the point at most. */
static bool parse_seconds(struct slice text, uint64_t *ret_ms)
{
	const char *point = text.bytes ? memchr(text.at, '.', text.bytes) : NULL;
	struct slice whole = slice_from(text.at, point ? (size_t)(point - text.at) : text.bytes);
	struct slice rest = point ? slice_from(point + 1, text.bytes - whole.bytes - 1) : SLICE("0");
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
	if (text.bytes > 3 && slice_equal_nocase(slice_from(text.at + text.bytes - 2, 2), SLICE("ib")))
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

static void number_text(const char *kind, uint64_t number, char ret_text[NUMBER_TEXT_MAX])
{
	if (strcmp(kind, "TIME") != 0) {
		(void)snprintf(ret_text, NUMBER_TEXT_MAX, "%llu", (unsigned long long)number);
		return;
	}
	(void)snprintf(ret_text, NUMBER_TEXT_MAX, "%llu.%03llu", (unsigned long long)(number / 1000),
		       (unsigned long long)(number % 1000));
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

	char min_text[NUMBER_TEXT_MAX];
	char max_text[NUMBER_TEXT_MAX];
	number_text(kind, min, min_text);
	number_text(kind, max, max_text);
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

/* --- the table, told --- */

/* "65536" as "64 KiB", "15000" as "15 s". */
static void people_text(const struct option_row *row, uint64_t number, char ret_text[NUMBER_TEXT_MAX])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	if (strcmp(row->kind, "BYTES") == 0) {
		size_t unit = 0;
		while (number >= 1024 && number % 1024 == 0 && unit < 4) {
			number /= 1024;
			unit++;
		}
		(void)snprintf(ret_text, NUMBER_TEXT_MAX, "%llu %s", (unsigned long long)number,
			       units[unit]);
		return;
	}
	number_text(row->kind, number, ret_text);
	if (strcmp(row->kind, "TIME") == 0)
		(void)snprintf(ret_text + strlen(ret_text), NUMBER_TEXT_MAX - strlen(ret_text), " s");
}

static const char *value_word(const struct option_row *row)
{
	if (strcmp(row->kind, "TIME") == 0)
		return "SECONDS";
	return strcmp(row->kind, "BYTES") == 0 ? "BYTES" : "N";
}

void options_print_help(FILE *to)
{
	(void)fputs("Usage: tapecast serve [OPTION]...\n"
		    "Runs a server until SIGTERM or SIGINT; then lets its listeners go, and ends.\n"
		    "\n"
		    "  tapecast serve --dev            try it: a page, any web page may use it\n"
		    "  tapecast serve --listen :8080   for everybody\n"
		    "\n"
		    "  --listen ADDRESS:PORT,...  where (default 127.0.0.1:8080; :8080 is everywhere;\n"
		    "                             port 0: the system chooses); may be given again\n"
		    "  --dev                      development: loopback only, a page to try it at /,\n"
		    "                             CORS open\n"
		    "  --cors-origins ORIGIN,...  web pages that may use it, such as https://example.org\n"
		    "  --log-level LEVEL          error, warn, info (the default) or debug\n"
		    "  -h, --help                 this text\n"
		    "\n"
		    "Each also as TAPECAST_..., for example TAPECAST_SESSION_MAX=5000.\n"
		    "BYTES may end in k, m or g. In brackets the default.\n"
		    "\n", to);
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		char flag[OPTION_NAME_MAX];
		char otherwise[NUMBER_TEXT_MAX];
		option_flag(row, flag);
		people_text(row, row->otherwise, otherwise);
		(void)fprintf(to, "  --%s %s", flag, value_word(row));
		if (*row->flag && strcmp(row->flag, flag) != 0)
			(void)fprintf(to, ", --%s %s", row->flag, value_word(row));
		(void)fprintf(to, "\n        %s [%s]\n", row->help, otherwise);
	}
}

void options_print_limits(FILE *to)
{
	static const struct {
		const char *what;
		const char *bound;
		const char *answer;
	} bounds[] = {
#define BOUND(what, bound, answer) { what, bound, answer },
#include "serve/bound_table.h"
#undef BOUND
	};
	(void)fputs("# Limits\n\n"
		    "Nothing that a peer can make grow is without a bound. This page is printed by\n"
		    "`tapecast serve --print-limits`; a test keeps it current.\n\n"
		    "## Set by options\n\n"
		    "| option | default | from | to | what | when it is reached |\n"
		    "|---|---|---|---|---|---|\n", to);
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		char flag[OPTION_NAME_MAX];
		char otherwise[NUMBER_TEXT_MAX];
		char min[NUMBER_TEXT_MAX];
		char max[NUMBER_TEXT_MAX];
		option_flag(row, flag);
		people_text(row, row->otherwise, otherwise);
		people_text(row, row->min, min);
		people_text(row, row->max, max);
		(void)fprintf(to, "| `--%s` | %s | %s | %s | %s | %s |\n", flag, otherwise, min, max,
			      row->help, row->answer);
	}
	(void)fputs("\n## Fixed\n\n| what | bound | when it is reached |\n|---|---|---|\n", to);
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
		(void)fprintf(to, "| %s | %s | %s |\n", bounds[i].what, bounds[i].bound,
			      bounds[i].answer);
}

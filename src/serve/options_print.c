/*
 * options_print: the table, told: the help, and the page of bounds.
 */
#include "serve/options_impl.h"

/* "65536" as "64 KiB", "15000" as "15 s". */
static void people_text(const struct option_row *row, uint64_t number,
			char ret_text[OPTION_NUMBER_MAX])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	if (strcmp(row->kind, "BYTES") == 0) {
		size_t unit = 0;
		while (number >= 1024 && number % 1024 == 0 && unit < 4) {
			number /= 1024;
			unit++;
		}
		(void)snprintf(ret_text, OPTION_NUMBER_MAX, "%llu %s", (unsigned long long)number,
			       units[unit]);
		return;
	}
	option_number_text(row->kind, number, ret_text);
	size_t bytes = strlen(ret_text);
	if (strcmp(row->kind, "TIME") == 0)
		(void)snprintf(ret_text + bytes, OPTION_NUMBER_MAX - bytes, " s");
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
		    "  --listen ADDRESS:PORT,...  where; may be given again (default\n"
		    "                             127.0.0.1:8080; :8080 is everywhere; port 0:\n"
		    "                             the system chooses)\n"
		    "  --admin ADDRESS:PORT       where administrators ask: /metrics and more\n"
		    "                             (default 127.0.0.1:8081, or another port if\n"
		    "                             that is taken); off: nowhere\n"
		    "  --dev                      development: loopback only, a page to try it\n"
		    "                             at /, CORS open\n"
		    "  --cors-origins ORIGIN,...  web pages that may use it, such as\n"
		    "                             https://example.org\n"
		    "  --jwt-key FILE,...         who signs tokens: a secret, a JWK, a JWKS or a\n"
		    "                             public key in PEM; without --dev this,\n"
		    "                             --api-key or --no-auth must be given\n"
		    "  --api-key FILE,...         static keys for back ends, a JSON object a line\n"
		    "  --jwt-issuer TEXT          whose tokens are good (default: anyone's)\n"
		    "  --jwt-audience TEXT        for whom they must be made\n"
		    "  --jwt-exp optional         tokens that never expire are good, too\n"
		    "  --cookie-name NAME         where browsers may have a token (default\n"
		    "                             tapecast_token; off: nowhere)\n"
		    "  --query-token off          no access_token= in the query\n"
		    "  --no-auth                  nobody is asked: whoever reaches the port may\n"
		    "                             read and write\n"
		    "  --stream-slow POLICY       what a reader meets that does not keep up:\n"
		    "                             skip (the default): all, until the tape's\n"
		    "                             end overtakes it, then a gap; coalesce: of\n"
		    "                             each key the newest; close: told to resume\n"
		    "  --redis URL                nodes that share this Redis are one service:\n"
		    "                             redis://[user@]host[:6379][/db], unix:/path or\n"
		    "                             redis-sentinel://host,host,host/master\n"
		    "  --ack primary|replica:N    a publish counts once the primary (the\n"
		    "                             default), or also N of its replicas have it\n"
		    "  --redis-password-file FILE what is in its first line\n"
		    "  --redis-prefix TEXT        of its keys and channels (default tc1)\n"
		    "  --log-level LEVEL          error, warn, info (the default) or debug\n"
		    "  -h, --help                 this text\n"
		    "\n"
		    "Each also as TAPECAST_..., for example TAPECAST_SESSION_MAX=5000.\n"
		    "BYTES may end in k, m or g. In brackets the default.\n"
		    "\n", to);
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		char flag[OPTION_NAME_MAX];
		char otherwise[OPTION_NUMBER_MAX];
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
		    "Nothing that a peer can make grow is without a bound. This page is what\n"
		    "`tapecast serve --print-limits` prints; a test keeps it current.\n\n"
		    "## Set by options\n\n"
		    "| option | default | from | to | what | when it is reached |\n"
		    "|---|---|---|---|---|---|\n", to);
	for (size_t i = 0; i < option_row_count; i++) {
		const struct option_row *row = &option_rows[i];
		char flag[OPTION_NAME_MAX];
		char otherwise[OPTION_NUMBER_MAX];
		char min[OPTION_NUMBER_MAX];
		char max[OPTION_NUMBER_MAX];
		option_flag(row, flag);
		people_text(row, row->otherwise, otherwise);
		people_text(row, row->min, min);
		people_text(row, row->max, max);
		(void)fprintf(to, "| `--%s` | %s | %s | %s | %s | %s |\n", flag, otherwise, min,
			      max, row->help, row->answer);
	}
	(void)fputs("\n## Fixed\n\n| what | bound | when it is reached |\n|---|---|---|\n", to);
	for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++)
		(void)fprintf(to, "| %s | %s | %s |\n", bounds[i].what, bounds[i].bound,
			      bounds[i].answer);
}

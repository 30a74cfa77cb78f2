#include "serve/options.h"

#include <stddef.h>
#include <stdlib.h>

#include "backplane/redis.h"
#include "serve/options_impl.h"

/* No row allows it: not given yet. */
#define OPTION_UNSET UINT64_MAX

const struct option_row option_rows[] = {
#define OPTION(section, key, flag, kind, otherwise, min, max, help, answer) \
	{ #section "-" #key, flag, #kind, offsetof(struct options, section##_##key), \
	  otherwise, min, max, help, answer },
#include "serve/option_table.h"
#undef OPTION
};
const size_t option_row_count = sizeof option_rows / sizeof option_rows[0];

enum { FLAG_BYTES_MAX = 64 };

void option_flag(const struct option_row *row, char ret_flag[OPTION_NAME_MAX])
{
	size_t at = 0;
	for (; row->name[at] && at < OPTION_NAME_MAX - 1; at++)
		ret_flag[at] = row->name[at] == '_' ? '-' : row->name[at];
	ret_flag[at] = '\0';
}

static void env_name(const char *flag, char ret_name[OPTION_NAME_MAX + 16])
{
	(void)snprintf(ret_name, OPTION_NAME_MAX + 16, "TAPECAST_%s", flag);
	for (char *c = ret_name; *c; c++) {
		if (*c == '-')
			*c = '_';
		else if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	}
}

static uint64_t *value_of(struct options *options, const struct option_row *row)
{
	return (uint64_t *)(void *)((char *)options + row->offset);
}

static enum err row_take(const struct option_row *row, const char *name, struct slice text,
			 struct options *options)
{
	return option_number(name, row->kind, text, row->min, row->max, value_of(options, row));
}

/* --- options that are no numbers --- */

typedef enum err word_fn(const char *name, struct slice text, struct options *options);

/* Several with commas between them, for the environment's sake. */
enum err option_list(const char *name, struct slice text, struct slice *list, size_t *count,
		     size_t count_max)
{
	for (;;) {
		const char *comma = text.bytes ? memchr(text.at, ',', text.bytes) : NULL;
		size_t bytes = comma ? (size_t)(comma - text.at) : text.bytes;
		if (bytes == 0)
			return err_note(ERR_SYNTAX, "%s: a value is missing", name);
		if (*count == count_max)
			return err_note(ERR_TOO_MANY, "%s: at most %zu", name, count_max);
		list[(*count)++] = slice_from(text.at, bytes);
		if (!comma)
			return OK;
		text = slice_from(comma + 1, text.bytes - bytes - 1);
	}
}

static enum err take_listen(const char *name, struct slice text, struct options *options)
{
	return option_list(name, text, options->listen, &options->listen_count,
			   OPTIONS_LISTEN_MAX);
}

/* As a browser writes it: scheme, host, port if it is not the usual one. */
static enum err take_origins(const char *name, struct slice text, struct options *options)
{
	size_t first = options->origin_count;
	enum err err = option_list(name, text, options->origins, &options->origin_count,
				   OPTIONS_ORIGINS_MAX);
	for (size_t i = first; !err && i < options->origin_count; i++) {
		struct slice origin = options->origins[i];
		bool has_scheme = slice_starts(origin, SLICE("https://")) ||
				  slice_starts(origin, SLICE("http://"));
		size_t slashes = 0;
		for (size_t at = 0; at < origin.bytes; at++)
			slashes += origin.at[at] == '/';
		if (!has_scheme || slashes != 2 || memchr(origin.at, '*', origin.bytes))
			err = err_note(ERR_SYNTAX, "%s: \"%.*s\" is not an origin: write it as "
						   "https://example.org", name,
				       origin.bytes < 60 ? (int)origin.bytes : 60, origin.at);
	}
	return err;
}

static enum err take_admin(const char *name, struct slice text, struct options *options)
{
	if (text.bytes == 0)
		return err_note(ERR_SYNTAX, "%s: a value is missing", name);
	options->admin = text;
	options->admin_given = true;
	return OK;
}

static enum err take_log_level(const char *name, struct slice text, struct options *options)
{
	static const struct slice levels[] = {
		{ "error", 5 }, { "warn", 4 }, { "info", 4 }, { "debug", 5 },
	};
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		if (slice_equal(text, levels[i])) {
			options->log_level = text;
			return OK;
		}
	}
	return err_note(ERR_SYNTAX, "%s is error, warn, info or debug", name);
}

static enum err take_slow(const char *name, struct slice text, struct options *options)
{
	static const struct slice policies[] = {
		[SLOW_SKIP] = { "skip", 4 },
		[SLOW_COALESCE] = { "coalesce", 8 },
		[SLOW_CLOSE] = { "close", 5 },
	};
	for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
		if (slice_equal(text, policies[i])) {
			options->stream_slow = (enum slow_policy)i;
			return OK;
		}
	}
	return err_note(ERR_SYNTAX, "%s is skip, coalesce or close", name);
}

static enum err take_redis(const char *name, struct slice text, struct options *options)
{
	struct redis_place place;
	enum err err = redis_place_parse(text, &place);
	if (err)
		return err_prefix(err, "%s", name);
	options->redis = text;
	return OK;
}

static enum err take_redis_password_file(const char *name, struct slice text,
					 struct options *options)
{
	if (text.bytes == 0)
		return err_note(ERR_SYNTAX, "%s: a value is missing", name);
	options->redis_password_file = text;
	return OK;
}

static enum err take_redis_prefix(const char *name, struct slice text, struct options *options)
{
	for (size_t i = 0; i < text.bytes; i++) {
		char c = text.at[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_' && c != '.' && c != ':')
			return err_note(ERR_SYNTAX, "%s has letters, digits and . _ - :", name);
	}
	if (text.bytes < 1 || text.bytes > REDIS_PREFIX_MAX)
		return err_note(ERR_SYNTAX, "%s has 1 to %d bytes", name, REDIS_PREFIX_MAX);
	options->redis_prefix = text;
	return OK;
}

static enum err take_ack(const char *name, struct slice text, struct options *options)
{
	unsigned long long count = 0;
	if (slice_starts(text, SLICE("replica:")) &&
	    slice_to_u64(slice_from(text.at + 8, text.bytes - 8), &count) && count >= 1 &&
	    count <= 16)
		options->ack_replicas = (uint32_t)count;
	else if (!slice_equal(text, SLICE("primary")))
		return err_note(ERR_SYNTAX, "%s is primary, or replica:1 to replica:16", name);
	return OK;
}

static enum err take_dev(const char *name, struct slice text, struct options *options)
{
	if (!slice_equal(text, SLICE("1")) && !slice_equal(text, SLICE("0")))
		return err_note(ERR_SYNTAX, "%s is 1 or 0", name);
	options->dev = slice_equal(text, SLICE("1"));
	return OK;
}

static enum err take_help(const char *name, struct slice text, struct options *options)
{
	(void)name, (void)text;
	options->help = true;
	return OK;
}

static enum err take_print_limits(const char *name, struct slice text, struct options *options)
{
	(void)name, (void)text;
	options->print_limits = true;
	return OK;
}

static const struct {
	const char *flag;
	word_fn *take;
	bool is_switch; /* has no value on the command line: "1" */
	bool in_environment;
} words[] = {
	{ "listen", take_listen, false, true },
	{ "admin", take_admin, false, true },
	{ "dev", take_dev, true, true },
	{ "cors-origins", take_origins, false, true },
	{ "stream-slow", take_slow, false, true },
	{ "ack", take_ack, false, true },
	{ "jwt-key", take_jwt_key, false, true },
	{ "api-key", take_api_key, false, true },
	{ "jwt-issuer", take_jwt_issuer, false, true },
	{ "jwt-audience", take_jwt_audience, false, true },
	{ "jwt-exp", take_jwt_exp, false, true },
	{ "no-auth", take_no_auth, true, true },
	{ "cookie-name", take_cookie_name, false, true },
	{ "query-token", take_query_token, false, true },
	{ "redis", take_redis, false, true },
	{ "redis-password-file", take_redis_password_file, false, true },
	{ "redis-prefix", take_redis_prefix, false, true },
	{ "log-level", take_log_level, false, true },
	{ "help", take_help, true, false },
	{ "print-limits", take_print_limits, true, false },
};

enum { WORD_COUNT = sizeof words / sizeof words[0] };

/* --- reading --- */

/* How many letters must change (Levenshtein), for "did you mean". */
static size_t distance(const char *a, const char *b)
{
	size_t row[FLAG_BYTES_MAX + 1];
	size_t a_bytes = strnlen(a, FLAG_BYTES_MAX);
	size_t b_bytes = strnlen(b, FLAG_BYTES_MAX);
	for (size_t j = 0; j <= b_bytes; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_bytes; i++) {
		size_t corner = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_bytes; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			corner = row[j];
			row[j] = best;
		}
	}
	return row[b_bytes];
}

static void consider(const char *flag, const char *known, size_t *best, char *ret_nearest)
{
	size_t here = *known ? distance(flag, known) : SIZE_MAX;
	if (here >= *best)
		return;
	*best = here;
	(void)snprintf(ret_nearest, OPTION_NAME_MAX, "%s", known);
}

static enum err unknown_flag(const char *flag)
{
	size_t best = 4; /* further away it is no slip */
	char nearest[OPTION_NAME_MAX] = "";
	for (size_t i = 0; i < option_row_count; i++) {
		char name[OPTION_NAME_MAX];
		option_flag(&option_rows[i], name);
		consider(flag, name, &best, nearest);
		consider(flag, option_rows[i].flag, &best, nearest);
	}
	for (size_t i = 0; i < WORD_COUNT; i++)
		consider(flag, words[i].flag, &best, nearest);
	if (*nearest)
		return err_note(ERR_SYNTAX, "there is no option --%s; did you mean --%s?", flag,
				nearest);
	return err_note(ERR_SYNTAX, "there is no option --%s", flag);
}

static const struct option_row *row_find(const char *flag)
{
	for (size_t i = 0; i < option_row_count; i++) {
		char name[OPTION_NAME_MAX];
		option_flag(&option_rows[i], name);
		bool is_short = *flag && strcmp(flag, option_rows[i].flag) == 0;
		if (is_short || strcmp(flag, name) == 0)
			return &option_rows[i];
	}
	return NULL;
}

/* One argument, with the next if it is its value. *at is moved on. */
static enum err flag_read(int argc, char **argv, int *at, struct options *options)
{
	const char *argument = argv[(*at)++];
	if (strcmp(argument, "-h") == 0)
		argument = "--help";
	if (strncmp(argument, "--", 2) != 0 || !argument[2])
		return err_note(ERR_SYNTAX, "\"%s\" is no option", argument);

	char flag[FLAG_BYTES_MAX];
	const char *equals = strchr(argument, '=');
	size_t bytes = equals ? (size_t)(equals - argument - 2) : strlen(argument + 2);
	(void)snprintf(flag, sizeof flag, "%.*s", (int)(bytes < sizeof flag ? bytes : sizeof flag),
		       argument + 2);
	const struct option_row *row = row_find(flag);
	size_t word = 0;
	while (word < WORD_COUNT && strcmp(flag, words[word].flag) != 0)
		word++;
	if (!row && word == WORD_COUNT)
		return unknown_flag(flag);

	char name[FLAG_BYTES_MAX + 2];
	(void)snprintf(name, sizeof name, "--%s", flag);
	struct slice value = equals ? slice_of(equals + 1) : SLICE("1");
	if (!equals && (row || !words[word].is_switch)) {
		if (*at >= argc)
			return err_note(ERR_SYNTAX, "%s: a value is missing", name);
		value = slice_of(argv[(*at)++]);
	}
	return row ? row_take(row, name, value, options) : words[word].take(name, value, options);
}

static enum err environment_read(struct options *options)
{
	enum err err = OK;
	char name[OPTION_NAME_MAX + 16];
	for (size_t i = 0; i < option_row_count && !err; i++) {
		char flag[OPTION_NAME_MAX];
		option_flag(&option_rows[i], flag);
		env_name(flag, name);
		const char *value = getenv(name);
		if (value)
			err = row_take(&option_rows[i], name, slice_of(value), options);
	}
	for (size_t i = 0; i < WORD_COUNT && !err; i++) {
		env_name(words[i].flag, name);
		const char *value = words[i].in_environment ? getenv(name) : NULL;
		if (value)
			err = words[i].take(name, slice_of(value), options);
	}
	return err;
}

/* What was not given takes what was there. */
static void inherit(struct slice *list, size_t *count, const struct slice *from, size_t from_count)
{
	if (*count)
		return;
	memcpy(list, from, from_count * sizeof *list);
	*count = from_count;
}

/* What the command line says of addresses, origins and keys stands instead of the environment, not
 * beside. */
static enum err command_line_read(int argc, char **argv, struct options *options)
{
	struct options given = *options;
	given.listen_count = 0;
	given.origin_count = 0;
	given.jwt_key_count = 0;
	given.api_key_count = 0;
	for (int at = 1; at < argc;) {
		enum err err = flag_read(argc, argv, &at, &given);
		if (err)
			return err;
	}
	inherit(given.listen, &given.listen_count, options->listen, options->listen_count);
	inherit(given.origins, &given.origin_count, options->origins, options->origin_count);
	inherit(given.jwt_keys, &given.jwt_key_count, options->jwt_keys, options->jwt_key_count);
	inherit(given.api_keys, &given.api_key_count, options->api_keys, options->api_key_count);
	*options = given;
	return OK;
}

/* On one developer's machine there is no herd to spread out, and waiting is dull. */
static const struct {
	size_t offset;
	uint64_t value;
} dev_defaults[] = {
	{ offsetof(struct options, session_retry_min), 200 },
	{ offsetof(struct options, session_retry_max), 600 },
	{ offsetof(struct options, drain_window), 500 },
};

static uint64_t row_default(const struct option_row *row, bool dev)
{
	for (size_t i = 0; dev && i < sizeof dev_defaults / sizeof dev_defaults[0]; i++) {
		if (dev_defaults[i].offset == row->offset)
			return dev_defaults[i].value;
	}
	return row->otherwise;
}

enum err options_read(int argc, char **argv, struct options *ret_options)
{
	struct options options = { .log_level = SLICE("info"),
				   .cookie_name = SLICE("tapecast_token"),
				   .admin = SLICE("127.0.0.1:8081") };
	for (size_t i = 0; i < option_row_count; i++)
		*value_of(&options, &option_rows[i]) = OPTION_UNSET;
	enum err err = environment_read(&options);
	if (!err)
		err = command_line_read(argc, argv, &options);
	if (err)
		return err;
	for (size_t i = 0; i < option_row_count; i++) {
		uint64_t *value = value_of(&options, &option_rows[i]);
		if (*value == OPTION_UNSET)
			*value = row_default(&option_rows[i], options.dev);
	}
	if (options.session_retry_min > options.session_retry_max)
		return err_note(ERR_RANGE, "--session-retry-min is more than --session-retry-max");
	if (!options.redis.bytes && (options.redis_password_file.bytes ||
				     options.redis_prefix.bytes || options.ack_replicas))
		return err_note(ERR_SYNTAX, "--redis-password-file, --redis-prefix and --ack go "
					    "with --redis");
	if (options.listen_count == 0)
		options.listen[options.listen_count++] = SLICE("127.0.0.1:8080");
	*ret_options = options;
	return OK;
}

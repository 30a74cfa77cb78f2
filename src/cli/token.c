/*
 * token: makes keys and tokens, and says what is wrong with a token. Needs no server.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/claims.h"
#include "auth/jws.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "wire/json.h"
#include "world/world.h"

static const char command[] = "tapecast token";

enum {
	OPTION_KEY = OPTION_OWN,
	OPTION_JWK,
	OPTION_SUB,
	OPTION_SUBSCRIBE,
	OPTION_PUBLISH,
	OPTION_ADMIN,
	OPTION_TTL,
	OPTION_ISSUER,
	OPTION_AUDIENCE,
	OPTION_LEEWAY,
	OPTION_ALG,
	OPTION_KID,
	OPTION_OUT,
	TTL_S_MAX = 31536000,
	TTL_S = 3600,
};

struct token {
	struct key_ring ring;
	const char *patterns[VERB_COUNT][CLAIMS_PATTERNS_MAX];
	size_t pattern_count[VERB_COUNT];
	const char *sub, *issuer, *audience, *alg, *kid, *out;
	uint64_t ttl_s, leeway_s;
	bool admin, signature_only;
};

static uint64_t now_s(void)
{
	struct world *world = world_linux();
	return world->ops->wall_ms(world) / 1000;
}

static enum err take_pattern(struct token *token, enum verb verb, const char *pattern)
{
	if (token->pattern_count[verb] == CLAIMS_PATTERNS_MAX)
		return err_note(ERR_TOO_MANY, "more than %d patterns", CLAIMS_PATTERNS_MAX);
	token->patterns[verb][token->pattern_count[verb]++] = pattern;
	return OK;
}

static enum err take(struct token *token, int option, const char *value)
{
	switch (option) {
	case OPTION_JWK:
		token->signature_only = true;
		return key_ring_load(&token->ring, value);
	case OPTION_KEY:
		return key_ring_load(&token->ring, value);
	case OPTION_SUBSCRIBE:
		return take_pattern(token, VERB_SUBSCRIBE, value);
	case OPTION_PUBLISH:
		return take_pattern(token, VERB_PUBLISH, value);
	case OPTION_TTL:
		return cli_number(value, 1, TTL_S_MAX, &token->ttl_s);
	case OPTION_LEEWAY:
		return cli_number(value, 0, CLAIMS_LEEWAY_S_MAX, &token->leeway_s);
	case OPTION_SUB:
		token->sub = value;
		break;
	case OPTION_ISSUER:
		token->issuer = value;
		break;
	case OPTION_AUDIENCE:
		token->audience = value;
		break;
	case OPTION_ALG:
		token->alg = value;
		break;
	case OPTION_KID:
		token->kid = value;
		break;
	case OPTION_OUT:
		token->out = value;
		break;
	default:
		token->admin = true;
		break;
	}
	return OK;
}

static void put_text(struct buf *json, const char *name, const char *value)
{
	if (!value)
		return;
	(void)buf_putf(json, ",\"%s\":", name);
	(void)json_quote(slice_of(value), json);
}

static void put_patterns(const struct token *token, enum verb verb, struct buf *json)
{
	(void)buf_putf(json, "%s\"%s\":[", verb == VERB_SUBSCRIBE ? "" : ",", verb_text(verb));
	for (size_t i = 0; i < token->pattern_count[verb]; i++) {
		(void)buf_put_text(json, i ? "," : "");
		(void)json_quote(slice_of(token->patterns[verb][i]), json);
	}
	(void)buf_put_text(json, "]");
}

static enum err mint(struct token *token)
{
	struct buf json, text;
	struct claims claims;
	uint64_t iat_s = now_s();

	if (token->ring.count != 1)
		return err_note(ERR_RANGE, "mint signs with one key: --key FILE");
	buf_init(&json, CLAIMS_BYTES_MAX);
	buf_init(&text, JWS_BYTES_MAX);
	(void)buf_putf(&json, "{\"iat\":%" PRIu64 ",\"exp\":%" PRIu64, iat_s, iat_s + token->ttl_s);
	put_text(&json, "sub", token->sub);
	put_text(&json, "iss", token->issuer);
	put_text(&json, "aud", token->audience);
	(void)buf_put_text(&json, ",\"tapecast\":{");
	put_patterns(token, VERB_SUBSCRIBE, &json);
	put_patterns(token, VERB_PUBLISH, &json);
	(void)buf_put_text(&json, token->admin ? ",\"admin\":true}}" : "}}");
	enum err err = json.err;
	if (!err) {
		err = claims_read(buf_slice(&json), &claims);
		claims_fini(&claims);
	}
	if (!err)
		err = jws_seal(buf_slice(&json), token->ring.keys[0], &text);
	if (!err)
		err = buf_put_byte(&text, '\n');
	if (!err)
		err = cli_print(buf_slice(&text));
	buf_fini(&text);
	buf_fini(&json);
	return err;
}

/* White space around a token is the terminal's, not the token's. */
static enum err read_token(const char *operand, struct buf *text)
{
	if (operand && strcmp(operand, "-") != 0)
		return buf_put_text(text, operand);
	enum err err = buf_reserve(text, JWS_BYTES_MAX + 2);
	if (err)
		return err;
	text->bytes = fread(text->at, 1, JWS_BYTES_MAX + 2, stdin);
	if (ferror(stdin))
		return err_note(ERR_SYSTEM, "standard input: %s", strerror(errno));
	if (text->bytes && text->at[text->bytes - 1] == '\n')
		text->bytes--;
	return OK;
}

static enum err check_claims(const struct token *token, struct slice payload)
{
	struct claims claims;
	struct claims_rules rules = {
		.issuer = slice_of(token->issuer),
		.audience = slice_of(token->audience),
		.now_ms = now_s() * 1000,
		.leeway_ms = token->leeway_s * 1000,
	};
	enum err err = claims_read(payload, &claims);
	if (!err)
		err = claims_check(&claims, &rules);
	for (int verb = 0; verb < VERB_COUNT && !err; verb++) {
		for (size_t i = 0; i < token->pattern_count[verb] && !err; i++)
			err = claims_allow(&claims, (enum verb)verb,
					   slice_of(token->patterns[verb][i]));
	}
	claims_fini(&claims);
	return err;
}

static enum err check(struct token *token, const char *operand)
{
	struct buf text, payload;

	if (token->ring.count == 0)
		return err_note(ERR_RANGE, "check wants a key: --key FILE or --jwk FILE");
	buf_init(&text, (size_t)4 * JWS_BYTES_MAX);
	buf_init(&payload, JWS_BYTES_MAX);
	enum err err = read_token(operand, &text);
	if (!err)
		err = jws_open(buf_slice(&text), &token->ring, &payload);
	if (!err && !token->signature_only)
		err = check_claims(token, buf_slice(&payload));
	if (!err && !token->signature_only)
		err = buf_put_byte(&payload, '\n');
	if (!err && !token->signature_only)
		err = cli_print(buf_slice(&payload));
	buf_fini(&payload);
	buf_fini(&text);
	return err;
}

/* A file that was there is somebody's key: it is never written over. */
static enum err write_out(const char *path, struct slice text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_note(ERR_DENIED, "%s: %s", path, strerror(errno));
	bool whole = write(fd, text.at, text.bytes) == (ssize_t)text.bytes && fsync(fd) == 0;
	if (close(fd) == 0 && whole)
		return OK;
	return err_note(ERR_SYSTEM, "%s cannot be written: %s", path, strerror(errno));
}

static enum err keygen(const struct token *token)
{
	enum alg alg = ALG_EDDSA;
	struct buf jwk;

	if (!token->out)
		return err_note(ERR_RANGE, "keygen writes to a new file: --out FILE");
	enum err err = token->alg ? alg_parse(slice_of(token->alg), &alg) : OK;
	if (err)
		return err;
	buf_init(&jwk, 2048);
	err = key_generate(alg, slice_of(token->kid), &jwk);
	if (!err)
		err = write_out(token->out, buf_slice(&jwk));
	buf_fini(&jwk);
	return err;
}

static int run(struct token *token, int argc, char **argv)
{
	static const struct option options[] = {
		{ "key", required_argument, NULL, OPTION_KEY },
		{ "jwk", required_argument, NULL, OPTION_JWK },
		{ "sub", required_argument, NULL, OPTION_SUB },
		{ "subscribe", required_argument, NULL, OPTION_SUBSCRIBE },
		{ "publish", required_argument, NULL, OPTION_PUBLISH },
		{ "admin", no_argument, NULL, OPTION_ADMIN },
		{ "ttl", required_argument, NULL, OPTION_TTL },
		{ "issuer", required_argument, NULL, OPTION_ISSUER },
		{ "audience", required_argument, NULL, OPTION_AUDIENCE },
		{ "leeway", required_argument, NULL, OPTION_LEEWAY },
		{ "alg", required_argument, NULL, OPTION_ALG },
		{ "kid", required_argument, NULL, OPTION_KID },
		{ "out", required_argument, NULL, OPTION_OUT },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h')
			return help_print(help_token);
		if (option == '?')
			return cli_usage(command, NULL);
		enum err err = take(token, option, optarg);
		if (err)
			return cli_fail(command, err);
	}
	int words = argc - optind;
	const char *what = words ? argv[optind] : "";
	enum err err = OK;
	if (strcmp(what, "mint") == 0 && words == 1)
		err = mint(token);
	else if (strcmp(what, "check") == 0 && words <= 2)
		err = check(token, argv[optind + 1]);
	else if (strcmp(what, "keygen") == 0 && words == 1)
		err = keygen(token);
	else
		return cli_usage(command, "say mint, check [TOKEN] or keygen");
	return err ? cli_fail(command, err) : EXIT_FINE;
}

int token_main(int argc, char **argv)
{
	struct token token = { .ttl_s = TTL_S };
	int code = run(&token, argc, argv);
	key_ring_fini(&token.ring);
	return code;
}

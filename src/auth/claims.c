#include "auth/claims.h"

#include <inttypes.h>

#include "auth/members.h"
#include "auth/pattern.h"

static const char *const verbs[VERB_COUNT] = { "subscribe", "publish", "presence" };

const char *verb_text(enum verb verb)
{
	return verbs[verb];
}

void claims_fini(struct claims *claims)
{
	buf_fini(&claims->text);
}

/* The text was given room for all that a payload can hold, so that it never moves. */
static enum err keep_text(struct json_value value, const char *what, struct claims *claims,
			  struct slice *ret_text)
{
	size_t begin = claims->text.bytes;
	enum err err = json_string(value, &claims->text);
	if (err)
		return err_prefix(err, "%s", what);
	*ret_text = slice_from(claims->text.at + begin, claims->text.bytes - begin);
	return OK;
}

static enum err read_text(struct json_value object, const char *name, struct claims *claims,
			  struct slice *ret_text)
{
	struct json_value value;
	return members_find(object, name, &value) ? keep_text(value, name, claims, ret_text) : OK;
}

static enum err read_time(struct json_value object, const char *name, uint64_t *ret_time_s)
{
	struct json_value value;

	if (!members_find(object, name, &value))
		return OK;
	if (json_u64(value, ret_time_s))
		return err_note(ERR_SYNTAX, "%s is no whole number of seconds", name);
	return OK;
}

static enum err read_audiences(struct json_value object, struct claims *claims)
{
	struct json_value value, one;
	struct slice no_name;
	size_t at = 0;
	enum err err = OK;

	if (!members_find(object, "aud", &value))
		return OK;
	if (value.kind != JSON_ARRAY) {
		claims->audience_count = 1;
		return keep_text(value, "aud", claims, &claims->audiences[0]);
	}
	while (!err && json_next(value, &at, &no_name, &one)) {
		if (claims->audience_count == CLAIMS_AUDIENCES_MAX)
			return err_note(ERR_TOO_MANY, "more than %d in aud", CLAIMS_AUDIENCES_MAX);
		err = keep_text(one, "aud", claims,
				&claims->audiences[claims->audience_count++]);
	}
	return err;
}

static enum err read_patterns(struct json_value grants, enum verb verb, struct claims *claims)
{
	struct json_value value, one;
	struct slice no_name;
	size_t at = 0;
	enum err err = OK;

	if (!members_find(grants, verbs[verb], &value))
		return OK;
	if (value.kind != JSON_ARRAY)
		return err_note(ERR_SYNTAX, "tapecast.%s is no array of patterns", verbs[verb]);
	while (!err && json_next(value, &at, &no_name, &one)) {
		if (claims->pattern_count[verb] == CLAIMS_PATTERNS_MAX)
			return err_note(ERR_TOO_MANY, "more than %d patterns in tapecast.%s",
					CLAIMS_PATTERNS_MAX, verbs[verb]);
		struct slice *pattern = &claims->patterns[verb][claims->pattern_count[verb]++];
		err = keep_text(one, verbs[verb], claims, pattern);
		if (!err)
			err = pattern_check(*pattern);
	}
	return err;
}

static enum err read_info(struct json_value value, struct claims *claims)
{
	size_t begin = claims->text.bytes;
	enum err err = buf_put(&claims->text, value.text);
	claims->info = slice_from(claims->text.at + begin, value.text.bytes);
	return err;
}

enum err claims_read_grants(struct json_value grants, struct claims *claims)
{
	struct json_value value;

	enum err err = OK;
	for (int verb = 0; verb < VERB_COUNT && !err; verb++)
		err = read_patterns(grants, (enum verb)verb, claims);
	if (err)
		return err;
	if (members_find(grants, "admin", &value)) {
		if (value.kind != JSON_TRUE && value.kind != JSON_FALSE)
			return err_note(ERR_SYNTAX, "tapecast.admin is neither true nor false");
		claims->admin = value.kind == JSON_TRUE;
	}
	return members_find(grants, "info", &value) ? read_info(value, claims) : OK;
}

static enum err read_own(struct json_value object, struct claims *claims)
{
	struct json_value grants;

	if (!members_find(object, "tapecast", &grants))
		return OK;
	enum err err = members_check(grants);
	return err ? err_prefix(err, "tapecast") : claims_read_grants(grants, claims);
}

enum err claims_read(struct slice payload, struct claims *ret_claims)
{
	struct claims *claims = ret_claims;
	struct json_value object, value;

	*claims = (struct claims){ 0 };
	buf_init(&claims->text, CLAIMS_BYTES_MAX);
	if (payload.bytes > CLAIMS_BYTES_MAX)
		return err_note(ERR_TOO_BIG, "more than %d bytes of claims", CLAIMS_BYTES_MAX);
	enum err err = buf_reserve(&claims->text, CLAIMS_BYTES_MAX);
	if (!err)
		err = members_open(payload, &object);
	if (err)
		return err_prefix(err, "the token's claims");
	claims->has_exp = members_find(object, "exp", &value);
	err = read_time(object, "exp", &claims->exp_s);
	if (!err)
		err = read_time(object, "nbf", &claims->nbf_s);
	if (!err)
		err = read_time(object, "iat", &claims->iat_s);
	if (!err)
		err = read_text(object, "sub", claims, &claims->sub);
	if (!err)
		err = read_text(object, "iss", claims, &claims->iss);
	if (!err)
		err = read_text(object, "jti", claims, &claims->jti);
	if (!err)
		err = read_audiences(object, claims);
	return err ? err : read_own(object, claims);
}

static bool is_for(const struct claims *claims, struct slice audience)
{
	for (size_t i = 0; i < claims->audience_count; i++) {
		if (slice_equal(claims->audiences[i], audience))
			return true;
	}
	return false;
}

enum err claims_check(const struct claims *claims, const struct claims_rules *rules)
{
	uint64_t now_ms = rules->now_ms, leeway_ms = rules->leeway_ms;
	uint64_t exp_ms = claims->exp_s * 1000, nbf_ms = claims->nbf_s * 1000;
	uint64_t iat_ms = claims->iat_s * 1000;

	if (!claims->has_exp && !rules->exp_optional)
		return err_note(ERR_TOKEN, "the token has no exp");
	if (claims->has_exp && now_ms >= exp_ms + leeway_ms)
		return err_note(ERR_EXPIRED, "the token expired %" PRIu64 " s ago",
				(now_ms - exp_ms) / 1000);
	if (now_ms + leeway_ms < nbf_ms)
		return err_note(ERR_TOKEN, "the token is not valid for %" PRIu64 " s yet (nbf)",
				(nbf_ms - now_ms + 999) / 1000);
	if (now_ms + leeway_ms < iat_ms)
		return err_note(ERR_TOKEN, "the token is from the future by %" PRIu64 " s (iat)",
				(iat_ms - now_ms + 999) / 1000);
	if (rules->issuer.bytes && !slice_equal(claims->iss, rules->issuer))
		return err_note(ERR_TOKEN, "the token's issuer is not \"%.*s\"",
				(int)rules->issuer.bytes, rules->issuer.at);
	if (rules->audience.bytes && !is_for(claims, rules->audience))
		return err_note(ERR_TOKEN, "the token's audience is not \"%.*s\"",
				(int)rules->audience.bytes, rules->audience.at);
	return OK;
}

enum err claims_allow(const struct claims *claims, enum verb verb, struct slice name)
{
	for (size_t i = 0; i < claims->pattern_count[verb]; i++) {
		if (pattern_matches(claims->patterns[verb][i], claims->sub, name))
			return OK;
	}
	return err_note(ERR_DENIED, "the token has no grant to %s \"%.*s\"", verbs[verb],
			(int)name.bytes, name.at);
}

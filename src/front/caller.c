#include "front/caller.h"

#include "front/cors.h"

/* The page's server is this one: no other could have made the browser send it. */
static bool is_same_origin(struct slice origin, struct slice host)
{
	struct slice rest = origin;
	if (slice_starts(origin, SLICE("https://")))
		rest = slice_from(origin.at + 8, origin.bytes - 8);
	else if (slice_starts(origin, SLICE("http://")))
		rest = slice_from(origin.at + 7, origin.bytes - 7);
	else
		return false;
	return host.bytes && slice_equal_nocase(rest, host);
}

/* A browser adds cookies to what any page asks for; so the page must be one of ours. */
static enum err check_cookie_origin(const struct visit *visit)
{
	const struct headers *headers = &visit->headers;
	struct slice site = headers->sec_fetch_site;
	if (headers->origin.at) {
		if (cors_is_listed(visit_settings(visit), headers->origin) ||
		    is_same_origin(headers->origin, headers->host))
			return OK;
		return err_note(ERR_DENIED, "a page of the origin \"%.*s\" may not use the cookie: "
					    "the server names those that may (--cors-origins)",
				headers->origin.bytes < 80 ? (int)headers->origin.bytes : 80,
				headers->origin.at);
	}
	if (!(visit->method & (METHOD_GET | METHOD_HEAD)))
		return err_note(ERR_DENIED, "with a cookie, what changes something must say its "
					    "Origin; a program sends Authorization: Bearer TOKEN");
	if (site.bytes && !slice_equal_nocase(site, SLICE("same-origin")) &&
	    !slice_equal_nocase(site, SLICE("none")))
		return err_note(ERR_DENIED, "another site's page may not use the cookie");
	return OK;
}

bool cookie_find(struct slice cookies, struct slice name, struct slice *ret_value)
{
	bool found = false;
	while (cookies.bytes) {
		const char *end = memchr(cookies.at, ';', cookies.bytes);
		size_t bytes = end ? (size_t)(end - cookies.at) : cookies.bytes;
		struct slice pair = slice_from(cookies.at, bytes);
		cookies = end ? slice_from(end + 1, cookies.bytes - bytes - 1)
			      : (struct slice){ 0 };
		while (pair.bytes && (*pair.at == ' ' || *pair.at == '\t'))
			pair = slice_from(pair.at + 1, pair.bytes - 1);
		if (!slice_starts(pair, name) || pair.bytes == name.bytes ||
		    pair.at[name.bytes] != '=')
			continue;
		if (found)
			return false;
		*ret_value = slice_from(pair.at + name.bytes + 1, pair.bytes - name.bytes - 1);
		found = true;
	}
	return found;
}

static enum err bearer_of(struct slice authorization, struct slice *ret_token)
{
	struct slice scheme = SLICE("Bearer ");
	if (authorization.bytes <= scheme.bytes ||
	    !slice_equal_nocase(slice_from(authorization.at, scheme.bytes), scheme))
		return err_note(ERR_TOKEN, "the header is Authorization: Bearer TOKEN");
	*ret_token = slice_from(authorization.at + scheme.bytes,
				authorization.bytes - scheme.bytes);
	return OK;
}

/* What the caller says explicitly goes before the cookie, which a browser sends by itself. */
static enum err token_find(const struct visit *visit, struct slice *ret_token, bool *ret_private)
{
	const struct front_settings *settings = visit_settings(visit);
	const struct headers *headers = &visit->headers;
	struct slice in_query = visit->args.values[ARG_ACCESS_TOKEN];
	*ret_private = headers->authorization.at != NULL;
	if (headers->authorization.at && in_query.at && settings->token_in_query)
		return err_note(ERR_HEADER, "two tokens: one in the header, one in the query");
	if (headers->authorization.at)
		return bearer_of(headers->authorization, ret_token);
	if (in_query.at) {
		*ret_token = in_query;
		return settings->token_in_query ?
			       OK :
			       err_note(ERR_NO_TOKEN, "this server takes no access_token in the "
						      "query: send Authorization: Bearer TOKEN");
	}
	if (settings->cookie_name.bytes && headers->cookie.at &&
	    cookie_find(headers->cookie, settings->cookie_name, ret_token))
		return check_cookie_origin(visit);
	return err_note(ERR_NO_TOKEN, "a token is needed here: Authorization: Bearer TOKEN%s",
			settings->token_in_query ? ", or access_token= in the query" : "");
}

static enum err check_needs(const struct visit *visit)
{
	const struct route *route = visit->route;
	enum verb verb = route->needs == NEEDS_PUBLISH ? VERB_PUBLISH : VERB_SUBSCRIBE;
	if (route->needs == NEEDS_ADMIN)
		return visit->grant->admin ? OK : err_note(ERR_DENIED, "the token does not say "
								       "that its bearer is an "
								       "administrator");
	return visit->name.bytes ? grant_allow(visit->grant, verb, visit_name(visit))
				 : grant_allow_any(visit->grant, verb);
}

static uint64_t wall_ms(const struct visit *visit)
{
	struct world *world = visit->door->config.world;
	return world->ops->wall_ms(world);
}

enum err caller_check(struct visit *visit)
{
	struct auth *auth = visit->door->config.auth;
	struct slice token = { 0 };
	bool is_private = false;
	if (!auth || visit->route->needs == NEEDS_NOTHING)
		return OK;
	enum err err = token_find(visit, &token, &is_private);
	if (!err)
		err = auth_admit(auth, token, is_private, wall_ms(visit), &visit->grant);
	return err ? err : check_needs(visit);
}

enum err caller_allow(const struct visit *visit, enum verb verb, struct slice name)
{
	if (!visit->door->config.auth)
		return OK;
	return visit->grant ? grant_allow(visit->grant, verb, name)
			    : err_note(ERR_NO_TOKEN, "a token is needed here");
}

static void free_grant(void *arg)
{
	struct grant *grant = arg;
	grant_unref(&grant);
}

enum err caller_bearer(const struct visit *visit, struct bearer **ret_bearer)
{
	struct grant *grant = visit->grant;
	if (!grant)
		return OK;
	struct bearer_terms terms = {
		.expires_ms = grant->expires_ms,
		.sub = grant->sub,
		.jti = grant->jti,
		.grants = grant_ref(grant),
		.grants_free = free_grant,
	};
	enum err err = bearer_new(&terms, ret_bearer);
	if (err)
		grant_unref(&grant);
	return err;
}

bool caller_may_read(void *arg, const struct bearer *bearer, struct slice stream)
{
	if (!arg)
		return true;
	const struct grant *grant = bearer ? bearer_grants(bearer) : NULL;
	if (grant && grant_allow(grant, VERB_SUBSCRIBE, stream) == OK)
		return true;
	err_note_clear();
	return false;
}

enum err caller_allow_now(struct visit *visit, enum verb verb, struct slice name)
{
	struct auth *auth = visit->door->config.auth;
	if (!auth || !visit->grant)
		return caller_allow(visit, verb, name);
	uint64_t now_ms = wall_ms(visit);
	if (now_ms >= visit->grant->expires_ms)
		return err_note(ERR_EXPIRED, "the token has expired while the request was under "
					     "way: what came before stands");
	enum err err = auth_check_revoked(auth, visit->grant, now_ms);
	return err ? err : grant_allow(visit->grant, verb, name);
}

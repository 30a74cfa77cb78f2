#include "front/route.h"

static const struct {
	const char *text;
	enum method method;
} methods[] = {
	{ "GET", METHOD_GET },
	{ "HEAD", METHOD_HEAD },
	{ "POST", METHOD_POST },
	{ "DELETE", METHOD_DELETE },
	{ "OPTIONS", METHOD_OPTIONS },
};

enum { METHODS_COUNT = sizeof methods / sizeof methods[0] };

static const struct route routes[] = {
#define ROUTE(path, methods, needs, admin, handler) { path, methods, needs, admin, &handler },
#include "front/route_table.h"
#undef ROUTE
};

enum method method_parse(const char *text)
{
	for (size_t i = 0; i < METHODS_COUNT; i++) {
		if (strcmp(text, methods[i].text) == 0)
			return methods[i].method;
	}
	return METHOD_OTHER;
}

static bool matches(const struct route *route, struct slice path, struct slice *ret_name)
{
	struct slice pattern = slice_of(route->path);
	bool takes_name = pattern.bytes > 1 && pattern.at[pattern.bytes - 1] == '/';
	if (!takes_name)
		return slice_equal(path, pattern);
	if (!slice_starts(path, pattern))
		return false;
	*ret_name = slice_from(path.at + pattern.bytes, path.bytes - pattern.bytes);
	return true;
}

static bool is_here(const struct route *route, bool admin)
{
	return admin ? route->admin || route->needs == NEEDS_NOTHING : !route->admin;
}

static enum err nothing_here(bool admin)
{
	if (admin)
		return err_note(ERR_NOT_FOUND, "nothing is at this path for administrators: they "
					       "have /metrics and /v1/streams?prefix=NAME here");
	return err_note(ERR_NOT_FOUND, "nothing is at this path: events are at /v1/streams/NAME "
				       "and /v1/events?stream=NAME");
}

enum err route_find(struct slice path, enum method method, bool admin,
		    const struct route **ret_route, struct slice *ret_name, unsigned *ret_allowed)
{
	const struct route *found = NULL;
	struct slice name = { 0 };
	unsigned allowed = 0;
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (!is_here(&routes[i], admin) || !matches(&routes[i], path, &name))
			continue;
		allowed |= routes[i].method;
		if ((routes[i].method & method) || (method == METHOD_OPTIONS && !found))
			found = &routes[i];
	}
	if (allowed == 0)
		return nothing_here(admin);
	*ret_allowed = allowed | METHOD_OPTIONS;
	if (!found) {
		char allow[ROUTE_ALLOW_MAX];
		route_allow_text(*ret_allowed, allow);
		return err_note(ERR_METHOD, "this path knows %s", allow);
	}
	*ret_route = found;
	*ret_name = name;
	return OK;
}

void route_allow_text(unsigned allowed, char ret_text[ROUTE_ALLOW_MAX])
{
	size_t at = 0;
	for (size_t i = 0; i < METHODS_COUNT; i++) {
		if (!(allowed & methods[i].method))
			continue;
		size_t bytes = strlen(methods[i].text);
		if (at > 0) {
			memcpy(ret_text + at, ", ", 2);
			at += 2;
		}
		memcpy(ret_text + at, methods[i].text, bytes);
		at += bytes;
	}
	ret_text[at] = '\0';
}

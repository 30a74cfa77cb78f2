#include "front/visit.h"

#include <microhttpd.h>

#include "base/mem.h"
#include "base/must.h"
#include "front/caller.h"
#include "front/cors.h"
#include "front/problem.h"
#include "front/route.h"
#include "wire/name.h"
#include "wire/query.h"

#define VISIT_TAG 0x7151710fu

enum err visit_new(struct door *door, struct MHD_Daemon *daemon, struct MHD_Connection *connection,
		   int fd, struct visit **ret_visit)
{
	struct visit *visit = mem_zalloc(sizeof *visit);
	if (!visit)
		return ERR_NOMEM;
	visit->tag = VISIT_TAG;
	visit->door = door;
	visit->daemon = daemon;
	visit->connection = connection;
	visit->fd = fd;
	due_init(&visit->due);
	buf_init(&visit->uri, door->config.settings->head_bytes_max);
	buf_init(&visit->name, door->config.settings->head_bytes_max);
	args_init(&visit->args);
	reply_init(&visit->reply);
	*ret_visit = visit;
	return OK;
}

void visit_reset(struct visit *visit)
{
	MUST_BE(visit, VISIT_TAG);
	due_disarm(&visit->due);
	if (visit->work_free)
		visit->work_free(visit);
	visit->work = NULL;
	visit->work_free = NULL;
	buf_fini(&visit->uri);
	buf_fini(&visit->name);
	args_fini(&visit->args);
	grant_unref(&visit->grant);
	reply_fini(&visit->reply);
	visit->reply.closes = false;
	visit->reply.status = 0;
	visit->phase = VISIT_HEAD;
	if (visit->counted)
		atomic_fetch_sub_explicit(&visit->door->requests_open, 1, memory_order_relaxed);
	visit->counted = false;
	visit->is_long = false;
	visit->route = NULL;
	visit->body_bytes = 0;
	visit->body_ended = false;
	visit->next = NULL;
}

void visit_free(struct visit **visit)
{
	if (!*visit)
		return;
	visit_reset(*visit);
	(*visit)->tag = 0;
	mem_free(*visit);
	*visit = NULL;
}

struct slice visit_name(const struct visit *visit)
{
	return buf_slice(&visit->name);
}

enum step visit_problem(struct visit *visit, enum err err)
{
	problem_reply(&visit->reply, err);
	return STEP_REPLY;
}

struct reply *visit_json(struct visit *visit, unsigned status)
{
	reply_reset(&visit->reply);
	visit->reply.status = status;
	reply_field(&visit->reply, "Content-Type", "application/json");
	return &visit->reply;
}

/* What makes two servers disagree is not looked at twice: the connection goes. */
static enum step refuse(struct visit *visit, enum err err)
{
	visit->reply.closes = true;
	return visit_problem(visit, err);
}

/* "http://host/path" is as good as "/path" (RFC 9112, 3.2.2). */
static struct slice origin_form(struct slice uri)
{
	if (!slice_starts(uri, SLICE("http://")))
		return uri;
	const char *slash = memchr(uri.at + 7, '/', uri.bytes - 7);
	return slash ? slice_from(slash, uri.bytes - (size_t)(slash - uri.at)) : SLICE("/");
}

static enum err uri_read(struct visit *visit)
{
	if (visit->uri.err)
		return visit->uri.err;
	if (visit->target_cut)
		return err_note(ERR_HEADER, "the request target holds a NUL byte");
	struct slice uri = buf_slice(&visit->uri);
	for (size_t i = 0; i < uri.bytes; i++) {
		unsigned char c = (unsigned char)uri.at[i];
		if (c <= 0x20 || c == 0x7f)
			return err_note(ERR_HEADER,
					"byte %zu (0x%02x) of the request target must be "
					"percent-encoded", i, c);
	}
	query_split(origin_form(uri), &visit->path, &visit->query);
	return OK;
}

static enum step answer_options(struct visit *visit, unsigned allowed)
{
	char allow[ROUTE_ALLOW_MAX];
	route_allow_text(allowed, allow);
	visit->reply.status = 204;
	reply_field(&visit->reply, "Allow", "%s", allow);
	if (visit->headers.request_method.at && !visit->admin)
		cors_preflight(visit_settings(visit), visit->headers.origin, allow, &visit->reply);
	return STEP_REPLY;
}

static enum err target_read(struct visit *visit, struct slice name)
{
	if (visit->route->path[strlen(visit->route->path) - 1] == '/' && visit->route->path[1]) {
		enum err err = query_decode_path(name, &visit->name);
		if (!err)
			err = name_check(visit_name(visit));
		if (err)
			return err;
	}
	return args_parse(visit->query, visit->route->handler->args, &visit->args);
}

enum step visit_begin(struct visit *visit, const char *method, const char *version)
{
	MUST_BE(visit, VISIT_TAG);
	visit->method = method_parse(method);
	enum err err = uri_read(visit);
	if (!err)
		err = headers_read(visit->connection, strcmp(version, "HTTP/1.1") == 0,
				   &visit->headers);
	if (err)
		return refuse(visit, err);

	struct slice name;
	unsigned allowed;
	err = route_find(visit->path, visit->method, visit->admin, &visit->route, &name, &allowed);
	if (err == ERR_METHOD) {
		char allow[ROUTE_ALLOW_MAX];
		route_allow_text(allowed, allow);
		(void)visit_problem(visit, err);
		reply_field(&visit->reply, "Allow", "%s", allow);
		return STEP_REPLY;
	}
	if (err)
		return visit_problem(visit, err);
	if (visit->method == METHOD_OPTIONS)
		return answer_options(visit, allowed);

	const struct handler *handler = visit->route->handler;
	if (!handler->has_body && (visit->headers.is_chunked || visit->headers.length > 0))
		return refuse(visit, err_note(ERR_HEADER, "a %s of this path has no body", method));
	err = target_read(visit, name);
	if (!err)
		err = caller_check(visit);
	if (err)
		return visit_problem(visit, err);
	return handler->begin ? handler->begin(visit) : STEP_MORE;
}

/*
 * route: from a path and a method to what answers.
 */
#ifndef TAPECAST_FRONT_ROUTE_H
#define TAPECAST_FRONT_ROUTE_H

#include "front/visit.h"

enum { ROUTE_ALLOW_MAX = 64 };

/* "GET" and so on; METHOD_OTHER for what is not known (methods have case). */
enum method method_parse(const char *text);

/* ERR_NOT_FOUND; ERR_METHOD: *ret_allowed is filled. Notes say what. A path of a stream gives its
 * name, still encoded. METHOD_OPTIONS finds any route of the path. admin: asked on the
 * administrators' socket, where their routes are, and those that need nothing; elsewhere theirs are
 * not. */
enum err route_find(struct slice path, enum method method, bool admin,
		    const struct route **ret_route, struct slice *ret_name, unsigned *ret_allowed)
	ERR_CHECKED;
/* "GET, HEAD, OPTIONS". */
void route_allow_text(unsigned allowed, char ret_text[ROUTE_ALLOW_MAX]);

extern const struct handler read_one_handler, read_many_handler, stat_handler, publish_handler,
	drop_handler, batch_handler, live_handler, ready_handler, openapi_handler, page_handler,
	metrics_handler, streams_handler;

#endif

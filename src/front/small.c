/*
 * small: answers that need nobody: health, the description of the interface, the page to try it.
 */
#include "front/embedded.h"
#include "front/route.h"

static enum step live_finish(struct visit *visit)
{
	visit->reply.status = 200;
	reply_field(&visit->reply, "Content-Type", "text/plain");
	reply_field(&visit->reply, "Cache-Control", "no-store");
	visit->reply.fixed = SLICE("ok\n");
	return STEP_REPLY;
}

const struct handler live_handler = { .finish = live_finish };

static enum step ready_finish(struct visit *visit)
{
	struct backplane *backplane = visit->door->config.backplane;
	if (atomic_load_explicit(&visit->door->closing, memory_order_relaxed))
		return visit_problem(visit, err_note(ERR_DRAINING, "this node is going away"));
	if (!backplane->ops->ready(backplane))
		return visit_problem(visit, err_note(ERR_UNAVAILABLE,
						     "the %s backplane does not answer",
						     backplane->ops->name));
	return live_finish(visit);
}

const struct handler ready_handler = { .finish = ready_finish };

static enum step openapi_finish(struct visit *visit)
{
	visit->reply.status = 200;
	reply_field(&visit->reply, "Content-Type", "application/json");
	visit->reply.fixed = slice_from((const char *)embedded_openapi, embedded_openapi_bytes);
	return STEP_REPLY;
}

const struct handler openapi_handler = { .finish = openapi_finish };

static enum step page_finish(struct visit *visit)
{
	if (!visit_settings(visit)->dev)
		return visit_problem(visit, err_note(ERR_NOT_FOUND, "a page to try it is here with "
								    "tapecast serve --dev"));
	visit->reply.status = 200;
	reply_field(&visit->reply, "Content-Type", "text/html; charset=utf-8");
	reply_field(&visit->reply, "Cache-Control", "no-cache");
	visit->reply.fixed = slice_from((const char *)embedded_page, embedded_page_bytes);
	return STEP_REPLY;
}

const struct handler page_handler = { .finish = page_finish };

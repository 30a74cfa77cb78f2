/*
 * reception: libmicrohttpd's calls, turned into the steps of a visit.
 */
#include "front/door_impl.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/metric.h"
#include "base/must.h"
#include "base/say.h"
#include "front/cors.h"
#include "front/problem.h"

enum { CUT_BYTES_MAX = REPLY_BODY_MAX + 2 * REPLY_FIELDS_BYTES_MAX };

static struct due_queue *queue_of(struct visit *visit)
{
	return visit->phase == VISIT_HEAD ? &visit->door->heads : &visit->door->bodies;
}

static void arm(struct visit *visit)
{
	due_arm(queue_of(visit), &visit->due, visit->door->now_ms);
}

void visit_brought(struct visit *visit)
{
	visit->is_long = true;
	due_arm(&visit->door->ingests, &visit->due, visit->door->now_ms);
}

/* What every answer carries; and a reply that could not be made becomes one that can. */
static void reply_finish(struct visit *visit)
{
	struct reply *reply = &visit->reply;
	if (reply_is_broken(reply)) {
		reply_reset(reply);
		reply->status = 503;
		reply_field(reply, "Retry-After", "1");
	}
	unsigned status = reply->status / 100;
	if (status >= 2 && status < 2 + STATUS_COUNT)
		metric_add(METRIC_REQUESTS, status - 2,
			   visit->admin ? SOCKET_ADMIN : SOCKET_PUBLIC, 1);
	if (!visit->admin) /* no web page has any business there */
		cors_fields(visit_settings(visit), visit->headers.origin, reply);
	if (atomic_load_explicit(&visit->door->closing, memory_order_relaxed))
		reply->closes = true;
}

static enum MHD_Result queue_reply(struct visit *visit)
{
	reply_finish(visit);
	struct reply *reply = &visit->reply;
	struct slice body = reply_body(reply);
	/* The library asks for a pointer that is not const, and does not write through it. */
	void *bytes = (void *)(uintptr_t)(body.bytes ? body.at : "");
	bool stays = reply->fixed.bytes > 0;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		body.bytes, bytes, stays ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;

	size_t at = 0;
	const char *name;
	const char *value;
	bool sound = true;
	while (reply_field_next(reply, &at, &name, &value))
		sound = sound && MHD_add_response_header(response, name, value) == MHD_YES;
	if (reply->closes && MHD_add_response_header(response, "Connection", "close") != MHD_YES)
		sound = false;
	enum MHD_Result queued = MHD_NO;
	if (sound)
		queued = MHD_queue_response(visit->connection, reply->status, response);
	MHD_destroy_response(response);
	visit->phase = VISIT_QUEUED;
	arm(visit); /* to send it is a wait of its own */
	return queued;
}

/* A socket that takes no more at once has a peer that does not listen: then the end is enough. */
static void send_past(struct visit *visit)
{
	struct world *world = visit->door->config.world;
	struct buf bytes;
	size_t sent;
	buf_init(&bytes, CUT_BYTES_MAX);
	reply_finish(visit);
	reply_write(&visit->reply, &bytes);
	if (!bytes.err && world->ops->send(world, visit->fd, buf_slice(&bytes), &sent) != OK)
		err_note_clear();
	buf_fini(&bytes);
}

void visit_cut(struct visit *visit)
{
	send_past(visit);
	(void)shutdown(visit->fd, SHUT_WR);
	visit->phase = VISIT_CUT;
	due_arm(&visit->door->cuts, &visit->due, visit->door->now_ms);
}

void visit_expire(struct visit *visit)
{
	if (visit->phase == VISIT_HEAD || visit->phase == VISIT_BODY) {
		bool is_head = visit->phase == VISIT_HEAD;
		if (!is_head)
			metric_up(METRIC_LIMITS, visit->is_long ? LIMIT_REQUEST_IDLE
								: LIMIT_REQUEST_BODY);
		else if (visit->uri.bytes)
			metric_up(METRIC_LIMITS, LIMIT_REQUEST_HEAD);
		problem_reply_late(&visit->reply,
				   is_head ? "the request's head did not come in time"
					   : "the request's body did not come in time");
		/* An idle connection that is kept alive has asked nothing: it just ends. */
		if (!is_head || visit->uri.bytes)
			send_past(visit);
	}
	/* Never close: the descriptor is libmicrohttpd's, which now sees the end of the stream. */
	(void)shutdown(visit->fd, SHUT_RDWR);
}

static enum step next_part(struct visit *visit, struct slice *chunk)
{
	const struct handler *handler = visit->route->handler;
	if (chunk->bytes) {
		visit->body_bytes += chunk->bytes;
		return handler->body(visit, chunk);
	}
	visit->body_ended = true;
	return handler->finish(visit);
}

static enum MHD_Result take_step(struct visit *visit, enum step step, bool is_first,
				 struct slice *chunk)
{
	switch (step) {
	case STEP_MORE:
		return MHD_YES;
	case STEP_WAIT:
		/* Until the answer no clock runs: the backplane keeps time itself. */
		due_disarm(&visit->due);
		visit->phase = VISIT_WAIT;
		atomic_fetch_add_explicit(&visit->door->asks_open, 1, memory_order_relaxed);
		MHD_suspend_connection(visit->connection);
		return MHD_YES;
	case STEP_REPLY:
		/* After the body the library can queue an answer, within it not. Before it could,
		 * but would then close on what is still coming: a reset, that can cost the peer
		 * the answer. */
		if (visit->body_ended)
			return queue_reply(visit);
		if (is_first && !visit->reply.closes && !visit->headers.length &&
		    !visit->headers.is_chunked) {
			visit->phase = VISIT_READY; /* there is no body: it calls once more */
			return MHD_YES;
		}
		chunk->bytes = 0;
		visit_cut(visit);
		return MHD_YES;
	case STEP_TAKEN:
		return MHD_NO;
	}
	return MHD_NO;
}

/* Up to 0.9 the library ends the target at a NUL byte, and says nothing: but the version, which
 * stands behind it in the same buffer, is then further away than it should be. */
static bool target_is_cut(const struct visit *visit, const char *version)
{
	bool is_old = strncmp(MHD_get_version(), "0.", 2) == 0;
	return is_old && *version && version != visit->uri_at + visit->uri.bytes + 1;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *data_bytes, void **context)
{
	(void)cls, (void)connection, (void)url;
	struct visit *visit = *context;
	if (!visit)
		return MHD_NO;

	struct slice chunk = slice_from(data, *data_bytes);
	bool is_first = visit->phase == VISIT_HEAD;
	enum MHD_Result result = MHD_NO;
	switch (visit->phase) {
	case VISIT_HEAD:
		visit->phase = VISIT_BODY;
		visit->counted = true;
		atomic_fetch_add_explicit(&visit->door->requests_open, 1, memory_order_relaxed);
		arm(visit);
		visit->chunks = strcmp(version, "HTTP/1.1") == 0;
		visit->target_cut = target_is_cut(visit, version);
		return take_step(visit, visit_begin(visit, method, version), is_first, &chunk);
	case VISIT_BODY:
		result = take_step(visit, next_part(visit, &chunk), is_first, &chunk);
		break;
	case VISIT_READY:
		result = queue_reply(visit);
		break;
	case VISIT_CUT:
		result = chunk.bytes ? MHD_YES : MHD_NO;
		chunk.bytes = 0;
		break;
	case VISIT_WAIT:
		/* It is suspended, and the library calls all the same when the next chunk is here
		 * already: what is not taken comes again. */
		result = MHD_YES;
		break;
	case VISIT_QUEUED:
		break;
	}
	*data_bytes = chunk.bytes;
	return result;
}

void visit_answered(struct visit *visit)
{
	MUST(visit->phase == VISIT_WAIT);
	visit->phase = VISIT_BODY;
	arm(visit);
	enum step step = visit->next(visit);
	MUST(step == STEP_REPLY || !visit->body_ended || step == STEP_WAIT);
	if (step == STEP_WAIT) { /* it asked again, and stays suspended */
		due_disarm(&visit->due);
		visit->phase = VISIT_WAIT;
		return;
	}
	if (step == STEP_REPLY && visit->body_ended)
		visit->phase = VISIT_READY;
	else if (step == STEP_REPLY)
		visit_cut(visit);
	struct door *door = visit->door;
	MHD_resume_connection(visit->connection);
	door_ring(door);
	atomic_fetch_sub_explicit(&door->asks_open, 1, memory_order_relaxed);
}

static void notify(void *cls, struct MHD_Connection *connection, void **context,
		   enum MHD_ConnectionNotificationCode code)
{
	struct gate *gate = cls;
	struct visit *visit = *context;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		gate->connections--;
		visit_free(&visit);
		*context = NULL;
		return;
	}
	gate->connections++;
	bool is_full = gate->connections >= gate->door->config.settings->requests_max;
	if (is_full && !gate->was_full)
		metric_up(METRIC_LIMITS, LIMIT_REQUEST_CONNECTIONS);
	gate->was_full |= is_full;
	int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	if (visit_new(gate->door, gate->daemon, connection, fd, &visit) != OK)
		return; /* its request is refused by handle() */
	visit->admin = gate->admin;
	arm(visit);
	*context = visit;
}

static void *hear_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	(void)cls;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visit *visit = info ? info->socket_context : NULL;
	if (visit) {
		buf_put_text(&visit->uri, uri);
		visit->uri_at = uri;
	}
	return visit;
}

static void completed(void *cls, struct MHD_Connection *connection, void **context,
		      enum MHD_RequestTerminationCode code)
{
	(void)cls, (void)connection, (void)code;
	struct visit *visit = *context;
	if (!visit)
		return;
	visit_reset(visit);
	arm(visit);
}

/* The library's own diagnostics are no news but one: it cannot accept, and would try for ever. */
static void library_says(void *cls, const char *format, va_list args)
{
	struct gate *gate = cls;
	char text[256] = "";
	if (format)
		(void)vsnprintf(text, sizeof text, format, args);
	if (strstr(text, "resource limit")) {
		gate->was_full = true;
		door_descriptors_short(gate->door);
	} else {
		say(SAY_DEBUG, "libmicrohttpd", "says", text, NULL);
	}
}

enum err gate_open(struct gate *gate)
{
	const struct front_settings *settings = gate->door->config.settings;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_TURBO | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_ERROR_LOG;
	/* No timeout of the library's: any byte would renew it, and ours are absolute. */
	gate->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, handle, gate, MHD_OPTION_EXTERNAL_LOGGER, library_says, gate,
		MHD_OPTION_LISTEN_SOCKET, gate->listen_fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)settings->requests_max, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		settings->head_bytes_max, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_NOTIFY_CONNECTION, notify, gate, MHD_OPTION_NOTIFY_COMPLETED, completed,
		gate, MHD_OPTION_URI_LOG_CALLBACK, hear_uri, gate, MHD_OPTION_END);
	if (!gate->daemon)
		return err_note(ERR_SYSTEM, "libmicrohttpd %s did not start", MHD_get_version());
	gate->set_fd = MHD_get_daemon_info(gate->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	return OK;
}

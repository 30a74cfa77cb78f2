#include "front/read.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "front/accept.h"
#include "front/begin.h"
#include "front/caller.h"
#include "front/cors.h"
#include "front/problem.h"
#include "front/route.h"
#include "wire/name.h"

enum {
	HEAD_BYTES_MAX = 2 * REPLY_FIELDS_BYTES_MAX,
	WAIT_S_MAX = 60,
	INTERVAL_MS_MAX = 60000,
	PAGE_LIMIT_DEFAULT = 100,
};

enum offer { OFFER_SSE, OFFER_NDJSON, OFFER_PAGE, OFFER_COUNT };

static const struct slice offers[OFFER_COUNT] = {
	[OFFER_SSE] = { "text/event-stream", 17 },
	[OFFER_NDJSON] = { "application/x-ndjson", 20 },
	[OFFER_PAGE] = { "application/json", 16 },
};

struct listener {
	enum offer offer;
	bool notices, enveloped;
	uint64_t limit, wait_s, interval_ms;
	struct wanted wanted[CURSOR_STREAMS_MAX];
	size_t wanted_count;
	struct refused refused[CURSOR_STREAMS_MAX];
	size_t refused_count;
};

static enum err offer_choose(const struct headers *headers, enum offer *ret_offer)
{
	int offer = accept_choose(headers->accept, headers->accept_count, offers, OFFER_COUNT);
	if (offer < 0)
		return err_note(ERR_NOT_ACCEPTABLE, "a stream comes as text/event-stream, "
						    "application/x-ndjson or application/json");
	*ret_offer = (enum offer)offer;
	return OK;
}

static enum err listener_options(const struct visit *visit, bool enveloped_default,
				 struct listener *listener)
{
	const struct args *args = &visit->args;
	bool is_page = listener->offer == OFFER_PAGE;
	uint64_t limit_max = visit_settings(visit)->page_events_max;
	uint64_t limit_default = limit_max < PAGE_LIMIT_DEFAULT ? limit_max : PAGE_LIMIT_DEFAULT;
	if (!is_page && (args->values[ARG_LIMIT].at || args->values[ARG_WAIT].at))
		return err_note(ERR_SYNTAX, "limit and wait are for pages: ask for them with "
					    "Accept: application/json");
	if (is_page && listener->wanted_count > 1)
		return err_note(ERR_SYNTAX, "a page is of one stream: ask for each, or for "
					    "text/event-stream");
	enum err err = args_number(args, ARG_LIMIT, 1, limit_max, limit_default, &listener->limit);
	if (!err)
		err = args_number(args, ARG_WAIT, 1, WAIT_S_MAX, 0, &listener->wait_s);
	if (!err)
		err = args_number(args, ARG_INTERVAL, 0, INTERVAL_MS_MAX, 0,
				  &listener->interval_ms);
	if (!err)
		err = args_choice(args, ARG_NOTICES, "off", "on", true, &listener->notices);
	if (!err)
		err = args_choice(args, ARG_ENVELOPE, "none", "json", enveloped_default,
				  &listener->enveloped);
	if (!err && listener->offer == OFFER_SSE && !listener->enveloped &&
	    listener->wanted_count > 1)
		err = err_note(ERR_SYNTAX, "envelope=none is for one stream: without the envelope "
					   "nothing says which one an event is of");
	return err;
}

static enum err listener_read(struct visit *visit, bool enveloped_default,
			      struct listener *listener)
{
	enum err err = offer_choose(&visit->headers, &listener->offer);
	if (!err)
		err = listener_options(visit, enveloped_default, listener);
	if (!err)
		err = begin_choose(visit->headers.last_event_id, &visit->args, listener->wanted,
				   listener->wanted_count);
	return err;
}

static void put_head(const struct visit *visit, enum offer offer, struct buf *buf)
{
	struct reply head;
	reply_init(&head);
	head.status = 200;
	reply_field(&head, "Content-Type", "%s", offers[offer].at);
	reply_field(&head, "Cache-Control", "no-cache, no-transform");
	reply_field(&head, "X-Accel-Buffering", "no");
	reply_field(&head, "Connection", "close");
	/* Chunks, for some released clients read a body that only the close ends in blocks of their
	 * own, and would give out an event when the block is full. */
	if (visit->chunks)
		reply_field(&head, "Transfer-Encoding", "chunked");
	cors_fields(visit_settings(visit), visit->headers.origin, &head);
	reply_write_head(&head, buf);
	if (!buf->err)
		buf->err = head.fields.err;
	reply_fini(&head);
}

static void put_finished(const struct visit *visit, struct buf *buf)
{
	struct reply finished;
	reply_init(&finished);
	finished.status = 204;
	cors_fields(visit_settings(visit), visit->headers.origin, &finished);
	reply_write(&finished, buf);
	if (!buf->err)
		buf->err = finished.fields.err;
	reply_fini(&finished);
}

static void peer_address(const struct visit *visit, uint8_t ret_address[16])
{
	struct sockaddr_storage peer = { 0 };
	socklen_t bytes = sizeof peer;
	memset(ret_address, 0, 16);
	if (getpeername(visit->fd, (struct sockaddr *)&peer, &bytes) != 0)
		return;
	if (peer.ss_family == AF_INET6) {
		struct sockaddr_in6 v6;
		memcpy(&v6, &peer, sizeof v6);
		memcpy(ret_address, &v6.sin6_addr, 16);
	} else if (peer.ss_family == AF_INET) {
		struct sockaddr_in v4;
		memcpy(&v4, &peer, sizeof v4);
		ret_address[10] = ret_address[11] = 0xff;
		memcpy(ret_address + 12, &v4.sin_addr, 4);
	}
}

enum step read_turned_away(struct visit *visit, bool is_sse, enum err err)
{
	const struct front_settings *settings = visit_settings(visit);
	uint32_t retry_ms = loop_draw(visit->door->config.loop, settings->retry_min_ms,
				      settings->retry_max_ms);
	visit->reply.closes = true;
	if (!is_sse) {
		(void)visit_problem(visit, err);
		return STEP_REPLY;
	}
	/* Any status but 200 would make an EventSource give up for good. The comment is for people;
	 * no empty line, for some clients would take it as an event. */
	reply_reset(&visit->reply);
	visit->reply.status = 200;
	reply_field(&visit->reply, "Content-Type", "text/event-stream");
	reply_field(&visit->reply, "Cache-Control", "no-cache, no-transform");
	buf_putf(&visit->reply.body, ": %s\nretry: %u\n", err_text(err), retry_ms);
	return STEP_REPLY;
}

/* Once the socket is ours libmicrohttpd may have lost it (TAKEOVER_SWAP): what keeps it from being
 * adopted is told on our own descriptor. */
static void tell_and_close(struct visit *visit, int fd)
{
	struct world *world = visit->door->config.world;
	struct buf bytes;
	size_t sent;
	buf_init(&bytes, HEAD_BYTES_MAX);
	cors_fields(visit_settings(visit), visit->headers.origin, &visit->reply);
	reply_write(&visit->reply, &bytes);
	if (!bytes.err && world->ops->send(world, fd, buf_slice(&bytes), &sent) != OK)
		err_note_clear(); /* a peer that is gone need not be told */
	buf_fini(&bytes);
	world->ops->close(world, fd);
}

/* *ret_adopted: the engine has the socket, and the ticket's answer_arg. */
static enum step hand_over(struct visit *visit, bool is_sse, struct ticket *ticket,
			   bool *ret_adopted)
{
	struct door *door = visit->door;
	struct world *world = door->config.world;
	*ret_adopted = false;
	enum err err = engine_room(door->config.engine, ticket->address);
	if (!err)
		err = takeover_fd(visit->daemon, visit->connection, door->config.way, door->dead_fd,
				  &ticket->fd);
	if (err)
		return read_turned_away(visit, is_sse, err == ERR_SYSTEM ? ERR_TOO_MANY : err);

	world->ops->tune(world, ticket->fd, visit_settings(visit)->dead_ms);
	err = engine_adopt(door->config.engine, door->config.loop, ticket);
	*ret_adopted = !err;
	if (err) {
		(void)read_turned_away(visit, is_sse, err);
		tell_and_close(visit, ticket->fd);
	}
	return STEP_TAKEN;
}

static enum step listener_adopt(struct visit *visit, struct listener *listener)
{
	struct buf head;
	struct buf finished;
	buf_init(&head, HEAD_BYTES_MAX);
	buf_init(&finished, HEAD_BYTES_MAX);
	put_head(visit, listener->offer, &head);
	put_finished(visit, &finished);

	struct ticket ticket = {
		.fd = -1,
		.form = listener->offer == OFFER_NDJSON ? SESSION_NDJSON
			: listener->enveloped		? SESSION_SSE_ENVELOPE
							: SESSION_SSE,
		.chunked = visit->chunks,
		.notices = listener->notices,
		.wanted = listener->wanted,
		.wanted_count = listener->wanted_count,
		.interval_ms = (uint32_t)listener->interval_ms,
		.refused = listener->refused,
		.refused_count = listener->refused_count,
		.head = buf_slice(&head),
		.head_finished = buf_slice(&finished),
	};
	struct page_order *order = NULL;
	enum err err = head.err ? head.err : finished.err;
	if (!err)
		err = caller_bearer(visit, &ticket.bearer);
	if (!err && listener->offer == OFFER_PAGE) {
		err = page_order_new(visit, (uint32_t)listener->limit, &order);
		ticket.form = SESSION_ANSWER;
		ticket.wait_ms = (uint32_t)(listener->wait_s * 1000);
		ticket.answer = page_answer;
		ticket.answer_free = page_order_free;
		ticket.answer_arg = order;
	}
	peer_address(visit, ticket.address);
	bool is_sse = listener->offer == OFFER_SSE;
	bool adopted = false;
	enum step step = err ? read_turned_away(visit, is_sse, err)
			     : hand_over(visit, is_sse, &ticket, &adopted);
	if (!adopted)
		page_order_free(order);
	bearer_unref(&ticket.bearer);
	buf_fini(&head);
	buf_fini(&finished);
	return step;
}

/* Of several streams those are kept that the caller may hear; the others are told. */
static enum err listener_narrow(const struct visit *visit, struct listener *listener)
{
	size_t kept = 0;
	enum err last = OK;
	for (size_t i = 0; i < listener->wanted_count; i++) {
		struct slice name = listener->wanted[i].name;
		enum err err = caller_allow(visit, VERB_SUBSCRIBE, name);
		if (!err) {
			listener->wanted[kept++] = listener->wanted[i];
			continue;
		}
		last = err;
		listener->refused[listener->refused_count++] =
			(struct refused){ name, problem_code(err) };
	}
	listener->wanted_count = kept;
	if (!kept)
		return last;
	err_note_clear();
	return OK;
}

static enum step listener_begin(struct visit *visit, bool enveloped_default,
				struct listener *listener)
{
	enum err err = listener_narrow(visit, listener);
	if (!err)
		err = listener_read(visit, enveloped_default, listener);
	if (!err && listener->offer == OFFER_PAGE && listener->refused_count)
		err = err_note(ERR_SYNTAX, "a page is of one stream: ask for each");
	if (err)
		return visit_problem(visit, err);
	if (atomic_load_explicit(&visit->door->closing, memory_order_relaxed))
		return read_turned_away(visit, listener->offer == OFFER_SSE,
					err_note(ERR_DRAINING, "this node is going away"));
	return listener_adopt(visit, listener);
}

static enum step read_one_begin(struct visit *visit)
{
	struct listener listener = { .wanted_count = 1 };
	listener.wanted[0].name = visit_name(visit);
	return listener_begin(visit, false, &listener);
}

static enum step read_many_begin(struct visit *visit)
{
	struct listener listener = { .wanted_count = visit->args.stream_count };
	if (listener.wanted_count == 0)
		return visit_problem(visit, err_note(ERR_SYNTAX, "name the streams: "
								 "/v1/events?stream=a&stream=b"));
	for (size_t i = 0; i < listener.wanted_count; i++) {
		listener.wanted[i].name = visit->args.streams[i];
		enum err err = name_check(listener.wanted[i].name);
		if (err)
			return visit_problem(visit, err);
	}
	return listener_begin(visit, true, &listener);
}

const struct handler read_one_handler = { .args = ARGS_READ, .begin = read_one_begin };
const struct handler read_many_handler = { .args = ARGS_EVENTS, .begin = read_many_begin };

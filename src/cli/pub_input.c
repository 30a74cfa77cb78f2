/*
 * pub_input: standard input goes out as it comes, in one request that lasts as long as it does.
 *
 * Time    servers end a request that brings nothing for long, so it is renewed now and then,
 *         between events. Each renewal is an answer too: what was sent before it is safe.
 */
#include <errno.h>
#include <unistd.h>

#include "cli/pub_impl.h"

/* OK with *ret_count 0 at the end of standard input. */
static enum err read_input(char *bytes, size_t *ret_count)
{
	ssize_t count;
	do {
		count = read(STDIN_FILENO, bytes, PUB_READ_BYTES);
	} while (count < 0 && errno == EINTR);
	if (count < 0)
		return err_note(ERR_SYNTAX, "standard input: %s", strerror(errno));
	*ret_count = (size_t)count;
	return OK;
}

/* Reads until the form can be told; what was read is in *held. */
static enum err settle_form(struct pub *pub, struct buf *held)
{
	enum intake_form form = pub->form;
	if (form == INTAKE_GUESS && isatty(STDIN_FILENO)) {
		if (!pub->common.quiet)
			cli_tell(PUB_COMMAND, "each line is an event; Ctrl-D ends");
		form = INTAKE_LINES;
	}
	while (form == INTAKE_GUESS) {
		char bytes[PUB_READ_BYTES];
		size_t count;
		enum err err = read_input(bytes, &count);
		if (err == OK)
			err = buf_put(held, slice_from(bytes, count));
		if (err != OK)
			return err;
		form = intake_guess(buf_slice(held), count == 0);
	}
	if (form != INTAKE_LINES && pub->json)
		return err_note(ERR_SYNTAX, "--json is for lines; --format lines takes the input "
					    "for lines whatever it looks like");
	pub->intake.form = form;
	pub->intake.json = pub->json;
	if (form == INTAKE_LINES)
		pub->intake.idem = slice_of(pub->idem);
	return OK;
}

static enum err request_open(struct pub *pub)
{
	enum err err = pub_head(pub, intake_media_type(pub->intake.form), false);
	if (err != OK)
		return err;
	(void)buf_put_text(&pub->request, "Transfer-Encoding: chunked\r\n\r\n");
	pub->if_match = NULL; /* it speaks of where the first request begins */
	if (pub->request.err != OK)
		return pub->request.err;
	err = http_open(&pub->http, &pub->target);
	return err == OK ? http_send(&pub->http, buf_slice(&pub->request)) : err;
}

/* Sends pub->body as one chunk and empties it. */
static enum err send_chunk(struct pub *pub)
{
	if (!pub->body.bytes)
		return OK;
	buf_reset(&pub->request);
	(void)buf_putf(&pub->request, "%zx\r\n", pub->body.bytes);
	(void)buf_put(&pub->request, buf_slice(&pub->body));
	(void)buf_put_text(&pub->request, "\r\n");
	buf_reset(&pub->body);
	return pub->request.err != OK ? pub->request.err
				      : http_send(&pub->http, buf_slice(&pub->request));
}

/* -1: go on. A server that stops reading has most likely said why. */
static int request_close(struct pub *pub, enum err err)
{
	if (err == OK)
		err = http_send(&pub->http, SLICE("0\r\n\r\n"));
	if (err != OK && err != ERR_CLOSED)
		return cli_fail(PUB_COMMAND, err);
	return pub_answer(pub);
}

/* A key for the whole request counts its events from the request's begin. */
static bool may_renew(const struct pub *pub)
{
	bool is_counted = pub->idem && pub->intake.form != INTAKE_LINES;
	return pub->http.fd >= 0 && !is_counted && intake_is_between(&pub->intake);
}

enum next { NEXT_INPUT, NEXT_END, NEXT_RENEW };

/* The next piece of input into pub->body. A broken line is in *ret_broken: what stands before it
 * goes out all the same. ERR_CLOSED: the server has something to say. */
static enum err take_next(struct pub *pub, uint64_t renew_ms, enum next *ret_next,
			  enum err *ret_broken)
{
	char bytes[PUB_READ_BYTES];
	bool input_ready, server_ready;
	size_t count;

	*ret_next = NEXT_INPUT;
	enum err err =
		http_wait(&pub->http, STDIN_FILENO, may_renew(pub) ? renew_ms : HTTP_NO_DEADLINE,
			  &input_ready, &server_ready);
	if (err != OK)
		return err;
	if (server_ready)
		return ERR_CLOSED;
	if (!input_ready) {
		*ret_next = NEXT_RENEW;
		return OK;
	}
	err = read_input(bytes, &count);
	if (err == OK && count) {
		*ret_broken = intake_feed(&pub->intake, slice_from(bytes, count), &pub->body);
	} else {
		*ret_next = NEXT_END;
		*ret_broken = err != OK ? err : intake_finish(&pub->intake, &pub->body);
	}
	return OK;
}

/* From the first piece, which is in pub->body, to the end of the input. -1: all of it. */
static int pump(struct pub *pub, enum err broken)
{
	enum next next = NEXT_INPUT;
	bool is_first = true;
	uint64_t renew_ms = 0;

	for (;;) {
		enum err err = OK;
		if (broken != OK)
			cli_tell(PUB_COMMAND, "%s; what stands before it is published",
				 err_note_text());
		if (pub->http.fd < 0 && (is_first || pub->body.bytes)) {
			renew_ms = cli_now_ms() + pub->renew_ms;
			err = request_open(pub);
		}
		is_first = false;
		if (err == OK && pub->http.fd >= 0)
			err = send_chunk(pub);
		bool is_last = broken != OK || next == NEXT_END;
		if (pub->http.fd >= 0 && (err != OK || is_last || next == NEXT_RENEW)) {
			int code = request_close(pub, err);
			if (code != -1)
				return code;
		} else if (err != OK) {
			return cli_fail(PUB_COMMAND, err);
		}
		if (is_last)
			return broken != OK ? EXIT_REFUSED : -1;
		err = take_next(pub, renew_ms, &next, &broken);
		if (err != OK)
			return request_close(pub, err);
	}
}

int pub_input(struct pub *pub)
{
	struct buf held;

	pub->is_batch = true;
	buf_init(&held, PUB_READ_BYTES * 2);
	enum err broken = OK, err = settle_form(pub, &held);
	if (err == OK)
		broken = intake_feed(&pub->intake, buf_slice(&held), &pub->body);
	buf_fini(&held);
	return err == OK ? pump(pub, broken) : cli_fail(PUB_COMMAND, err);
}

/*
 * pub: publishes one event, or what standard input says for as long as it lasts, on one request.
 */
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/help.h"
#include "cli/intake.h"
#include "cli/refusal.h"
#include "wire/json.h"
#include "wire/name.h"

enum { READ_BYTES = 16384, BODY_BYTES_MAX = 16 << 20, TTL_S_MAX = 1000000000 };

static const char command[] = "tapecast pub";

enum pub_what {
	PUB_INPUT, /* standard input, until it ends */
	PUB_DATA, /* one event from the command line */
	PUB_END, /* only the stream's end */
};

struct pub {
	enum pub_what what;
	struct cli_common common;
	struct target target;
	struct http http;
	struct intake intake;
	const char *stream, *data;
	const char *type, *key, *idem, *if_match;
	uint64_t ttl_s;
	bool ephemeral, json;
	enum end_state end;
	enum intake_form form;
	struct buf request, body;
};

/* The path with what holds for the whole request. */
static enum err put_head(struct pub *pub, const char *media_type, struct slice path)
{
	request_begin(&pub->target, "POST", path, &pub->request);
	enum err err = request_header(&pub->request, "Content-Type", slice_of(media_type));
	if (err == OK && pub->what == PUB_DATA && pub->idem)
		err = request_header(&pub->request, "Idempotency-Key", slice_of(pub->idem));
	if (err == OK && pub->if_match)
		err = request_header(&pub->request, "If-Match", slice_of(pub->if_match));
	return err;
}

static void put_parameters(const struct pub *pub, struct buf *path)
{
	if (pub->type)
		request_parameter(path, "type", slice_of(pub->type));
	if (pub->key)
		request_parameter(path, "key", slice_of(pub->key));
	if (pub->ttl_s)
		(void)buf_putf(path, "%cttl=%llu", memchr(path->at, '?', path->bytes) ? '&' : '?',
			       (unsigned long long)pub->ttl_s);
	if (pub->ephemeral)
		request_parameter(path, "ephemeral", SLICE("1"));
}

static enum err begin(struct pub *pub, const char *media_type, bool parameters, bool end)
{
	struct buf path;
	buf_init(&path, READ_BYTES);
	(void)buf_putf(&path, "/v1/streams/%s", pub->stream);
	if (parameters)
		put_parameters(pub, &path);
	if (end && pub->end != END_NONE)
		request_parameter(&path, "end", slice_of(end_state_text(pub->end)));
	enum err err = path.err != OK ? path.err : put_head(pub, media_type, buf_slice(&path));
	buf_fini(&path);
	return err;
}

/* A request whose body is known. */
static enum err send_whole(struct pub *pub, struct slice body)
{
	(void)buf_putf(&pub->request, "Content-Length: %zu\r\n\r\n", body.bytes);
	(void)buf_put(&pub->request, body);
	enum err err = pub->request.err;
	if (err == OK)
		err = http_open(&pub->http, &pub->target);
	return err == OK ? http_send(&pub->http, buf_slice(&pub->request)) : err;
}

static enum err send_one(struct pub *pub)
{
	static const char as_text[] = "text/plain; charset=utf-8";
	enum err err = begin(pub, pub->json ? "application/json" : as_text, true, true);
	return err == OK ? send_whole(pub, slice_of(pub->data)) : err;
}

static enum err send_end(struct pub *pub)
{
	pub->intake.form = INTAKE_NDJSON;
	enum err err = begin(pub, intake_media_type(INTAKE_NDJSON), false, false);
	if (err == OK)
		err = intake_finish(&pub->intake, pub->end, &pub->body);
	return err == OK ? send_whole(pub, buf_slice(&pub->body)) : err;
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

/* OK with *ret_count 0 at the end of standard input. */
static enum err read_input(char *bytes, size_t *ret_count)
{
	ssize_t count;
	do {
		count = read(STDIN_FILENO, bytes, READ_BYTES);
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
		cli_tell(command, "each line is an event; Ctrl-D ends");
		form = INTAKE_LINES;
	}
	while (form == INTAKE_GUESS) {
		char bytes[READ_BYTES];
		size_t count;
		enum err err = read_input(bytes, &count);
		if (err == OK)
			err = buf_put(held, slice_from(bytes, count));
		if (err != OK)
			return err;
		form = intake_guess(buf_slice(held), count == 0);
	}
	if (form != INTAKE_LINES && (pub->type || pub->key || pub->idem || pub->json))
		return err_note(ERR_SYNTAX, "--type, --key, --json and --idempotency-key are for "
					    "lines; this input says such things itself "
					    "(--format lines takes it as lines)");
	pub->intake.form = form;
	pub->intake.type = slice_of(pub->type);
	pub->intake.key = slice_of(pub->key);
	pub->intake.idem = slice_of(pub->idem);
	pub->intake.ttl_s = pub->ttl_s;
	pub->intake.ephemeral = pub->ephemeral;
	pub->intake.json = pub->json;
	return OK;
}

/* From standard input to the server until one of them ends. */
static enum err pump(struct pub *pub)
{
	char bytes[READ_BYTES];

	for (;;) {
		bool input_ready, server_ready;
		enum err err =
			http_wait(&pub->http, STDIN_FILENO, &input_ready, &server_ready);
		if (err != OK)
			return err;
		if (server_ready) /* nothing is due before our end: it is a refusal */
			return ERR_CLOSED;
		if (!input_ready)
			continue;
		size_t count;
		err = read_input(bytes, &count);
		if (err != OK || !count)
			return err;
		/* What stands before a broken line goes out, also when the line is refused. */
		enum err broken = intake_feed(&pub->intake, slice_from(bytes, count), &pub->body);
		err = send_chunk(pub);
		if (broken != OK || err != OK)
			return broken != OK ? broken : err;
	}
}

static enum err send_input(struct pub *pub, enum err *ret_broken)
{
	struct buf held;
	buf_init(&held, READ_BYTES * 2);
	enum err err = settle_form(pub, &held);
	enum intake_form form = pub->intake.form;

	if (err == OK)
		err = begin(pub, intake_media_type(form), form != INTAKE_LINES, form == INTAKE_SSE);
	if (err == OK) {
		(void)buf_put_text(&pub->request, "Transfer-Encoding: chunked\r\n\r\n");
		err = pub->request.err;
	}
	if (err == OK)
		err = http_open(&pub->http, &pub->target);
	if (err == OK)
		err = http_send(&pub->http, buf_slice(&pub->request));
	if (err == OK) {
		*ret_broken = intake_feed(&pub->intake, buf_slice(&held), &pub->body);
		err = send_chunk(pub);
	}
	buf_fini(&held);
	if (err == OK && *ret_broken == OK) {
		err = pump(pub);
		if (err == ERR_SYNTAX || err == ERR_UTF8 || err == ERR_TOO_BIG) {
			*ret_broken = err;
			err = OK;
		}
	}
	if (err == OK && *ret_broken == OK)
		*ret_broken = intake_finish(&pub->intake, pub->end, &pub->body);
	if (*ret_broken != OK)
		cli_tell(command, "%s; what stands before it is published", err_note_text());
	if (err == OK)
		err = send_chunk(pub);
	return err == OK ? http_send(&pub->http, SLICE("0\r\n\r\n")) : err;
}

/* The id on standard output; of many, the last, and how many on standard error. */
static int show_answer(struct pub *pub, struct slice body)
{
	struct json_value answer, value, id = { 0 }, count = { 0 };
	struct slice name;
	uint64_t number = 1;

	if (json_check(body, &answer) != OK || answer.kind != JSON_OBJECT) {
		cli_tell(command, "the server's answer is not JSON");
		return EXIT_REFUSED;
	}
	for (size_t at = 0; json_next(answer, &at, &name, &value);) {
		if (json_name_is(name, "id") || json_name_is(name, "last"))
			id = value;
		else if (json_name_is(name, "count"))
			count = value;
	}
	buf_reset(&pub->body);
	if (id.text.bytes && id.kind == JSON_STRING && json_string(id, &pub->body) == OK) {
		(void)buf_put_byte(&pub->body, '\n');
		if (cli_print(buf_slice(&pub->body)) != OK)
			return cli_fail(command, ERR_CLOSED);
	}
	if (count.text.bytes && json_u64(count, &number) == OK && !pub->common.quiet)
		cli_tell(command, "%llu event%s published to %s", (unsigned long long)number,
			 number == 1 ? "" : "s", pub->stream);
	return EXIT_FINE;
}

static int read_answer(struct pub *pub)
{
	uint64_t deadline_ms = cli_now_ms() + HTTP_ANSWER_MS;
	enum err err = http_head(&pub->http, false, deadline_ms);
	if (err != OK)
		return cli_fail(command, err);
	if (pub->http.answer.status < 200 || pub->http.answer.status > 299)
		return refusal_tell(command, &pub->http);

	struct buf body;
	buf_init(&body, REFUSAL_BYTES_MAX);
	err = http_body_all(&pub->http, deadline_ms, &body);
	int code = err == OK ? show_answer(pub, buf_slice(&body)) : cli_fail(command, err);
	buf_fini(&body);
	return code;
}

static int publish(struct pub *pub)
{
	enum err broken = OK, err;

	if (pub->what == PUB_DATA)
		err = send_one(pub);
	else if (pub->what == PUB_END)
		err = send_end(pub);
	else
		err = send_input(pub, &broken);

	/* A server that stops reading has most likely said why. */
	if (err != OK && err != ERR_CLOSED)
		return cli_fail(command, err);
	int code = read_answer(pub);
	return code == EXIT_FINE && broken != OK ? EXIT_REFUSED : code;
}

enum {
	OPTION_TTL = OPTION_OWN,
	OPTION_EPHEMERAL,
	OPTION_END,
	OPTION_IDEM,
	OPTION_IF_MATCH,
	OPTION_FORMAT,
	OPTION_JSON,
};

static const struct option options[] = {
	{ "type", required_argument, NULL, 't' },
	{ "key", required_argument, NULL, 'k' },
	{ "ttl", required_argument, NULL, OPTION_TTL },
	{ "ephemeral", no_argument, NULL, OPTION_EPHEMERAL },
	{ "end", required_argument, NULL, OPTION_END },
	{ "idempotency-key", required_argument, NULL, OPTION_IDEM },
	{ "if-match", required_argument, NULL, OPTION_IF_MATCH },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "json", no_argument, NULL, OPTION_JSON },
	CLI_COMMON_LONG,
	{ NULL, 0, NULL, 0 },
};

static enum err take_own(struct pub *pub, int option, const char *value)
{
	switch (option) {
	case 't':
		pub->type = value;
		return type_check(slice_of(value));
	case 'k':
		pub->key = value;
		return key_check(slice_of(value));
	case OPTION_TTL:
		return cli_number(value, 1, TTL_S_MAX, &pub->ttl_s);
	case OPTION_EPHEMERAL:
		pub->ephemeral = true;
		return OK;
	case OPTION_END:
		return end_state_parse(slice_of(value), &pub->end);
	case OPTION_IDEM:
		pub->idem = value;
		return idem_check(slice_of(value));
	case OPTION_IF_MATCH:
		pub->if_match = value;
		return OK;
	case OPTION_FORMAT:
		return intake_form_parse(value, &pub->form);
	default:
		pub->json = true;
		return OK;
	}
}

/* What the options mean together; -1: fine, else the exit code. */
static int settle(struct pub *pub, int count, char **operands)
{
	if (count < 1)
		return cli_usage(command, "which stream?");
	if (count > 2)
		return cli_usage(command, "more than one DATA: put it in quotes");
	pub->stream = operands[0];
	pub->data = count == 2 ? operands[1] : NULL;
	if (name_check(slice_of(pub->stream)) != OK)
		return cli_usage(command, "%s", err_note_text());

	if (pub->data && strcmp(pub->data, "-") != 0)
		pub->what = PUB_DATA;
	else if (!pub->data && pub->end != END_NONE)
		pub->what = PUB_END;
	if (pub->what != PUB_INPUT && pub->form != INTAKE_GUESS)
		return cli_usage(command, "--format is for standard input (DATA is -)");
	if (pub->what != PUB_DATA && pub->if_match)
		return cli_usage(command, "--if-match is for one event given as DATA");
	if (pub->what == PUB_END && (pub->type || pub->key || pub->ttl_s || pub->ephemeral ||
				     pub->idem || pub->json))
		return cli_usage(command, "an end without DATA takes no other option of an event");
	if (pub->ephemeral && (pub->ttl_s || pub->end != END_NONE))
		return cli_usage(command, "an ephemeral event is not kept: no --ttl, no --end");
	return -1;
}

/* -1: go on, else the exit code. */
static int read_options(struct pub *pub, int argc, char **argv)
{
	int option;
	while ((option = getopt_long(argc, argv, CLI_COMMON_SHORT "t:k:", options, NULL)) != -1) {
		if (option == 'h')
			return help_print(help_pub);
		if (option == '?')
			return cli_usage(command, NULL);
		if (cli_common_take(&pub->common, option, optarg))
			continue;
		if (take_own(pub, option, optarg) != OK)
			return cli_usage(command, "%s", err_note_text());
	}
	int code = settle(pub, argc - optind, argv + optind);
	if (code == -1 && target_init(&pub->target, &pub->common) != OK)
		return cli_usage(command, "%s", err_note_text());
	return code;
}

int pub_main(int argc, char **argv)
{
	struct pub pub = { .what = PUB_INPUT };
	buf_init(&pub.request, BODY_BYTES_MAX + READ_BYTES);
	buf_init(&pub.body, BODY_BYTES_MAX);
	http_init(&pub.http);
	intake_init(&pub.intake);

	int code = read_options(&pub, argc, argv);
	if (code == -1)
		code = publish(&pub);

	intake_fini(&pub.intake);
	http_fini(&pub.http);
	buf_fini(&pub.body);
	buf_fini(&pub.request);
	target_fini(&pub.target);
	return code;
}

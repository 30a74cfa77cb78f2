/*
 * pub: publishes one event, the end of a stream, or what standard input says.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/help.h"
#include "cli/pub_impl.h"
#include "cli/refusal.h"
#include "wire/json.h"
#include "wire/name.h"

enum { RENEW_MS = 60000, PATH_BYTES_MAX = 4096, TTL_S_MAX = 1000000000 };

static void put_path(const struct pub *pub, bool end, struct buf *path)
{
	char ttl[24];

	(void)buf_putf(path, "/v1/streams/%s", pub->stream);
	if (pub->type)
		request_parameter(path, "type", slice_of(pub->type));
	if (pub->key)
		request_parameter(path, "key", slice_of(pub->key));
	(void)snprintf(ttl, sizeof ttl, "%" PRIu64, pub->ttl_s);
	if (pub->ttl_s)
		request_parameter(path, "ttl", slice_of(ttl));
	if (pub->ephemeral)
		request_parameter(path, "ephemeral", SLICE("1"));
	if (end && pub->end != END_NONE)
		request_parameter(path, "end", slice_of(end_state_text(pub->end)));
}

enum err pub_head(struct pub *pub, const char *media_type, bool end)
{
	struct buf path;
	buf_init(&path, PATH_BYTES_MAX);
	put_path(pub, end, &path);
	buf_reset(&pub->request);
	request_begin(&pub->target, "POST", buf_slice(&path), &pub->request);
	enum err err = path.err;
	buf_fini(&path);

	if (err == OK && media_type)
		err = request_header(&pub->request, "Content-Type", slice_of(media_type));
	/* Lines have each a key of their own. */
	if (err == OK && pub->idem && pub->intake.form != INTAKE_LINES)
		err = request_header(&pub->request, "Idempotency-Key", slice_of(pub->idem));
	if (err == OK && pub->if_match)
		err = request_header(&pub->request, "If-Match", slice_of(pub->if_match));
	return err;
}

enum err pub_send_whole(struct pub *pub, struct slice body)
{
	(void)buf_putf(&pub->request, "Content-Length: %zu\r\n\r\n", body.bytes);
	(void)buf_put(&pub->request, body);
	enum err err = pub->request.err;
	if (err == OK)
		err = http_open(&pub->http, &pub->target);
	return err == OK ? http_send(&pub->http, buf_slice(&pub->request)) : err;
}

/* {"stream","id"}, or of many {"stream","first","last","count"}. */
static int note_answer(struct pub *pub, struct slice body)
{
	struct json_value answer, value;
	struct slice name;
	uint64_t count = 1;

	if (json_check(body, &answer) != OK || answer.kind != JSON_OBJECT) {
		cli_tell(PUB_COMMAND, "the server's answer is not what tapecast says");
		return EXIT_REFUSED;
	}
	for (size_t at = 0; json_next(answer, &at, &name, &value);) {
		bool is_id = json_name_is(name, "id") || json_name_is(name, "last");
		if (is_id && value.kind == JSON_STRING) {
			buf_reset(&pub->last_id);
			if (json_string(value, &pub->last_id) != OK)
				err_note_clear();
		} else if (json_name_is(name, "count") && json_u64(value, &count) != OK) {
			err_note_clear();
		}
	}
	pub->count += count;
	return -1;
}

int pub_answer(struct pub *pub)
{
	uint64_t deadline_ms = cli_now_ms() + HTTP_ANSWER_MS;
	struct buf body;
	int code;

	enum err err = http_head(&pub->http, false, deadline_ms);
	if (err != OK)
		return cli_fail(PUB_COMMAND, err);
	if (pub->http.answer.status < 200 || pub->http.answer.status > 299) {
		buf_reset(&pub->last_id); /* it is not the last any more */
		return refusal_tell(PUB_COMMAND, &pub->http);
	}

	buf_init(&body, REFUSAL_BYTES_MAX);
	err = http_body_all(&pub->http, deadline_ms, &body);
	code = err == OK ? note_answer(pub, buf_slice(&body)) : cli_fail(PUB_COMMAND, err);
	buf_fini(&body);
	http_close(&pub->http);
	return code;
}

static int send_and_answer(struct pub *pub, enum err err, struct slice body)
{
	if (err == OK)
		err = pub_send_whole(pub, body);
	/* A server that stops reading has most likely said why. */
	if (err != OK && err != ERR_CLOSED)
		return cli_fail(PUB_COMMAND, err);
	return pub_answer(pub);
}

static int send_one(struct pub *pub)
{
	static const char as_text[] = "text/plain; charset=utf-8";
	enum err err = pub_head(pub, pub->json ? "application/json" : as_text, true);
	return send_and_answer(pub, err, slice_of(pub->data));
}

/* The end goes alone, and only after all that comes before it is known to be published. */
static int send_end(struct pub *pub)
{
	struct pub alone = { .target = pub->target,
			     .stream = pub->stream,
			     .end = pub->end,
			     .if_match = pub->if_match };
	buf_init(&alone.request, PATH_BYTES_MAX + REQUEST_HEAD_BYTES_MAX);
	buf_init(&alone.last_id, PATH_BYTES_MAX);
	http_init(&alone.http);
	int code = send_and_answer(&alone, pub_head(&alone, NULL, true), SLICE(""));
	if (pub->what == PUB_END)
		(void)buf_put(&pub->last_id, buf_slice(&alone.last_id));
	http_fini(&alone.http);
	buf_fini(&alone.last_id);
	buf_fini(&alone.request);
	return code;
}

/* The last event's id on standard output; of many, how many on standard error. */
static int show_result(struct pub *pub)
{
	if (pub->is_batch && !pub->common.quiet)
		cli_tell(PUB_COMMAND, "%" PRIu64 " event%s published to %s", pub->count,
			 pub->count == 1 ? "" : "s", pub->stream);
	if (!pub->last_id.bytes)
		return EXIT_FINE;
	(void)buf_put_byte(&pub->last_id, '\n');
	enum err err =
		pub->last_id.err != OK ? pub->last_id.err : cli_print(buf_slice(&pub->last_id));
	return err == OK ? EXIT_FINE : cli_fail(PUB_COMMAND, err);
}

static int publish(struct pub *pub)
{
	int code = -1;

	if (pub->what == PUB_DATA)
		code = send_one(pub);
	else if (pub->what == PUB_INPUT)
		code = pub_input(pub);
	if (code == -1 && pub->what != PUB_DATA && pub->end != END_NONE)
		code = send_end(pub);
	/* What was published before a refusal is worth knowing, too. */
	int shown = code == -1 || pub->count ? show_result(pub) : -1;
	return code == -1 ? shown : code;
}

enum {
	OPTION_TTL = OPTION_OWN,
	OPTION_EPHEMERAL,
	OPTION_END,
	OPTION_IDEM,
	OPTION_IF_MATCH,
	OPTION_FORMAT,
	OPTION_JSON,
	OPTION_RENEW,
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
	{ "renew", required_argument, NULL, OPTION_RENEW },
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
	case OPTION_RENEW:
		return cli_seconds(value, &pub->renew_ms);
	default:
		pub->json = true;
		return OK;
	}
}

/* What the options mean together; -1: fine, else the exit code. */
static int settle(struct pub *pub, int count, char **operands)
{
	if (count < 1)
		return cli_usage(PUB_COMMAND, "which stream?");
	if (count > 2)
		return cli_usage(PUB_COMMAND, "more than one DATA: put it in quotes");
	pub->stream = operands[0];
	pub->data = count == 2 ? operands[1] : NULL;
	if (name_check(slice_of(pub->stream)) != OK)
		return cli_usage(PUB_COMMAND, "%s", err_note_text());

	if (pub->data && strcmp(pub->data, "-") != 0)
		pub->what = PUB_DATA;
	else if (!pub->data && pub->end != END_NONE)
		pub->what = PUB_END;
	if (pub->what != PUB_INPUT && pub->form != INTAKE_GUESS)
		return cli_usage(PUB_COMMAND, "--format is for standard input (DATA is -)");
	if (pub->what == PUB_END &&
	    (pub->type || pub->key || pub->ttl_s || pub->ephemeral || pub->idem || pub->json))
		return cli_usage(PUB_COMMAND,
				 "an end without DATA takes no other option of an event");
	if (pub->ephemeral && (pub->ttl_s || pub->end != END_NONE))
		return cli_usage(PUB_COMMAND, "an ephemeral event is not kept: no --ttl, no --end");
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
			return cli_usage(PUB_COMMAND, NULL);
		if (cli_common_take(&pub->common, option, optarg))
			continue;
		if (take_own(pub, option, optarg) != OK)
			return cli_usage(PUB_COMMAND, "%s", err_note_text());
	}
	int code = settle(pub, argc - optind, argv + optind);
	if (code == -1 && target_init(&pub->target, &pub->common) != OK)
		return cli_usage(PUB_COMMAND, "%s", err_note_text());
	return code;
}

int pub_main(int argc, char **argv)
{
	struct pub pub = { .what = PUB_INPUT, .renew_ms = RENEW_MS };
	buf_init(&pub.request, PUB_BODY_BYTES_MAX + REQUEST_HEAD_BYTES_MAX);
	buf_init(&pub.body, PUB_BODY_BYTES_MAX);
	buf_init(&pub.last_id, PATH_BYTES_MAX);
	http_init(&pub.http);
	intake_init(&pub.intake);

	int code = read_options(&pub, argc, argv);
	if (code == -1)
		code = publish(&pub);

	intake_fini(&pub.intake);
	http_fini(&pub.http);
	buf_fini(&pub.last_id);
	buf_fini(&pub.body);
	buf_fini(&pub.request);
	target_fini(&pub.target);
	return code;
}

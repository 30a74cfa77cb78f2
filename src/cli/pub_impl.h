/*
 * pub_impl: what the two files of `pub` share: the command's state, and a request's begin and end.
 */
#ifndef TAPECAST_CLI_PUB_IMPL_H
#define TAPECAST_CLI_PUB_IMPL_H

#include "cli/cli.h"
#include "cli/http.h"
#include "cli/intake.h"
#include "wire/draft.h"

#define PUB_COMMAND "tapecast pub"

enum { PUB_READ_BYTES = 16384, PUB_BODY_BYTES_MAX = 16 << 20 };

enum pub_what {
	PUB_INPUT, /* standard input, until it ends */
	PUB_DATA,  /* one event from the command line */
	PUB_END,   /* only the stream's end */
};

struct pub {
	enum pub_what what;
	struct cli_common common;
	struct target target;
	struct http http;
	struct intake intake;
	const char *stream, *data;
	const char *type, *key, *idem, *if_match;
	uint64_t ttl_s, renew_ms;
	bool ephemeral, json;
	enum end_state end;
	enum intake_form form;
	struct buf request, body;
	/* What the answers said. */
	struct buf last_id;
	uint64_t count;
	bool is_batch; /* there may be more than one event */
};

/* Puts the request's head into pub->request, all but its framing. `end`: the event is the last. */
enum err pub_head(struct pub *pub, const char *media_type, bool end) ERR_CHECKED;
/* Sends pub->request with this body. */
enum err pub_send_whole(struct pub *pub, struct slice body) ERR_CHECKED;
/* Reads the answer and closes. -1: published, and noted; else the exit code, and why is told. */
int pub_answer(struct pub *pub);

/* Publishes standard input. -1: all of it; else the exit code. */
int pub_input(struct pub *pub);

#endif

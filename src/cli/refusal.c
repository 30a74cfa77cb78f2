#include "cli/refusal.h"

#include <inttypes.h>

#include "cli/cli.h"
#include "wire/json.h"

enum { BODY_SHOWN_MAX = 600 };

static const char *hint(unsigned status)
{
	switch (status) {
	case 401:
		return "give a token with --token, --token-file or TAPECAST_TOKEN";
	case 403:
		return "the token is good, but it does not allow this";
	case 404:
		return "is --url the address of a tapecast server?";
	case 412:
		return "somebody published in between: read the stream, then decide again";
	default:
		return NULL;
	}
}

/* A string member's characters; nothing if there is none. */
static void put_member(struct json_value problem, const char *wanted, struct buf *buf)
{
	struct slice name;
	struct json_value value;
	for (size_t at = 0; json_next(problem, &at, &name, &value);) {
		if (!json_name_is(name, wanted) || value.kind != JSON_STRING)
			continue;
		if (json_string(value, buf) != OK)
			(void)buf_put(buf, value.text);
		return;
	}
}

/* "title: detail", or the detail alone if it begins with the title. */
static void put_title_and_detail(struct json_value problem, struct buf *words)
{
	struct buf title;
	buf_init(&title, REFUSAL_BYTES_MAX);
	put_member(problem, "title", &title);
	put_member(problem, "detail", words);
	if (!words->bytes) {
		(void)buf_put(words, buf_slice(&title));
	} else if (!slice_starts(buf_slice(words), buf_slice(&title))) {
		(void)buf_put_text(&title, ": ");
		(void)buf_put(&title, buf_slice(words));
		buf_reset(words);
		(void)buf_put(words, buf_slice(&title));
	}
	buf_fini(&title);
}

/* Of a long request: what stands although the rest was refused. */
static void put_published(struct json_value problem, struct buf *buf)
{
	struct slice name;
	struct json_value value;
	uint64_t count;
	for (size_t at = 0; json_next(problem, &at, &name, &value);) {
		if (json_name_is(name, "published") && json_u64(value, &count) == OK)
			(void)buf_putf(buf, " (%" PRIu64 " before it published)", count);
	}
}

/* What a server sends goes to a terminal: no control characters. */
static void put_clean(struct slice text, struct buf *buf)
{
	for (size_t i = 0; i < text.bytes && i < BODY_SHOWN_MAX; i++) {
		unsigned char byte = (unsigned char)text.at[i];
		(void)buf_put_byte(buf, byte < ' ' || byte == 0x7f ? ' ' : (char)byte);
	}
}

void refusal_words(const struct answer *answer, struct slice body, struct buf *buf)
{
	struct json_value problem;

	(void)buf_putf(buf, "the server says %u", answer->status);
	if (json_check(body, &problem) == OK && problem.kind == JSON_OBJECT) {
		struct buf words;
		buf_init(&words, REFUSAL_BYTES_MAX);
		put_title_and_detail(problem, &words);
		(void)buf_put_text(buf, words.bytes ? ": " : "");
		put_clean(buf_slice(&words), buf);
		put_published(problem, buf);
		buf_fini(&words);
	} else if (body.bytes) {
		(void)buf_put_text(buf, ": ");
		put_clean(body, buf);
	}
	err_note_clear();
}

int refusal_tell(const char *command, struct http *http)
{
	struct buf body, words;
	buf_init(&body, REFUSAL_BYTES_MAX);
	buf_init(&words, REFUSAL_BYTES_MAX);

	if (http_body_all(http, cli_now_ms() + HTTP_ANSWER_MS, &body) != OK)
		err_note_clear(); /* what has come so far will do */
	refusal_words(&http->answer, buf_slice(&body), &words);
	cli_tell(command, "%.*s", (int)words.bytes, words.at);
	if (hint(http->answer.status))
		cli_tell(command, "hint: %s", hint(http->answer.status));
	if (http->answer.has_retry_after)
		cli_tell(command, "hint: try again in %llu s",
			 (unsigned long long)http->answer.retry_after_s);

	buf_fini(&body);
	buf_fini(&words);
	unsigned status = http->answer.status;
	return status == 429 || (status >= 502 && status <= 504) ? EXIT_UNAVAILABLE : EXIT_REFUSED;
}

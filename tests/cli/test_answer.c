#include "cli/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static int gives_back_all_memory(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

/* The whole of it, `step` bytes at a time: the state at the end, and the body in *body. */
static enum err read_in_steps(const char *text, size_t step, struct answer *answer,
			      struct buf *body)
{
	struct slice all = slice_of(text), seen = { all.at, 0 };
	enum err err = ERR_AGAIN;

	while (err == ERR_AGAIN && seen.bytes < all.bytes) {
		seen.bytes += all.bytes - seen.bytes < step ? all.bytes - seen.bytes : step;
		struct slice head = seen;
		err = answer_head(&head, false, answer);
		if (err == OK)
			all = slice_from(head.at, (size_t)(all.at + all.bytes - head.at));
	}
	while (err == OK || err == ERR_AGAIN) {
		struct slice part = slice_from(all.at, all.bytes < step ? all.bytes : step), piece;
		size_t taken = part.bytes;
		while ((err = answer_body(answer, &part, &piece)) == OK)
			assert_int_equal(buf_put(body, piece), OK);
		if (err == ERR_AGAIN && !taken)
			return ERR_AGAIN;
		all = slice_from(all.at + taken, all.bytes - taken);
	}
	return err;
}

static void check_body(const char *text, enum err wanted, const char *wanted_body)
{
	for (size_t step = 1; step <= strlen(text); step++) {
		struct answer answer;
		struct buf body;
		buf_init(&body, 1000);
		assert_int_equal(read_in_steps(text, step, &answer, &body), wanted);
		assert_int_equal(answer.status, 200);
		assert_true(slice_equal(buf_slice(&body), slice_of(wanted_body)));
		assert_int_equal(answer_whole_at_end(&answer),
				 wanted == ERR_CLOSED || answer.state == ANSWER_TO_CLOSE);
		buf_fini(&body);
	}
}

static void a_body_comes_out_without_its_framing_however_it_is_cut(void **state)
{
	(void)state;
	check_body("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ERR_CLOSED, "hello");
	check_body("HTTP/1.1 200 OK\nContent-Length: 0\n\n", ERR_CLOSED, "");
	check_body("HTTP/1.1 200 OK\r\n\r\nuntil the end", ERR_AGAIN, "until the end");
	check_body("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n"
		   "b;name=\"x\"\r\n, big world\r\n0\r\n\r\n",
		   ERR_CLOSED, "hello, big world");
	check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
		   "A: trailer\r\nB: another\r\n\r\n",
		   ERR_CLOSED, "x");
	/* With both, the chunks hold: RFC 9112, 6.3. */
	check_body("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "2\r\nab\r\n0\r\n\r\n",
		   ERR_CLOSED, "ab");
}

static void a_body_that_is_cut_is_not_whole(void **state)
{
	(void)state;
	check_body("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", ERR_AGAIN, "hello");
	check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", ERR_AGAIN,
		   "hel");
	check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", ERR_AGAIN,
		   "x");
	check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
		   ERR_AGAIN, "x");
}

static void broken_chunks_are_refused(void **state)
{
	(void)state;
	check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello", ERR_SYNTAX, "");
	check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", ERR_SYNTAX, "");
	check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy", ERR_SYNTAX, "x");
	check_body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff", ERR_SYNTAX,
		   "");
}

static void a_head_tells_what_matters(void **state)
{
	(void)state;
	struct answer answer;
	struct slice text =
		SLICE("HTTP/1.1 503 Service Unavailable\r\nRETRY-AFTER:  7\r\n"
		      "Content-Type: application/problem+json; charset=utf-8\r\n\r\nrest");
	assert_int_equal(answer_head(&text, false, &answer), OK);
	assert_true(slice_equal(text, SLICE("rest")));
	assert_int_equal(answer.status, 503);
	assert_true(answer.has_retry_after);
	assert_int_equal(answer.retry_after_s, 7);
	assert_string_equal(answer.type, "application/problem+json");
}

static bool keeps_open(const char *head)
{
	struct answer answer;
	struct slice text = slice_of(head);
	assert_int_equal(answer_head(&text, false, &answer), OK);
	return answer.keeps_open;
}

static void a_connection_is_kept_only_if_that_is_sure(void **state)
{
	(void)state;
	assert_true(keeps_open("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"));
	assert_true(keeps_open("HTTP/1.1 204 No Content\r\n\r\n"));
	assert_false(keeps_open("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n"));
	assert_false(
		keeps_open("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Close\r\n\r\n"));
	assert_false(keeps_open("HTTP/1.1 200 OK\r\n\r\n"));
}

static void some_answers_have_no_body_whatever_they_say(void **state)
{
	(void)state;
	static const char *const heads[] = { "HTTP/1.1 204 X\r\nContent-Length: 9\r\n\r\n",
					     "HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n",
					     "HTTP/1.1 100 X\r\n\r\n" };
	for (size_t i = 0; i < 3; i++) {
		struct answer answer;
		struct slice text = slice_of(heads[i]), piece;
		assert_int_equal(answer_head(&text, false, &answer), OK);
		assert_int_equal(answer_body(&answer, &text, &piece), ERR_CLOSED);
	}
	struct answer answer;
	struct slice text = SLICE("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n"), piece;
	assert_int_equal(answer_head(&text, true, &answer), OK);
	assert_int_equal(answer_body(&answer, &text, &piece), ERR_CLOSED);
}

static void what_is_not_http_is_refused(void **state)
{
	(void)state;
	static const char *const heads[] = {
		"SSH-2.0-OpenSSH\r\n\r\n",
		"HTTP/2 200\r\n\r\n",
		"HTTP/1.1 20\r\n\r\n",
		"HTTP/1.1 000 X\r\n\r\n",
		"HTTP/1.1 200 X\r\nno colon\r\n\r\n",
		"HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 X\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 X\r\nTransfer-Encoding: gzip\r\n\r\n",
		"\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct answer answer;
		struct slice text = slice_of(heads[i]);
		assert_int_equal(answer_head(&text, false, &answer), ERR_SYNTAX);
		assert_true(err_note_text()[0]);
	}
}

static void a_head_without_end_is_refused_in_time(void **state)
{
	(void)state;
	static char head[ANSWER_HEAD_BYTES_MAX];
	struct answer answer;
	struct slice text = { head, sizeof head - 1 };

	memset(head, 'x', sizeof head);
	assert_int_equal(answer_head(&text, false, &answer), ERR_AGAIN);
	text.bytes++;
	assert_int_equal(answer_head(&text, false, &answer), ERR_TOO_BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_comes_out_without_its_framing_however_it_is_cut),
		cmocka_unit_test(a_body_that_is_cut_is_not_whole),
		cmocka_unit_test(broken_chunks_are_refused),
		cmocka_unit_test(a_head_tells_what_matters),
		cmocka_unit_test(a_connection_is_kept_only_if_that_is_sure),
		cmocka_unit_test(some_answers_have_no_body_whatever_they_say),
		cmocka_unit_test(what_is_not_http_is_refused),
		cmocka_unit_test(a_head_without_end_is_refused_in_time),
	};
	return cmocka_run_group_tests_name("answer", tests, NULL, gives_back_all_memory);
}

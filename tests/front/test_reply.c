/*
 * reply and problem: answers before they are bytes.
 */
#include "front/problem.h"

#include "support.h"
#include "wire/json.h"

static void an_answer_is_written_out(void **state)
{
	(void)state;
	struct reply reply;
	struct buf bytes;
	reply_init(&reply);
	buf_init(&bytes, 1024);
	reply.status = 201;
	reply_field(&reply, "A", "%s-%d", "b", 1);
	reply_field(&reply, "C", "%s", "");
	buf_put_text(&reply.body, "body");
	reply_write(&reply, &bytes);
	assert_slice(buf_slice(&bytes), "HTTP/1.1 201 Created\r\nA: b-1\r\nC: \r\n"
					"Content-Length: 4\r\nConnection: close\r\n\r\nbody");
	buf_reset(&bytes);
	reply.fixed = SLICE("longer");
	reply_write(&reply, &bytes);
	assert_non_null(memmem(bytes.at, bytes.bytes, "Content-Length: 6", 17));
	for (unsigned status = 204; status <= 304; status += 100) {
		buf_reset(&bytes);
		reply_reset(&reply);
		reply.status = status;
		reply_write(&reply, &bytes);
		assert_null(memmem(bytes.at, bytes.bytes, "Content-Length", 14));
	}
	buf_fini(&bytes);
	reply_fini(&reply);
}

static void what_does_not_fit_breaks_it(void **state)
{
	(void)state;
	struct reply reply;
	reply_init(&reply);
	char value[1024];
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	reply_field(&reply, "A", "%s", value);
	assert_false(reply_is_broken(&reply));
	reply_field(&reply, "A", "%s!", value);
	assert_true(reply_is_broken(&reply));
	reply_reset(&reply);
	assert_false(reply_is_broken(&reply));
	for (int i = 0; i < 5; i++)
		reply_field(&reply, "A", "%s", value);
	assert_true(reply_is_broken(&reply));
	reply_fini(&reply);
}

static void assert_problem_is_json(const struct reply *reply)
{
	struct json_value whole;
	assert_int_equal(json_check(reply_body(reply), &whole), OK);
	assert_int_equal(whole.kind, JSON_OBJECT);
}

static void every_error_is_a_problem(void **state)
{
	(void)state;
	struct reply reply;
	reply_init(&reply);
	for (enum err err = OK + 1; err < ERR_COUNT; err++) {
		err_note_clear();
		problem_reply(&reply, err);
		assert_in_range(reply.status, 400, 507);
		assert_int_equal(reply.status, problem_status(err));
		assert_problem_is_json(&reply);
		assert_non_null(memmem(reply.body.at, reply.body.bytes, problem_code(err),
				       strlen(problem_code(err))));
		/* what the client may blame itself for is told apart from what it may not */
		assert_string_not_equal(reply_reason(reply.status), "Other");
	}
	problem_reply_late(&reply, "late");
	assert_int_equal(reply.status, 408);
	assert_problem_is_json(&reply);
	reply_fini(&reply);
}

static void a_note_that_is_cut_inside_a_character_stays_json(void **state)
{
	(void)state;
	const char *const notes[] = {
		"\xc3", "a\xc3", "\xe2\x82", "\xf0\x9f\x93", "\xff\xfe", "x\xc3\"y", "\x80\x80",
		"ä€\xf0\x9f\x93\xbc", "\xed\xa0\x80", "\"\\\n\x01",
	};
	struct reply reply;
	reply_init(&reply);
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		problem_reply(&reply, err_note(ERR_SYNTAX, "%s", notes[i]));
		assert_problem_is_json(&reply);
	}
	assert_non_null(memmem(reply.body.at, reply.body.bytes, "\\\"\\\\\\n", 6));
	for (int length = 240; length < 260; length++) {
		char text[300] = "";
		for (int i = 0; i < length / 2; i++)
			memcpy(text + 2 * i + length % 2, "\xc3\xa4", 3);
		text[0] = 'x';
		problem_reply(&reply, err_note(ERR_SYNTAX, "%s", text));
		assert_problem_is_json(&reply);
	}
	reply_fini(&reply);
}

static void no_memory_makes_it_broken_and_no_worse(void **state)
{
	(void)state;
	struct reply reply;
	for (long n = 0; n < 3; n++) {
		reply_init(&reply);
		mem_fail_after(n);
		problem_reply(&reply, ERR_NOMEM);
		mem_fail_after(-1);
		reply_fini(&reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_written_out),
		TEST(what_does_not_fit_breaks_it),
		TEST(every_error_is_a_problem),
		TEST(a_note_that_is_cut_inside_a_character_stays_json),
		TEST(no_memory_makes_it_broken_and_no_worse),
	};
	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}

#include "cli/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"

static int gives_back_all_memory(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

static void the_form_is_told_as_early_as_it_can_be(void **state)
{
	(void)state;
	static const struct {
		const char *first;
		enum intake_form more, all;
	} rows[] = {
		{ "", INTAKE_GUESS, INTAKE_LINES },
		{ "d", INTAKE_GUESS, INTAKE_LINES },
		{ "data", INTAKE_GUESS, INTAKE_LINES },
		{ "data:", INTAKE_SSE, INTAKE_SSE },
		{ "dab", INTAKE_LINES, INTAKE_LINES },
		{ "event:", INTAKE_SSE, INTAKE_SSE },
		{ "id:7", INTAKE_SSE, INTAKE_SSE },
		{ "retry: 1", INTAKE_SSE, INTAKE_SSE },
		{ ":", INTAKE_GUESS, INTAKE_LINES },
		{ ": ", INTAKE_SSE, INTAKE_SSE },
		{ ":\n", INTAKE_SSE, INTAKE_SSE },
		{ ":\r", INTAKE_GUESS, INTAKE_LINES },
		{ ":)", INTAKE_LINES, INTAKE_LINES },
		{ "\ndata:", INTAKE_LINES, INTAKE_LINES },
		{ "{\"data\"", INTAKE_LINES, INTAKE_LINES },
		{ "Data:", INTAKE_LINES, INTAKE_LINES },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(intake_guess(slice_of(rows[i].first), false), rows[i].more);
		assert_int_equal(intake_guess(slice_of(rows[i].first), true), rows[i].all);
	}
}

/* What comes of text in steps of `step` bytes. */
static enum err convert(struct intake *intake, const char *text, size_t step, struct buf *body)
{
	struct slice rest = slice_of(text);
	enum err err = OK;

	while (err == OK && rest.bytes) {
		size_t count = rest.bytes < step ? rest.bytes : step;
		err = intake_feed(intake, slice_from(rest.at, count), body);
		rest = slice_from(rest.at + count, rest.bytes - count);
	}
	return err == OK ? intake_finish(intake, body) : err;
}

static void check(enum intake_form form, bool json, const char *text, enum err wanted,
		  const char *wanted_body)
{
	for (size_t step = 1; step <= strlen(text) + 1; step++) {
		struct intake intake;
		struct buf body;
		buf_init(&body, 10000);
		intake_init(&intake);
		intake.form = form;
		intake.json = json;
		assert_int_equal(convert(&intake, text, step, &body), wanted);
		assert_true(slice_equal(buf_slice(&body), slice_of(wanted_body)));
		intake_fini(&intake);
		buf_fini(&body);
	}
}

static void each_line_becomes_an_event_however_it_is_cut(void **state)
{
	(void)state;
	check(INTAKE_LINES, false, "a\n\n\"b\"\tc\r\nlast", OK,
	      "{\"data\":\"a\"}\n{\"data\":\"\"}\n{\"data\":\"\\\"b\\\"\\tc\"}\n{\"data\":\"last\"}"
	      "\n");
	check(INTAKE_LINES, false, "", OK, "");
	check(INTAKE_LINES, true, " {\"a\": 1}\n\"s\"\n", OK,
	      "{\"data\":{\"a\": 1}}\n{\"data\":\"s\"}\n");
}

static void a_line_cannot_break_out_of_its_event(void **state)
{
	(void)state;
	check(INTAKE_LINES, true, "1\n1},{\"end\":\"failed\"\n2\n", ERR_SYNTAX, "{\"data\":1}\n");
	check(INTAKE_LINES, false, "x\n\xc3(\n", ERR_UTF8, "{\"data\":\"x\"}\n");
	check(INTAKE_LINES, false, "\"},{\"end\":\"failed", OK,
	      "{\"data\":\"\\\"},{\\\"end\\\":\\\"failed\"}\n");
}

static void other_forms_pass_untouched(void **state)
{
	(void)state;
	check(INTAKE_SSE, false, "data: x\r\n\r\ndata: y", OK, "data: x\r\n\r\ndata: y");
	check(INTAKE_NDJSON, false, "{\"data\":1}\nnonsense", OK, "{\"data\":1}\nnonsense");
}

static void lines_are_numbered_for_their_keys(void **state)
{
	(void)state;
	struct intake intake;
	struct buf body;
	buf_init(&body, 10000);
	intake_init(&intake);
	intake.form = INTAKE_LINES;
	intake.idem = SLICE("job");
	assert_int_equal(convert(&intake, "a\nb", 1, &body), OK);
	assert_true(slice_equal(buf_slice(&body),
				SLICE("{\"data\":\"a\",\"idempotency_key\":\"job-1\"}\n"
				      "{\"data\":\"b\",\"idempotency_key\":\"job-2\"}\n")));
	intake_fini(&intake);
	buf_fini(&body);
}

static bool is_between(enum intake_form form, const char *text)
{
	struct intake intake;
	struct buf body;
	bool whole = false;

	/* However it is cut, the answer is the same. */
	for (size_t step = 1; step <= strlen(text); step++) {
		buf_init(&body, 10000);
		intake_init(&intake);
		intake.form = form;
		assert_int_equal(convert(&intake, text, step, &body), OK);
		assert_true(step == 1 || whole == intake_is_between(&intake));
		whole = intake_is_between(&intake);
		intake_fini(&intake);
		buf_fini(&body);
	}
	return whole;
}

static void a_request_may_end_between_events_only(void **state)
{
	(void)state;
	assert_true(is_between(INTAKE_LINES, "a\nb"));
	assert_true(is_between(INTAKE_NDJSON, "{}\n"));
	assert_false(is_between(INTAKE_NDJSON, "{}\n{"));
	assert_true(is_between(INTAKE_SSE, "data: x\n\n"));
	assert_true(is_between(INTAKE_SSE, "event: a\r\ndata: x\r\n\r\n"));
	assert_true(is_between(INTAKE_SSE, "data: x\n\n:\n: alive\n"));
	assert_false(is_between(INTAKE_SSE, "data: x\n"));
	assert_false(is_between(INTAKE_SSE, "data: x\n:\n"));
	assert_false(is_between(INTAKE_SSE, "data: x\n\nd"));
	assert_false(is_between(INTAKE_SSE, "data: x\n\n:"));
	assert_false(is_between(INTAKE_SSE, "data: x\r\rdata: y\r\r"));
}

static void a_line_is_bounded(void **state)
{
	(void)state;
	struct intake intake;
	struct buf body;
	char *line = mem_alloc(INTAKE_LINE_BYTES_MAX + 2);
	assert_non_null(line);
	memset(line, 'x', INTAKE_LINE_BYTES_MAX + 2);

	buf_init(&body, 2 * INTAKE_LINE_BYTES_MAX);
	intake_init(&intake);
	intake.form = INTAKE_LINES;
	assert_int_equal(intake_feed(&intake, slice_from(line, INTAKE_LINE_BYTES_MAX + 2), &body),
			 ERR_TOO_BIG);
	assert_int_equal(body.bytes, 0);
	intake_fini(&intake);
	buf_fini(&body);
	mem_free(line);
}

static void no_allocation_that_fails_goes_unnoticed(void **state)
{
	(void)state;
	enum err err = ERR_NOMEM;
	for (long count = 0; err == ERR_NOMEM; count++) {
		struct intake intake;
		struct buf body;
		buf_init(&body, 10000);
		intake_init(&intake);
		intake.form = INTAKE_LINES;
		mem_fail_after(count);
		err = convert(&intake, "first line\nsecond line\nthird", 4, &body);
		mem_fail_after(-1);
		intake_fini(&intake);
		buf_fini(&body);
		assert_in_range(count, 0, 100);
	}
	assert_int_equal(err, OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_is_told_as_early_as_it_can_be),
		cmocka_unit_test(each_line_becomes_an_event_however_it_is_cut),
		cmocka_unit_test(a_line_cannot_break_out_of_its_event),
		cmocka_unit_test(other_forms_pass_untouched),
		cmocka_unit_test(lines_are_numbered_for_their_keys),
		cmocka_unit_test(a_request_may_end_between_events_only),
		cmocka_unit_test(a_line_is_bounded),
		cmocka_unit_test(no_allocation_that_fails_goes_unnoticed),
	};
	return cmocka_run_group_tests_name("intake", tests, NULL, gives_back_all_memory);
}

#include "cli/show.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/mem.h"

static int gives_back_all_memory(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

static void check_shown(struct show show, const char *type, const char *data, const char *wanted)
{
	struct sse_event event = { .type = slice_of(type),
				   .data = slice_of(data),
				   .id = SLICE("1.a-1-0"),
				   .has_data = true,
				   .has_id = true };
	struct buf out;
	buf_init(&out, 10000);
	assert_int_equal(show_put(&show, &event, &out), OK);
	assert_true(slice_equal(buf_slice(&out), slice_of(wanted)));
	buf_fini(&out);
}

static void plain_text_is_the_data_and_nothing_else(void **state)
{
	(void)state;
	check_shown((struct show){ 0 }, "", "one\ntwo", "one\ntwo\n");
	check_shown((struct show){ 0 }, "t", "", "\n");
	check_shown((struct show){ 0 }, "t", "end\n", "end\n\n");
	check_shown((struct show){ 0 }, "tapecast.gap", "{}", "");
	check_shown((struct show){ 0 }, "", "\x1b[1m", "\x1b[1m\n");
}

static void a_terminal_is_not_given_control_characters(void **state)
{
	(void)state;
	check_shown((struct show){ .is_terminal = true }, "",
		    "a\x1b[2J\r\x7f\tb\xc2\x9b\xc2\xa0\xc3\xbc", "a?[2J??\tb?\xc2\xa0\xc3\xbc\n");
	check_shown((struct show){ .is_terminal = true, .json = true }, "",
		    "{\"data\":\"\xc2\x9b\"}", "{\"data\":\"?\"}\n");
}

static void an_envelope_is_opened(void **state)
{
	(void)state;
	struct show one = { .is_envelope = true },
		    many = { .is_envelope = true, .names_streams = true };
	check_shown(one, "", "{\"stream\":\"a\",\"data\":\"x\\ny \\u00fc\"}", "x\ny \xc3\xbc\n");
	check_shown(many, "t", "{\"stream\":\"a/b\",\"data\":\"x\\ny\"}", "a/b: x\na/b: y\n");
	check_shown(many, "", "{\"stream\":\"a\",\"data\":{\"x\": [1.0]}}", "a: {\"x\": [1.0]}\n");
	check_shown(many, "", "{\"stream\":\"a\",\"data\":null}", "a: null\n");
}

static void json_is_one_object_a_line(void **state)
{
	(void)state;
	struct show show = { .json = true, .is_envelope = true };
	check_shown(show, "t", "{\"data\":1}", "{\"data\":1}\n");
	check_shown(show, "tapecast.gap", "{\"lost\":3}",
		    "{\"event\":\"tapecast.gap\",\"id\":\"1.a-1-0\",\"data\":{\"lost\":3}}\n");
}

static void broken_envelopes_are_told(void **state)
{
	(void)state;
	static const char *const broken[] = { "", "x", "[]", "{\"data\":", "{\"stream\":\"a\"}" };
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		struct show show = { .is_envelope = true };
		struct sse_event event = { .data = slice_of(broken[i]), .has_data = true };
		struct buf out;
		buf_init(&out, 1000);
		err_note_clear();
		assert_int_equal(show_put(&show, &event, &out), ERR_SYNTAX);
		assert_true(err_note_text()[0]);
		assert_int_equal(out.bytes, 0);
		buf_fini(&out);
	}
}

static void check_gap(const char *notice, const char *wanted)
{
	struct buf out;
	buf_init(&out, 1000);
	show_gap_words(slice_of(notice), &out);
	assert_true(slice_equal(buf_slice(&out), slice_of(wanted)));
	buf_fini(&out);
}

static void a_gap_is_told_in_words_whatever_it_says(void **state)
{
	(void)state;
	check_gap(
		"{\"stream\":\"a\",\"lost\":2,\"reason\":\"skipped\"}",
		"gap on a: 2 events could not be given: this reader was too slow, and the tape has "
		"moved on");
	check_gap("{\"stream\":\"a\",\"lost\":null,\"reason\":\"invalid\"}",
		  "gap on a: some events could not be given: the id we resumed after is not one of "
		  "this "
		  "stream");
	check_gap("{\"lost\":1}", "gap: 1 event could not be given: the server does not say why");
	check_gap("nonsense", "gap: some events could not be given: the server does not say why");
}

static void an_end_names_its_stream_and_state(void **state)
{
	(void)state;
	struct buf name;
	enum end_state end = END_NONE;
	buf_init(&name, 1000);
	assert_int_equal(
		show_end_read(SLICE("{\"stream\":\"a\",\"state\":\"failed\"}"), &name, &end), OK);
	assert_int_equal(end, END_FAILED);
	assert_true(slice_equal(buf_slice(&name), SLICE("a")));
	assert_int_equal(show_end_read(SLICE("{\"stream\":\"a\"}"), &name, &end), ERR_SYNTAX);
	assert_int_equal(show_end_read(SLICE("{\"state\":\"over\"}"), &name, &end), ERR_SYNTAX);
	assert_int_equal(show_end_read(SLICE("{\"state\":7}"), &name, &end), ERR_SYNTAX);
	buf_fini(&name);
}

static void kinds_are_told_by_the_type(void **state)
{
	(void)state;
	assert_int_equal(show_kind_of(SLICE("")), SHOW_EVENT);
	assert_int_equal(show_kind_of(SLICE("tapecast")), SHOW_EVENT);
	assert_int_equal(show_kind_of(SLICE("tapecast.open")), SHOW_OPEN);
	assert_int_equal(show_kind_of(SLICE("tapecast.gap")), SHOW_GAP);
	assert_int_equal(show_kind_of(SLICE("tapecast.end")), SHOW_END);
	assert_int_equal(show_kind_of(SLICE("tapecast.auth")), SHOW_AUTH);
	assert_int_equal(show_kind_of(SLICE("tapecast.new")), SHOW_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_is_the_data_and_nothing_else),
		cmocka_unit_test(a_terminal_is_not_given_control_characters),
		cmocka_unit_test(an_envelope_is_opened),
		cmocka_unit_test(json_is_one_object_a_line),
		cmocka_unit_test(broken_envelopes_are_told),
		cmocka_unit_test(a_gap_is_told_in_words_whatever_it_says),
		cmocka_unit_test(an_end_names_its_stream_and_state),
		cmocka_unit_test(kinds_are_told_by_the_type),
	};
	return cmocka_run_group_tests_name("show", tests, NULL, gives_back_all_memory);
}

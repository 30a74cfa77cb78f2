#include "wire/draft.h"

#include "support.h"

static struct draft plain_draft(void)
{
	return (struct draft){ .data = SLICE("hello"), .has_data = true };
}

static void a_plain_draft_passes(void **state)
{
	(void)state;
	struct draft draft = plain_draft();
	assert_ok(draft_check(&draft, 5));
	draft.stream = SLICE("a/b");
	draft.type = SLICE("token");
	draft.key = SLICE("k\xc3\xa9y");
	draft.idem = SLICE("42!");
	draft.ttl_ms = 1000;
	draft.end = END_FAILED;
	assert_ok(draft_check(&draft, 5));
	draft = (struct draft){ .has_data = true };
	assert_ok(draft_check(&draft, 0));
	draft = (struct draft){ .end = END_COMPLETE };
	assert_ok(draft_check(&draft, 0));
}

static void each_field_is_checked(void **state)
{
	(void)state;
	struct draft draft = plain_draft();
	draft.stream = SLICE("a//b");
	assert_int_equal(draft_check(&draft, 5), ERR_NAME);
	draft = plain_draft();
	draft.type = SLICE("a\rid: x");
	assert_int_equal(draft_check(&draft, 5), ERR_SYNTAX);
	draft.type = SLICE("tapecast.end");
	assert_int_equal(draft_check(&draft, 5), ERR_SYNTAX);
	draft = plain_draft();
	draft.key = SLICE("\xff");
	assert_int_equal(draft_check(&draft, 5), ERR_UTF8);
	draft = plain_draft();
	draft.idem = SLICE("a b");
	assert_int_equal(draft_check(&draft, 5), ERR_SYNTAX);
}

static void data_is_text_within_its_bound(void **state)
{
	(void)state;
	struct draft draft = plain_draft();
	assert_int_equal(draft_check(&draft, 4), ERR_TOO_BIG);
	assert_non_null(strstr(err_note_text(), "5 bytes"));
	draft.data = SLICE("a\xff");
	assert_int_equal(draft_check(&draft, 5), ERR_UTF8);
	assert_non_null(strstr(err_note_text(), "data: byte 1"));
	draft.data = slice_from("a\0b", 3);
	assert_int_equal(draft_check(&draft, 5), ERR_UTF8);
	draft.data = SLICE("a\r\nb");
	assert_ok(draft_check(&draft, 5));
}

static void what_contradicts_itself_is_refused(void **state)
{
	(void)state;
	struct draft draft = { 0 };
	assert_int_equal(draft_check(&draft, 5), ERR_SYNTAX);

	draft = plain_draft();
	draft.ephemeral = true;
	assert_ok(draft_check(&draft, 5));
	draft.ttl_ms = 1;
	assert_int_equal(draft_check(&draft, 5), ERR_SYNTAX);
	assert_non_null(strstr(err_note_text(), "ttl"));
	draft.ttl_ms = 0;
	draft.end = END_COMPLETE;
	assert_int_equal(draft_check(&draft, 5), ERR_SYNTAX);
	assert_non_null(strstr(err_note_text(), "end"));
}

static void ends_have_three_names(void **state)
{
	(void)state;
	for (enum end_state end = END_COMPLETE; end <= END_CANCELLED; end++) {
		enum end_state back = END_NONE;
		assert_ok(end_state_parse(slice_of(end_state_text(end)), &back));
		assert_int_equal(back, end);
	}
	assert_string_equal(end_state_text(END_COMPLETE), "complete");
	assert_string_equal(end_state_text(END_FAILED), "failed");
	assert_string_equal(end_state_text(END_CANCELLED), "cancelled");
	assert_string_equal(end_state_text(END_NONE), "");

	static const char *const bad[] = { "",	  "Complete", "complete ",
					   "canceled", "none",	   "true" };
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		enum end_state end = END_FAILED;
		assert_int_equal(end_state_parse(slice_of(bad[i]), &end), ERR_SYNTAX);
		assert_int_equal(end, END_FAILED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_plain_draft_passes),
		TEST(each_field_is_checked),
		TEST(data_is_text_within_its_bound),
		TEST(what_contradicts_itself_is_refused),
		TEST(ends_have_three_names),
	};
	return cmocka_run_group_tests_name("draft", tests, NULL, NULL);
}

#include "wire/publish.h"

#include "support.h"

static struct buf scratch;
static struct draft drafts[PUBLISH_BATCH_MAX];

/* JSON with ' for ", which reads better in C. Four texts may be in use at a time. */
static struct slice json(const char *text)
{
	static char texts[4][1024];
	static unsigned next;
	char *at = texts[next++ % 4];
	size_t bytes = strlen(text);

	assert_true(bytes < sizeof texts[0]);
	for (size_t i = 0; i < bytes; i++)
		at[i] = text[i] == '\'' ? '"' : text[i];
	return slice_from(at, bytes);
}

static enum err object_of(struct slice text, struct draft *ret_draft)
{
	buf_reset(&scratch);
	return publish_object(text, &scratch, ret_draft);
}

static void every_member_reaches_its_field(void **state)
{
	(void)state;
	struct draft draft;
	assert_ok(object_of(json(" {'stream':'a/b','data':'hi','type':'t','key':'k','ttl':60,"
				  "'ephemeral':false,'end':'failed','idempotency_key':'i'} "),
			    &draft));
	assert_slice(draft.stream, SLICE("a/b"));
	assert_slice(draft.data, SLICE("hi"));
	assert_slice(draft.type, SLICE("t"));
	assert_slice(draft.key, SLICE("k"));
	assert_slice(draft.idem, SLICE("i"));
	assert_true(draft.has_data);
	assert_false(draft.json);
	assert_false(draft.ephemeral);
	assert_int_equal(draft.ttl_ms, 60000);
	assert_int_equal(draft.end, END_FAILED);
	assert_int_equal(scratch.bytes, 0); /* nothing was escaped, so nothing was copied */

	assert_ok(object_of(SLICE("{}"), &draft));
	assert_false(draft.has_data);
	assert_int_equal(draft.end, END_NONE);
	assert_ok(object_of(json("{'ephemeral':true}"), &draft));
	assert_true(draft.ephemeral);
}

static void string_data_gives_its_characters_and_other_data_its_bytes(void **state)
{
	(void)state;
	struct draft draft;
	assert_ok(object_of(json("{'data':'a\\n\\u00e9'}"), &draft));
	assert_slice(draft.data, SLICE("a\n\xc3\xa9"));
	assert_false(draft.json);

	static const char *const values[] = { "{ \"x\" :\n[1,2.50, \"\\u0041\"] }", "[]", "1.50",
					      "true", "null" };
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct buf text;
		buf_init(&text, 100);
		assert_ok(buf_putf(&text, "{\"data\": %s }", values[i]));
		assert_ok(object_of(buf_slice(&text), &draft));
		assert_slice(draft.data, slice_of(values[i]));
		assert_true(draft.has_data && draft.json);
		buf_fini(&text);
	}
}

static void escaped_strings_live_side_by_side_in_scratch(void **state)
{
	(void)state;
	struct draft draft;
	assert_ok(object_of(json("{'d\\u0061ta':'\\u0061\\\"','type':'\\u0062','key':'\\n',"
				  "'idempotency\\u005fkey':'x\\\\\",'stream':'\\/'}"),
			    &draft));
	assert_slice(draft.data, SLICE("a\""));
	assert_slice(draft.type, SLICE("b"));
	assert_slice(draft.key, SLICE("\n"));
	assert_slice(draft.idem, SLICE("x\\"));
	assert_slice(draft.stream, SLICE("/"));
}

static void null_stands_for_an_absent_member(void **state)
{
	(void)state;
	struct draft draft;
	assert_ok(object_of(json("{'stream':null,'type':null,'key':null,'ttl':null,'end':null,"
				  "'ephemeral':null,'idempotency_key':null,'data':'x'}"),
			    &draft));
	assert_int_equal(draft.stream.bytes, 0);
	assert_int_equal(draft.type.bytes, 0);
	assert_int_equal(draft.key.bytes, 0);
	assert_int_equal(draft.idem.bytes, 0);
	assert_int_equal(draft.ttl_ms, 0);
	assert_int_equal(draft.end, END_NONE);
	assert_false(draft.ephemeral);
}

static const struct refusal {
	const char *text;
	enum err err;
	const char *note;
} refusals[] = {
	{ "", ERR_SYNTAX, "byte 0" },
	{ "[]", ERR_SYNTAX, "object" },
	{ "'x'", ERR_SYNTAX, "object" },
	{ "{'data':1", ERR_SYNTAX, "byte 9" },
	{ "{'data':'\xff'}", ERR_UTF8, "byte 9" },
	{ "{'dta':1}", ERR_SYNTAX, "unknown member 'dta'" },
	{ "{'Data':1}", ERR_SYNTAX, "unknown member 'Data'" },
	{ "{'data\\u0000':1}", ERR_SYNTAX, "unknown member" },
	{ "{'':1}", ERR_SYNTAX, "unknown member ''" },
	{ "{'data':1,'data':2}", ERR_SYNTAX, "'data' appears twice" },
	{ "{'data':1,'d\\u0061ta':2}", ERR_SYNTAX, "'data' appears twice" },
	{ "{'type':null,'type':'x'}", ERR_SYNTAX, "twice" },
	{ "{'data':'a\\u0000b'}", ERR_SYNTAX, "'data': " },
	{ "{'type':1}", ERR_SYNTAX, "'type': must be a string" },
	{ "{'key':{}}", ERR_SYNTAX, "'key': must be a string" },
	{ "{'stream':[]}", ERR_SYNTAX, "'stream': must be a string" },
	{ "{'idempotency_key':1}", ERR_SYNTAX, "'idempotency_key': must be a string" },
	{ "{'ttl':'5'}", ERR_RANGE, "'ttl': " },
	{ "{'ttl':0}", ERR_RANGE, "'ttl': " },
	{ "{'ttl':-1}", ERR_RANGE, "'ttl': " },
	{ "{'ttl':1.5}", ERR_RANGE, "'ttl': " },
	{ "{'ttl':3153600001}", ERR_RANGE, "'ttl': " },
	{ "{'ephemeral':1}", ERR_SYNTAX, "'ephemeral': must be true or false" },
	{ "{'ephemeral':'true'}", ERR_SYNTAX, "'ephemeral': " },
	{ "{'end':'done'}", ERR_SYNTAX, "'end': " },
	{ "{'end':true}", ERR_SYNTAX, "'end': must be a string" },
};

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refusals); i++) {
		struct slice text = exact_copy(json(refusals[i].text));
		struct draft draft = { .ttl_ms = 77 };
		enum err err = object_of(text, &draft);
		struct slice note = json(refusals[i].note);
		if (err != refusals[i].err ||
		    !memmem(err_note_text(), strlen(err_note_text()), note.at, note.bytes))
			fail_msg("%s: %d, %s", refusals[i].text, err, err_note_text());
		assert_int_equal(draft.ttl_ms, 77);
		exact_free(text);
	}
	struct draft draft;
	assert_ok(object_of(json("{'ttl':3153600000}"), &draft));
	assert_ok(object_of(json("{'ttl':1}"), &draft));
}

static enum err array_of(struct slice text, size_t *ret_count)
{
	buf_reset(&scratch);
	return publish_array(text, &scratch, drafts, ret_count);
}

static void an_array_gives_its_drafts_in_order(void **state)
{
	(void)state;
	size_t count = 77;
	assert_ok(array_of(json("[{'stream':'\\u0061','data':'\\n'}, {'stream':'b','data':{}} ,"
				 "{'end':'complete','stream':'c'}]"),
			   &count));
	assert_int_equal(count, 3);
	assert_slice(drafts[0].stream, SLICE("a"));
	assert_slice(drafts[0].data, SLICE("\n"));
	assert_slice(drafts[1].stream, SLICE("b"));
	assert_true(drafts[1].json);
	assert_slice(drafts[2].stream, SLICE("c"));
	assert_int_equal(drafts[2].end, END_COMPLETE);

	assert_ok(array_of(SLICE("[]"), &count));
	assert_int_equal(count, 0);
}

static void a_broken_element_is_named_by_its_index(void **state)
{
	(void)state;
	size_t count = 77;
	assert_int_equal(array_of(SLICE("{}"), &count), ERR_SYNTAX);
	assert_int_equal(array_of(SLICE("[1]"), &count), ERR_SYNTAX);
	assert_non_null(strstr(err_note_text(), "[0]: "));
	struct slice no_time = json("[{'stream':'a'},{'stream':'b','ttl':0}]");
	assert_int_equal(array_of(no_time, &count), ERR_RANGE);
	assert_non_null(strstr(err_note_text(), "[1]: \"ttl\": must be a whole number of seconds"));
	assert_int_equal(array_of(json("[{'stream':'a'},{}]"), &count), ERR_SYNTAX);
	assert_string_equal(err_note_text(), "[1]: \"stream\" is missing");
	assert_int_equal(array_of(json("[[{'stream':'a'}]]"), &count), ERR_SYNTAX);
	assert_int_equal(array_of(json("[{'stream':'a'}"), &count), ERR_SYNTAX);
	assert_int_equal(count, 77);
}

static void a_batch_has_at_most_a_thousand_events(void **state)
{
	(void)state;
	struct buf text;
	size_t count = 0;
	buf_init(&text, 65536);
	for (int i = 0; i < PUBLISH_BATCH_MAX; i++)
		assert_ok(buf_putf(&text, "%c{\"stream\":\"s%d\",\"data\":\"\\u0041%d\"}",
				   i ? ',' : '[', i, i));
	assert_ok(buf_put_byte(&text, ']'));
	assert_ok(array_of(buf_slice(&text), &count));
	assert_int_equal(count, PUBLISH_BATCH_MAX);
	/* Scratch did not move under them. */
	for (int i = 0; i < PUBLISH_BATCH_MAX; i++) {
		char wanted[16] = "A";
		struct buf number;
		buf_init(&number, 8);
		assert_ok(buf_put_u64(&number, (uint64_t)i));
		memcpy(wanted + 1, number.at, number.bytes);
		assert_slice(drafts[i].data, slice_from(wanted, number.bytes + 1));
		buf_fini(&number);
	}

	text.bytes--;
	assert_ok(buf_put_text(&text, ",{\"stream\":\"x\"}]"));
	assert_int_equal(array_of(buf_slice(&text), &count), ERR_TOO_MANY);
	buf_fini(&text);
}

static void no_memory_and_no_room_are_errors(void **state)
{
	(void)state;
	struct buf small;
	struct draft draft;
	size_t count;
	struct slice object = json("{'data':'\\n'}"), array = json("[{'stream':'\\n'}]");

	buf_init(&small, 4);
	assert_int_equal(publish_object(object, &small, &draft), ERR_TOO_BIG);
	assert_int_equal(publish_array(array, &small, drafts, &count), ERR_TOO_BIG);
	buf_init(&small, 100);
	mem_fail_after(0);
	assert_int_equal(publish_object(object, &small, &draft), ERR_NOMEM);
	assert_int_equal(publish_array(array, &small, drafts, &count), ERR_NOMEM);
	/* Where nothing is escaped, no memory is needed. */
	assert_ok(publish_object(json("{'data':'n'}"), &small, &draft));
	mem_fail_after(-1);
	buf_fini(&small);
}

static int setup(void **state)
{
	(void)state;
	buf_init(&scratch, 65536);
	return 0;
}

static int teardown(void **state)
{
	buf_fini(&scratch);
	return memory_is_back(state);
}

int main(void)
{
#define PUBLISH_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		PUBLISH_TEST(every_member_reaches_its_field),
		PUBLISH_TEST(string_data_gives_its_characters_and_other_data_its_bytes),
		PUBLISH_TEST(escaped_strings_live_side_by_side_in_scratch),
		PUBLISH_TEST(null_stands_for_an_absent_member),
		PUBLISH_TEST(what_is_wrong_is_named),
		PUBLISH_TEST(an_array_gives_its_drafts_in_order),
		PUBLISH_TEST(a_broken_element_is_named_by_its_index),
		PUBLISH_TEST(a_batch_has_at_most_a_thousand_events),
		PUBLISH_TEST(no_memory_and_no_room_are_errors),
	};
	return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}

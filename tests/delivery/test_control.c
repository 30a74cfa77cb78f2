/* Sessions changed, ended and listed from outside. */
#include "delivery/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"
#include "play.h"

static struct play play;
static struct buf buf;
static int fd;
static char id[SESSION_ID_TEXT + 1];
static enum err told;
static unsigned told_count;

static struct bearer *bearer_of(const char *sub, const char *jti, uint64_t ms)
{
	struct bearer *bearer = NULL;
	struct bearer_terms terms = { .expires_ms = play_wall_ms(&play) + ms,
				      .sub = slice_of(sub), .jti = slice_of(jti) };
	assert_int_equal(bearer_new(&terms, &bearer), OK);
	return bearer;
}

/* "b" is not for tokens with the jti "few". */
static bool may_read(void *arg, const struct bearer *bearer, struct slice stream)
{
	(void)arg;
	return !(bearer && slice_equal(bearer_jti(bearer), SLICE("few")) &&
		 slice_equal(stream, SLICE("b")));
}

static void listen_to(enum session_form form, const char *one, const char *two,
		      struct bearer *bearer)
{
	struct wanted wanted[] = { { .name = slice_of(one), .start.kind = START_NOW },
				   { .name = slice_of(two), .start.kind = START_NOW } };
	fd = play_connect(&play);
	struct ticket ticket = { .fd = fd, .form = form, .notices = true, .wanted = wanted,
				 .wanted_count = two ? 2 : 1, .head = SLICE("HEAD\n"),
				 .bearer = bearer };
	assert_int_equal(engine_adopt(play.engine, play.loop, &ticket), OK);
	assert_true(play_hear(&play, fd, &buf));
	const char *at = memmem(buf.at, buf.bytes, "\"session\":\"", 11);
	assert_non_null(at);
	memcpy(id, at + 11, SESSION_ID_TEXT);
	buf_reset(&buf);
}

static void done(struct change *change, enum err err)
{
	(void)change;
	told = err;
	told_count++;
}

static enum err ask(struct change change)
{
	static struct change kept;
	kept = change;
	kept.session = slice_from(id, SESSION_ID_TEXT);
	kept.done = done;
	told_count = 0;
	engine_change(play.engine, &kept);
	play_turn(&play, 0);
	assert_int_equal(told_count, 1);
	err_note_clear();
	return told;
}

static void a_stream_that_is_added_continues_at_its_place(void **state)
{
	(void)state;
	play_say(&play, "b", "old");
	listen_to(SESSION_SSE_ENVELOPE, "a", NULL, NULL);
	struct wanted add = { .name = SLICE("b"), .start.kind = START_OLDEST };
	assert_int_equal(ask((struct change){ .add = &add, .add_count = 1 }), OK);
	play_say(&play, "a", "from a");
	play_say(&play, "b", "from b");
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "event: tapecast.changed\ndata: {\"added\":[{\"stream\":\"b\","
			      "\"recovered\":false}]}\nid: m"));
	assert_true(has(&buf, "\"data\":\"old\""));
	assert_true(has(&buf, "\"data\":\"from a\""));
	assert_true(has(&buf, "\"data\":\"from b\""));
	assert_int_equal(ask((struct change){ .add = &add, .add_count = 1 }), ERR_CONFLICT);
}

static void a_stream_that_is_cold_is_added_when_it_is_live(void **state)
{
	(void)state;
	listen_to(SESSION_NDJSON, "a", NULL, NULL);
	play.dead = true;
	struct wanted add = { .name = SLICE("b"), .start.kind = START_NOW };
	assert_int_equal(ask((struct change){ .add = &add, .add_count = 1 }), OK);
	play_say(&play, "a", "meanwhile");
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "meanwhile"));
	assert_false(has(&buf, "\"added\""));
	play_live(&play, "b");
	play_turn(&play, 0);
	play_say(&play, "b", "alive");
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "\"added\":[{\"stream\":\"b\""));
	assert_true(has(&buf, "\"data\":\"alive\",\"cursor\":\"m"));
}

static void a_stream_that_is_dropped_is_heard_no_more(void **state)
{
	(void)state;
	listen_to(SESSION_SSE_ENVELOPE, "a", "b", NULL);
	struct slice drop[] = { SLICE("a"), SLICE("never heard of") };
	assert_int_equal(ask((struct change){ .drop = drop, .drop_count = 2 }), OK);
	play_say(&play, "a", "gone");
	play_say(&play, "b", "stays");
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "data: {\"dropped\":[\"a\"],\"refused\":[]}\n"));
	assert_true(has(&buf, "stays"));
	assert_false(has(&buf, "gone"));
	drop[0] = SLICE("b");
	assert_int_equal(ask((struct change){ .drop = drop, .drop_count = 1 }), ERR_CONFLICT);
}

static void when_only_ended_streams_are_left_the_session_ends(void **state)
{
	(void)state;
	listen_to(SESSION_SSE_ENVELOPE, "a", "b", NULL);
	play_end(&play, "a");
	assert_true(play_hear(&play, fd, &buf));
	struct slice drop = SLICE("b");
	assert_int_equal(ask((struct change){ .drop = &drop, .drop_count = 1 }), OK);
	assert_false(play_hear(&play, fd, &buf));
	assert_int_equal(engine_counts(play.engine).closed_end, 1);
}

static void one_stream_without_envelope_stays_alone(void **state)
{
	(void)state;
	listen_to(SESSION_SSE, "a", NULL, NULL);
	struct wanted add = { .name = SLICE("b"), .start.kind = START_NOW };
	assert_int_equal(ask((struct change){ .add = &add, .add_count = 1 }), ERR_CONFLICT);
	id[3] = id[3] == 'a' ? 'b' : 'a';
	assert_int_equal(ask((struct change){ 0 }), ERR_NOT_FOUND);
	memset(id, 'f', sizeof id); /* a loop that there is not */
	assert_int_equal(ask((struct change){ 0 }), ERR_NOT_FOUND);
	id[5] = 'x';
	assert_int_equal(ask((struct change){ 0 }), ERR_NOT_FOUND);
}

static void a_new_token_gives_more_time_and_takes_what_it_may_not_hear(void **state)
{
	(void)state;
	struct bearer *first = bearer_of("ann", "all", 60000);
	struct bearer *second = bearer_of("ann", "few", 300000);
	struct bearer *other = bearer_of("bob", "all", 300000);
	listen_to(SESSION_SSE_ENVELOPE, "a", "b", first);
	assert_int_equal(ask((struct change){ .bearer = other }), ERR_DENIED);
	assert_int_equal(ask((struct change){ .bearer = second }), OK);
	play_turn(&play, 100000);
	play_say(&play, "b", "secret");
	play_say(&play, "a", "still");
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "{\"dropped\":[],\"refused\":[{\"stream\":\"b\",\"code\":"
			      "\"forbidden\"}],\"expires_in\":300}"));
	assert_true(has(&buf, "still"));
	assert_false(has(&buf, "secret"));
	bearer_unref(&first);
	bearer_unref(&second);
	bearer_unref(&other);
}

static void those_that_fit_are_disconnected_and_no_others(void **state)
{
	(void)state;
	struct bearer *ann = bearer_of("ann", "j1", 600000);
	struct bearer *bob = bearer_of("bob", "j2", 600000);
	listen_to(SESSION_SSE, "a", NULL, ann);
	int ann_fd = fd;
	listen_to(SESSION_SSE, "a", NULL, bob);
	struct session_filter filter = { .sub = SLICE("ann") };
	assert_int_equal(engine_disconnect(play.engine, &filter, DISCONNECT_REVOKED, 0), OK);
	assert_true(play_hear(&play, fd, &buf));
	assert_false(play_hear(&play, ann_fd, &buf));
	assert_true(bearer_revoked(ann));
	assert_false(bearer_revoked(bob));
	assert_int_equal(engine_counts(play.engine).closed_revoked, 1);
	filter = (struct session_filter){ .stream = SLICE("a"), .jti = SLICE("j2") };
	assert_int_equal(engine_disconnect(play.engine, &filter, DISCONNECT_ADMIN, 4000), OK);
	play_turn(&play, 4100);
	assert_false(play_hear(&play, fd, &buf));
	assert_int_equal(engine_counts(play.engine).closed_admin, 1);
	assert_int_equal(engine_counts(play.engine).sessions_now, 0);
	bearer_unref(&ann);
	bearer_unref(&bob);
}

static unsigned listed_count;
static struct listed_session last;
static char last_sub[16];

static void each(struct listing *listing, const struct listed_session *listed)
{
	(void)listing;
	listed_count++;
	last = *listed;
	snprintf(last_sub, sizeof last_sub, "%.*s", (int)listed->sub.bytes,
		 listed->sub.bytes ? listed->sub.at : "");
}

static void listed(struct listing *listing, size_t fitting)
{
	(void)listing;
	told_count++;
	assert_int_equal(fitting, 2);
}

static void a_list_names_sessions_without_giving_them_away(void **state)
{
	(void)state;
	struct bearer *ann = bearer_of("ann", "j1", 600000);
	listen_to(SESSION_SSE, "a", NULL, NULL);
	listen_to(SESSION_SSE, "a", NULL, ann);
	play_turn(&play, 1000);
	struct listing listing = { .count_max = 1, .each = each, .done = listed };
	told_count = listed_count = 0;
	assert_int_equal(engine_list(play.engine, &listing), OK);
	play_turn(&play, 0);
	assert_int_equal(listed_count, 1);
	assert_int_equal(told_count, 1);
	listing.count_max = 10;
	assert_int_equal(engine_list(play.engine, &listing), OK);
	play_turn(&play, 0);
	assert_int_equal(listed_count, 3);
	assert_string_equal(last_sub, "ann");
	assert_memory_equal(last.id, id, LISTED_ID_DIGITS);
	assert_int_equal(last.open_ms, 1000);
	assert_true(last.bytes > 0);
	assert_int_equal(last.stream_count, 1);
	bearer_unref(&ann);
}

static void what_an_engine_cannot_do_any_more_is_told(void **state)
{
	(void)state;
	listen_to(SESSION_SSE, "a", NULL, NULL);
	struct change change = { .session = slice_from(id, SESSION_ID_TEXT), .done = done };
	struct session_filter filter = { 0 };
	told_count = 0;
	engine_change(play.engine, &change);
	assert_int_equal(engine_disconnect(play.engine, &filter, DISCONNECT_ADMIN, 0), OK);
	engine_free(&play.engine);
	assert_int_equal(told_count, 1);
	assert_int_equal(told, ERR_DRAINING);
	err_note_clear();
}

static void without_memory_a_change_leaves_all_as_it_was(void **state)
{
	(void)state;
	listen_to(SESSION_SSE_ENVELOPE, "a", NULL, NULL);
	struct wanted add[] = { { .name = SLICE("b"), .start.kind = START_NOW },
				{ .name = SLICE("c"), .start.kind = START_NOW } };
	enum err err = ERR_NOMEM;
	for (int i = 0; err == ERR_NOMEM; i++) {
		mem_fail_after(i);
		err = ask((struct change){ .add = add, .add_count = 2 });
		mem_fail_after(-1);
		if (engine_counts(play.engine).closed_nomem)
			break; /* it stood, and could not be told */
	}
	assert_true(err == OK || engine_counts(play.engine).closed_nomem);
}

static int setup(void **state)
{
	(void)state;
	struct engine_config config = play_config();
	config.may_read = may_read;
	play_init(&play, config);
	buf_init(&buf, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	play_fini(&play);
	buf_fini(&buf);
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_stream_that_is_added_continues_at_its_place),
		TEST(a_stream_that_is_cold_is_added_when_it_is_live),
		TEST(a_stream_that_is_dropped_is_heard_no_more),
		TEST(when_only_ended_streams_are_left_the_session_ends),
		TEST(one_stream_without_envelope_stays_alone),
		TEST(a_new_token_gives_more_time_and_takes_what_it_may_not_hear),
		TEST(those_that_fit_are_disconnected_and_no_others),
		TEST(a_list_names_sessions_without_giving_them_away),
		TEST(what_an_engine_cannot_do_any_more_is_told),
		TEST(without_memory_a_change_leaves_all_as_it_was),
	};
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}

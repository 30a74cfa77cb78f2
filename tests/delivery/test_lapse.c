/* The end of a token's time, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"
#include "play.h"

static struct play play;
static struct buf buf;
static int fd;
static unsigned freed;

static void grants_free(void *grants)
{
	*(unsigned *)grants += 1;
}

static struct bearer *bearer_for(uint64_t ms)
{
	struct bearer *bearer = NULL;
	struct bearer_terms terms = {
		.expires_ms = ms == BEARER_NEVER ? ms : play_wall_ms(&play) + ms,
		.sub = SLICE("ann"), .jti = SLICE("j1"), .grants = &freed,
		.grants_free = grants_free,
	};
	assert_int_equal(bearer_new(&terms, &bearer), OK);
	return bearer;
}

static struct wanted wanted;

static struct ticket ticket_of(enum session_form form, struct bearer *bearer)
{
	wanted = (struct wanted){ .name = SLICE("a"), .start.kind = START_NOW };
	fd = play_connect(&play);
	return (struct ticket){ .fd = fd, .form = form, .notices = true, .wanted = &wanted,
				.wanted_count = 1, .head = SLICE("HEAD\n"), .bearer = bearer };
}

static void listen_for(enum session_form form, uint64_t ms)
{
	struct bearer *bearer = bearer_for(ms);
	struct ticket ticket = ticket_of(form, bearer);
	assert_int_equal(engine_adopt(play.engine, play.loop, &ticket), OK);
	bearer_unref(&bearer);
}

static void a_bearer_keeps_what_it_was_told(void **state)
{
	(void)state;
	struct bearer *bearer = bearer_for(1000);
	assert_true(slice_equal(bearer_sub(bearer), SLICE("ann")));
	assert_true(slice_equal(bearer_jti(bearer), SLICE("j1")));
	assert_ptr_equal(bearer_grants(bearer), &freed);
	assert_true(bearer_valid(bearer, bearer_expires_ms(bearer) - 1));
	assert_false(bearer_valid(bearer, bearer_expires_ms(bearer)));
	struct bearer *twin = bearer_ref(bearer);
	bearer_unref(&bearer);
	assert_int_equal(freed, 0);
	bearer_revoke(twin);
	assert_false(bearer_valid(twin, 0));
	bearer_unref(&twin);
	assert_int_equal(freed, 1);
	assert_true(bearer_valid(NULL, UINT64_MAX));
}

static void a_listener_is_warned_and_then_closed_in_time(void **state)
{
	(void)state;
	listen_for(SESSION_SSE, 300000);
	play_turn(&play, 239000);
	assert_true(play_hear(&play, fd, &buf));
	assert_false(has(&buf, "tapecast.auth"));
	play_turn(&play, 22000);
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "event: tapecast.auth\ndata: {\"expires_in\":"));
	play_turn(&play, 38900);
	play_say(&play, "a", "in time");
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "in time"));
	play_turn(&play, 200);
	play_say(&play, "a", "too late");
	assert_false(play_hear(&play, fd, &buf));
	assert_false(has(&buf, "too late"));
	assert_int_equal(engine_counts(play.engine).closed_expired, 1);
	assert_int_equal(engine_counts(play.engine).sessions_now, 0);
	assert_int_equal(freed, 1);
}

static void who_has_little_time_is_warned_when_half_of_it_is_over(void **state)
{
	(void)state;
	listen_for(SESSION_NDJSON, 10000);
	play_turn(&play, 4900);
	assert_true(play_hear(&play, fd, &buf));
	assert_false(has(&buf, "tapecast.auth"));
	play_turn(&play, 200);
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "{\"event\":\"tapecast.auth\",\"id\":\"0\","
			      "\"data\":{\"expires_in\":5}}\n"));
	play_turn(&play, 5000);
	assert_false(play_hear(&play, fd, &buf));
}

static void a_token_without_an_end_never_lapses(void **state)
{
	(void)state;
	listen_for(SESSION_SSE, BEARER_NEVER);
	play_turn(&play, 400000);
	assert_true(play_hear(&play, fd, &buf));
	assert_false(has(&buf, "tapecast.auth"));
}

static void a_clock_that_is_set_forward_ends_sessions_before_they_are_given_more(void **state)
{
	(void)state;
	listen_for(SESSION_SSE, 600000);
	play_turn(&play, 1000);
	play_wall_shift(&play, 3600000);
	play_say(&play, "a", "too late");
	assert_false(play_hear(&play, fd, &buf));
	assert_false(has(&buf, "too late"));
}

static void a_clock_that_is_set_back_gives_them_longer(void **state)
{
	(void)state;
	listen_for(SESSION_SSE, 100000);
	play_turn(&play, 1000);
	play_wall_shift(&play, -100000);
	play_turn(&play, 150000);
	assert_true(play_hear(&play, fd, &buf));
	play_turn(&play, 60000);
	assert_false(play_hear(&play, fd, &buf));
}

static void a_token_that_has_lapsed_is_not_let_in(void **state)
{
	(void)state;
	struct bearer *bearer = bearer_for(0);
	struct ticket ticket = ticket_of(SESSION_SSE, bearer);
	assert_int_equal(engine_adopt(play.engine, play.loop, &ticket), ERR_DENIED);
	err_note_clear();
	bearer_unref(&bearer);
	play.world->world.ops->close(&play.world->world, fd);
}

static void who_reads_nothing_is_closed_all_the_same(void **state)
{
	(void)state;
	char large[4000];
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = 0;
	listen_for(SESSION_SSE, 20000);
	for (int i = 0; i < 12; i++)
		play_say(&play, "a", large);
	play_turn(&play, 20050);
	assert_int_equal(engine_counts(play.engine).closed_expired, 1);
}

static void a_refused_stream_is_named_by_the_open_block(void **state)
{
	(void)state;
	struct refused refused[] = { { SLICE("b"), "forbidden" }, { SLICE("c"), "not_found" } };
	struct ticket ticket = ticket_of(SESSION_SSE_ENVELOPE, NULL);
	ticket.refused = refused;
	ticket.refused_count = 2;
	assert_int_equal(engine_adopt(play.engine, play.loop, &ticket), OK);
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "\"recovered\":false,\"refused\":[{\"stream\":\"b\",\"code\":"
			      "\"forbidden\"},{\"stream\":\"c\",\"code\":\"not_found\"}]}"));
}

static size_t count_of(const char *text)
{
	size_t count = 0, bytes = strlen(text);
	for (size_t i = 0; i + bytes <= buf.bytes; i++)
		count += memcmp(buf.at + i, text, bytes) == 0;
	return count;
}

static void a_streams_own_pace_holds_for_those_who_ask_for_none(void **state)
{
	(void)state;
	play.bounds.interval_ms = 2000;
	play.bounds.heartbeat_ms = 5000;
	listen_for(SESSION_SSE, BEARER_NEVER);
	play_say(&play, "a", "first");
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "first"));
	play_say(&play, "a", "second");
	play_turn(&play, 1900);
	assert_true(play_hear(&play, fd, &buf));
	assert_false(has(&buf, "second"));
	play_turn(&play, 150);
	assert_true(play_hear(&play, fd, &buf));
	assert_true(has(&buf, "second"));
	play_turn(&play, 16000);
	assert_true(play_hear(&play, fd, &buf));
	assert_int_equal(count_of(":\n"), 3);
	assert_int_equal(engine_counts(play.engine).sessions_of_form[SESSION_SSE], 1);
}

static int setup(void **state)
{
	(void)state;
	freed = 0;
	play_init(&play, play_config());
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
		TEST(a_bearer_keeps_what_it_was_told),
		TEST(a_listener_is_warned_and_then_closed_in_time),
		TEST(who_has_little_time_is_warned_when_half_of_it_is_over),
		TEST(a_token_without_an_end_never_lapses),
		TEST(a_clock_that_is_set_forward_ends_sessions_before_they_are_given_more),
		TEST(a_clock_that_is_set_back_gives_them_longer),
		TEST(a_token_that_has_lapsed_is_not_let_in),
		TEST(who_reads_nothing_is_closed_all_the_same),
		TEST(a_streams_own_pace_holds_for_those_who_ask_for_none),
		TEST(a_refused_stream_is_named_by_the_open_block),
	};
	return cmocka_run_group_tests_name("lapse", tests, NULL, NULL);
}

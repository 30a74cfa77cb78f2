#include "delivery/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "stage.h"

/* A tape of prices, one reader that keeps up and one that stands still for a while. */
struct market {
	struct stage stage;
	struct wanted wanted;
	int quick, slow;
	struct buf quick_buf, slow_buf;
};

static void market_open(struct market *market, enum session_form form, enum slow_policy policy,
			uint32_t events_max)
{
	stage_init(&market->stage, stage_config(),
		   (struct tape_bounds){ .events_max = events_max, .bytes_max = 1 << 26,
					 .age_ms_max = 3600000, .slow = policy });
	struct ticket ticket = stage_ticket(&market->wanted, "a", form, &market->quick);
	stage_adopt(&market->stage, &ticket);
	ticket = stage_ticket(&market->wanted, "a", form, &market->slow);
	stage_adopt(&market->stage, &ticket);
	buf_init(&market->quick_buf, 1 << 26);
	buf_init(&market->slow_buf, 1 << 26);
}

static void market_close(struct market *market)
{
	close(market->quick);
	close(market->slow);
	stage_turn(&market->stage, 0);
	stage_fini(&market->stage);
	buf_fini(&market->quick_buf);
	buf_fini(&market->slow_buf);
}

static void market_trade(struct market *market, int rounds)
{
	static const char *const keys[] = { "eur", "usd", "jpy" };
	char data[3000];
	memset(data, '.', sizeof data - 1);
	data[sizeof data - 1] = '\0';
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < 3; i++) {
			int bytes = snprintf(data, sizeof data, "%s=%d ", keys[i], round);
			data[bytes] = '.';
			stage_tell(&market->stage, "a", (struct draft){ .data = slice_of(data),
				.key = slice_of(keys[i]) });
		}
		assert_true(stage_hear(&market->stage, market->quick, &market->quick_buf));
	}
}

static size_t count_of(const struct buf *buf, const char *text)
{
	size_t count = 0;
	for (size_t i = 0; i + strlen(text) <= buf->bytes; i++)
		count += memcmp(buf->at + i, text, strlen(text)) == 0;
	return count;
}

static void who_lags_gets_the_newest_of_each_key_and_is_told_how_many_were_folded(void **state)
{
	(void)state;
	for (int form = SESSION_SSE; form <= SESSION_NDJSON; form++) {
		struct market market;
		market_open(&market, (enum session_form)form, SLOW_COALESCE, 5000);
		market_trade(&market, 300);
		assert_int_equal(count_of(&market.quick_buf, "eur="), 300);
		assert_false(heard(&market.quick_buf, "tapecast.folded"));
		assert_true(stage_hear(&market.stage, market.slow, &market.slow_buf));
		size_t given = count_of(&market.slow_buf, "eur=");
		given += count_of(&market.slow_buf, "usd=") + count_of(&market.slow_buf, "jpy=");
		assert_true(given < 450);
		assert_true(heard(&market.slow_buf, "eur=299 "));
		assert_true(heard(&market.slow_buf, "usd=299 "));
		assert_true(heard(&market.slow_buf, "jpy=299 "));
		assert_false(heard(&market.slow_buf, "tapecast.gap"));
		char folded[32];
		snprintf(folded, sizeof folded, "\"count\":%zu}", 900 - given);
		assert_true(heard(&market.slow_buf, "tapecast.folded"));
		assert_true(heard(&market.slow_buf, folded));
		/* At the head again it is given everything. */
		buf_reset(&market.slow_buf);
		stage_say(&market.stage, "a", "closing time");
		assert_true(stage_hear(&market.stage, market.slow, &market.slow_buf));
		assert_true(heard(&market.slow_buf, "closing time"));
		market_close(&market);
	}
}

static void what_was_folded_is_told_before_the_end(void **state)
{
	(void)state;
	struct market market;
	market_open(&market, SESSION_SSE, SLOW_COALESCE, 5000);
	market_trade(&market, 300);
	stage_end(&market.stage, "a", END_COMPLETE);
	assert_false(stage_hear(&market.stage, market.slow, &market.slow_buf));
	struct slice all = buf_slice(&market.slow_buf);
	const char *folded = memmem(all.at, all.bytes, "tapecast.folded", 15);
	const char *end = memmem(all.at, all.bytes, "tapecast.end", 12);
	assert_true(folded && end && folded < end);
	market_close(&market);
}

static void who_is_overtaken_is_closed_if_the_policy_says_so(void **state)
{
	(void)state;
	struct market market;
	market_open(&market, SESSION_SSE, SLOW_CLOSE, 20);
	market_trade(&market, 300);
	assert_false(stage_hear(&market.stage, market.slow, &market.slow_buf));
	assert_false(heard(&market.slow_buf, "tapecast.gap"));
	assert_int_equal(engine_counts(market.stage.engine).closed_overtaken, 1);
	assert_int_equal(engine_counts(market.stage.engine).sessions_now, 1);
	market_close(&market);
}

static int nothing_lives(void **state)
{
	(void)state;
	return mem_live() == 0 ? 0 : -1;
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_teardown(fn, nothing_lives)
	const struct CMUnitTest tests[] = {
		TEST(who_lags_gets_the_newest_of_each_key_and_is_told_how_many_were_folded),
		TEST(what_was_folded_is_told_before_the_end),
		TEST(who_is_overtaken_is_closed_if_the_policy_says_so),
	};
	return cmocka_run_group_tests_name("slow", tests, NULL, NULL);
}

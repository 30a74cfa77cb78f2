/*
 * Facts and words: what nodes of a store tell each other beside streams.
 */
#include "conformance/backplane_suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"
#include "conformance/backplane_rig.h"

static const struct backplane_factory *factory;
static const struct tape_bounds bounds = { .events_max = 10, .bytes_max = 1 << 20,
		.age_ms_max = 86400000 };

struct putting {
	struct fact fact; /* first */
	atomic_bool answered;
};

static void put_answered(struct fact *fact)
{
	struct putting *putting = (struct putting *)fact;
	assert_false(atomic_load(&putting->answered));
	atomic_store(&putting->answered, true);
}

static enum err put_in(struct rig *rig, struct backplane *backplane, struct slice key,
		       struct slice value, uint64_t ttl_ms)
{
	struct putting putting = { .fact = { .set = SLICE("revoked"), .key = key, .value = value,
					     .ttl_ms = ttl_ms, .done = put_answered } };
	backplane->ops->fact_put(backplane, &putting.fact);
	rig_wait(rig, &putting.answered);
	return putting.fact.err;
}

static enum err put(struct rig *rig, const char *key, const char *value, uint64_t ttl_ms)
{
	return put_in(rig, rig->backplane, slice_of(key), slice_of(value), ttl_ms);
}

enum { LISTED_MAX = 8 };

struct listing {
	struct fact_list list; /* first */
	atomic_bool answered;
	size_t count;
	struct {
		char key[BACKPLANE_FACT_KEY_MAX + 1];
		char value[BACKPLANE_FACT_VALUE_MAX + 1];
		uint64_t left_ms;
	} facts[LISTED_MAX];
};

static void each(struct fact_list *list, struct slice key, struct slice value, uint64_t left_ms)
{
	struct listing *listing = (struct listing *)list;
	if (listing->count < LISTED_MAX) {
		memcpy(listing->facts[listing->count].key, key.at, key.bytes);
		if (value.bytes)
			memcpy(listing->facts[listing->count].value, value.at, value.bytes);
		listing->facts[listing->count].left_ms = left_ms;
	}
	listing->count++;
}

static void list_answered(struct fact_list *list)
{
	atomic_store(&((struct listing *)list)->answered, true);
}

static void list_in(struct rig *rig, struct backplane *backplane, const char *set,
		    struct listing *listing)
{
	*listing = (struct listing){ .list = { .set = slice_of(set), .each = each,
					       .done = list_answered } };
	backplane->ops->fact_list(backplane, &listing->list);
	rig_wait(rig, &listing->answered);
	assert_int_equal(listing->list.err, OK);
}

static void a_fact_is_listed_with_what_is_left_of_its_time(void **state)
{
	struct rig *rig = *state;
	struct listing listing;
	list_in(rig, rig->backplane, "revoked", &listing);
	assert_int_equal(listing.count, 0);
	assert_int_equal(put(rig, "jti:1", "why", 60000), OK);
	list_in(rig, rig->backplane, "revoked", &listing);
	assert_int_equal(listing.count, 1);
	assert_string_equal(listing.facts[0].key, "jti:1");
	assert_string_equal(listing.facts[0].value, "why");
	assert_in_range(listing.facts[0].left_ms, 1, 60000);
	list_in(rig, rig->backplane, "other", &listing);
	assert_int_equal(listing.count, 0);
}

static void a_newer_value_replaces(void **state)
{
	struct rig *rig = *state;
	struct listing listing;
	assert_int_equal(put(rig, "k", "old", 1000), OK);
	assert_int_equal(put(rig, "k", "", 90000), OK);
	assert_int_equal(put(rig, "l", "other", 90000), OK);
	list_in(rig, rig->backplane, "revoked", &listing);
	assert_int_equal(listing.count, 2);
	size_t k = listing.facts[0].key[0] == 'k' ? 0 : 1;
	assert_string_equal(listing.facts[k].value, "");
	assert_in_range(listing.facts[k].left_ms, 1001, 90000);
	assert_string_equal(listing.facts[1 - k].value, "other");
}

static void a_fact_goes_when_its_time_is_over_or_it_is_taken_back(void **state)
{
	struct rig *rig = *state;
	struct listing listing;
	assert_int_equal(put(rig, "short", "x", 5), OK);
	assert_int_equal(put(rig, "long", "x", 60000), OK);
	for (int i = 0; i < 100000; i++) {
		list_in(rig, rig->backplane, "revoked", &listing);
		if (listing.count == 1)
			break;
	}
	assert_int_equal(listing.count, 1);
	assert_string_equal(listing.facts[0].key, "long");
	assert_int_equal(put(rig, "long", "", 0), OK);
	list_in(rig, rig->backplane, "revoked", &listing);
	assert_int_equal(listing.count, 0);
	assert_int_equal(put(rig, "never", "", 0), OK);
}

static void any_bytes_make_a_fact_up_to_its_bound(void **state)
{
	struct rig *rig = *state;
	char key[BACKPLANE_FACT_KEY_MAX + 1], value[BACKPLANE_FACT_VALUE_MAX + 1];
	struct listing listing;
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (char)(i == 0 ? 255 : i);
	for (size_t i = 0; i < sizeof value; i++)
		value[i] = (char)i;
	assert_int_equal(put_in(rig, rig->backplane, slice_from(key, sizeof key), SLICE(""), 1000),
			 ERR_TOO_BIG);
	assert_int_equal(put_in(rig, rig->backplane, SLICE("k"), slice_from(value, sizeof value),
				1000), ERR_TOO_BIG);
	assert_int_equal(put_in(rig, rig->backplane, slice_from(key, sizeof key - 1),
				slice_from(value, sizeof value - 1), 60000), OK);
	list_in(rig, rig->backplane, "revoked", &listing);
	assert_int_equal(listing.count, 1);
	assert_memory_equal(listing.facts[0].key, key, sizeof key - 1);
	assert_memory_equal(listing.facts[0].value, value, sizeof value - 1);
}

static void a_set_has_a_bound_and_what_is_over_makes_room(void **state)
{
	struct rig *rig = *state;
	struct listing listing;
	char key[16];
	for (int i = 0; i < BACKPLANE_FACTS_MAX; i++) {
		(void)snprintf(key, sizeof key, "%d", i);
		assert_int_equal(put(rig, key, "", i < 2 ? 1 : 600000), OK);
	}
	list_in(rig, rig->backplane, "revoked", &listing);
	assert_int_equal(listing.count, BACKPLANE_FACTS_MAX - 2);
	assert_int_equal(put(rig, "one", "", 600000), OK);
	assert_int_equal(put(rig, "two", "", 600000), OK);
	assert_int_equal(put(rig, "three", "", 600000), ERR_FULL);
	assert_int_equal(put(rig, "one", "replaced", 600000), OK);
	list_in(rig, rig->backplane, "revoked", &listing);
	assert_int_equal(listing.count, BACKPLANE_FACTS_MAX);
}

static void a_word_is_heard_by_who_says_it(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(rig->backplane->ops->tell(rig->backplane, SLICE("one")), OK);
	assert_int_equal(rig->backplane->ops->tell(rig->backplane, SLICE("two")), OK);
	rig_wait_words(rig, 2);
	assert_string_equal(rig->words[0].begin, "one");
	assert_string_equal(rig->words[1].begin, "two");
}

static void a_word_has_a_bound(void **state)
{
	struct rig *rig = *state;
	char *bytes = mem_zalloc(BACKPLANE_TELL_BYTES_MAX + 1);
	assert_non_null(bytes);
	struct slice whole = slice_from(bytes, BACKPLANE_TELL_BYTES_MAX);
	assert_int_equal(rig->backplane->ops->tell(rig->backplane, whole), OK);
	whole.bytes++;
	assert_int_equal(rig->backplane->ops->tell(rig->backplane, whole), ERR_TOO_BIG);
	rig_wait_words(rig, 1);
	assert_int_equal(rig->words[0].bytes, BACKPLANE_TELL_BYTES_MAX);
	mem_free(bytes);
}

static void nodes_hear_each_other_and_share_facts(void **state)
{
	struct rig *rig = *state, other = { .factory = factory };
	struct listing listing;
	if (!factory->join)
		return;
	pthread_mutex_init(&other.lock, NULL);
	other.backplane = factory->join(rig_ear(&other));
	assert_non_null(other.backplane);
	assert_int_equal(rig->backplane->ops->tell(rig->backplane, SLICE("here")), OK);
	rig_wait_words(&other, 1);
	rig_wait_words(rig, 1);
	assert_int_equal(put_in(&other, other.backplane, SLICE("k"), SLICE("v"), 60000), OK);
	list_in(rig, rig->backplane, "revoked", &listing);
	assert_int_equal(listing.count, 1);
	assert_true(atomic_load(&other.missed_count) >= 1);
	other.backplane->ops->free(&other.backplane);
	pthread_mutex_destroy(&other.lock);
}

static void its_health_and_counts_tell_what_it_does(void **state)
{
	struct rig *rig = *state;
	struct backplane_health health;
	struct backplane_counts counts;
	rig->backplane->ops->health(rig->backplane, &health);
	assert_true(health.ready);
	assert_in_range(health.echo_age_ms, 0, 5000);
	assert_in_range(health.echo_us, 0, 5000000);
	rig_say(rig, "a", "one");
	rig_ask(rig, &(struct ask){ .name = "a", .texts = { "two", "three" } });
	rig->backplane->ops->counts(rig->backplane, &counts);
	assert_int_equal(counts.commits, 2);
	assert_int_equal(counts.committed_events, 3);
	assert_int_equal(counts.disconnects, 0);
	assert_int_equal(counts.lost_tails, 0);
	assert_int_equal(counts.posts_waiting, 0);
}

static int setup(void **state)
{
	*state = rig_new(factory, bounds);
	return 0;
}

static int teardown(void **state)
{
	rig_free((struct rig **)state);
	return mem_live() == 0 ? 0 : -1;
}

int backplane_words_run(const struct backplane_factory *which)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_fact_is_listed_with_what_is_left_of_its_time),
		TEST(a_newer_value_replaces),
		TEST(a_fact_goes_when_its_time_is_over_or_it_is_taken_back),
		TEST(any_bytes_make_a_fact_up_to_its_bound),
		TEST(a_set_has_a_bound_and_what_is_over_makes_room),
		TEST(a_word_is_heard_by_who_says_it),
		TEST(a_word_has_a_bound),
		TEST(nodes_hear_each_other_and_share_facts),
		TEST(its_health_and_counts_tell_what_it_does),
	};
	factory = which;
	return cmocka_run_group_tests_name("facts and words", tests, NULL, NULL);
}

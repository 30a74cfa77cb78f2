#include "stream/tape.h"

#include "tape_lab.h"

/* What a tape of SLOW_COALESCE spares a reader, against a walk over everything that was said. */

enum { SAID_MAX = 300, KEYS = 6 };

struct scene {
	struct tape *tape;
	struct event *said[SAID_MAX];
	unsigned count;
	uint64_t chance;
};

static unsigned draw(struct scene *scene, unsigned below)
{
	scene->chance = scene->chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)((scene->chance >> 33) % below);
}

static void say(struct scene *scene)
{
	static const char *const keys[KEYS] = { "", "", "eur", "usd", "gbp", "jpy" };
	struct buf data;
	buf_init(&data, 64);
	assert_int_equal(buf_putf(&data, "value %u", scene->count), OK);
	struct said said = { .draft = { .data = buf_slice(&data),
					.key = slice_of(keys[draw(scene, KEYS)]) } };
	struct event *event = lab_event(lab_position(1, scene->count + 1, 0), &said);
	buf_fini(&data);
	assert_int_equal(tape_append(scene->tape, event, 0), OK);
	scene->said[scene->count++] = event;
}

static bool has_newer(const struct scene *scene, unsigned at)
{
	struct slice key = event_key(scene->said[at]);
	for (unsigned i = at + 1; key.bytes && i < scene->count; i++)
		if (slice_equal(event_key(scene->said[i]), key))
			return true;
	return false;
}

/* Everything from the tail on, as one who lags would be given it. */
static uint64_t read_folded(const struct scene *scene, struct buf *buf)
{
	struct peek peek = { .form = FORM_SSE, .ord = tape_tail_ord(scene->tape), .lagging = true,
			     .fold = true };
	struct position at = { 0 };
	uint64_t folded = 0;
	for (;;) {
		struct view view;
		tape_peek(scene->tape, &peek, &at, &view);
		if (view.kind == VIEW_NOTHING)
			return folded;
		assert_int_equal(view.kind, VIEW_BYTES);
		if (view.bytes.bytes)
			assert_int_equal(buf_put(buf, view.bytes), OK);
		folded += view.folded;
		peek.ord = view.end_ord;
		at = view.end_at;
		view_done(&view);
	}
}

static void of_each_key_the_newest_is_given_and_the_rest_counted(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct scene scene = { .chance = seed };
		struct tape_bounds bounds = lab_bounds(1 + draw(&scene, 40));
		bounds.slow = SLOW_COALESCE;
		scene.tape = lab_tape(bounds);
		assert_int_equal(tape_use(scene.tape, FORM_SSE), OK);
		while (scene.count < SAID_MAX) {
			say(&scene);
			if (draw(&scene, 4))
				continue;
			struct buf got, want;
			buf_init(&got, 1 << 20);
			buf_init(&want, 1 << 20);
			uint64_t folded = 0;
			unsigned first = (unsigned)tape_tail_ord(scene.tape);
			for (unsigned i = first; i < scene.count; i++) {
				if (has_newer(&scene, i))
					folded++;
				else
					lab_frame(scene.said[i], FORM_SSE, &want);
			}
			assert_int_equal(read_folded(&scene, &got), folded);
			assert_true(slice_equal(buf_slice(&got), buf_slice(&want)));
			buf_fini(&got);
			buf_fini(&want);
		}
		for (unsigned i = 0; i < scene.count; i++)
			event_unref(&scene.said[i]);
		tape_free(&scene.tape);
	}
}

static void without_the_policy_nothing_is_folded(void **state)
{
	(void)state;
	struct scene scene = { .chance = 7 };
	scene.tape = lab_tape(lab_bounds(SAID_MAX));
	assert_int_equal(tape_use(scene.tape, FORM_SSE), OK);
	while (scene.count < SAID_MAX)
		say(&scene);
	struct buf got;
	buf_init(&got, 1 << 20);
	assert_int_equal(read_folded(&scene, &got), 0);
	buf_fini(&got);
	for (unsigned i = 0; i < scene.count; i++)
		event_unref(&scene.said[i]);
	tape_free(&scene.tape);
}

static void a_key_that_finds_no_memory_refuses_the_append(void **state)
{
	(void)state;
	struct tape_bounds bounds = lab_bounds(10);
	bounds.slow = SLOW_COALESCE;
	struct tape *tape = lab_tape(bounds);
	struct said said = { .draft = { .data = SLICE("x"), .key = SLICE("k") } };
	struct event *event = lab_event(lab_position(1, 1, 0), &said);
	mem_fail_after(0);
	assert_int_equal(tape_append(tape, event, 0), ERR_NOMEM);
	mem_fail_after(-1);
	assert_int_equal(tape_head_ord(tape), 0);
	assert_int_equal(tape_append(tape, event, 0), OK);
	event_unref(&event);
	tape_free(&tape);
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
		TEST(of_each_key_the_newest_is_given_and_the_rest_counted),
		TEST(without_the_policy_nothing_is_folded),
		TEST(a_key_that_finds_no_memory_refuses_the_append),
	};
	return cmocka_run_group_tests_name("tape_fold", tests, NULL, NULL);
}

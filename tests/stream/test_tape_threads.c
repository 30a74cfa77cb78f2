#include <pthread.h>
#include <stdatomic.h>

#include "stream/hub.h"
#include "tape_lab.h"

/*
 * One appender and three readers of one stream, whose tape is trimmed all the time. The readers
 * read pinned bytes without the lock; length and letter of an event follow from its number, so that
 * a byte out of place shows.
 */
enum { EVENT_COUNT = 6000, READER_COUNT = 3, DATA_BYTES_MAX = 1500 };

struct scene {
	struct hub *hub;
	struct stream *stream;
	_Atomic bool failed;
};

static size_t data_of(uint64_t seq, char data[DATA_BYTES_MAX])
{
	size_t bytes = 1 + seq * 7919 % DATA_BYTES_MAX;
	memset(data, (int)('a' + seq % 26), bytes);
	return bytes;
}

static void *append_all(void *arg)
{
	struct scene *scene = arg;
	for (uint64_t seq = 1; seq <= EVENT_COUNT && !scene->failed; seq++) {
		char data[DATA_BYTES_MAX];
		struct event *event = NULL;
		struct draft draft = { .data = slice_from(data, data_of(seq, data)) };
		if (event_new(&draft, 0, seq, &event) != OK) {
			scene->failed = true;
			break;
		}
		event->position = lab_position(1, seq, 0);
		stream_lock(scene->stream);
		if (tape_append(stream_tape(scene->stream), event, seq) != OK)
			scene->failed = true;
		stream_unlock(scene->stream);
		event_unref(&event);
	}
	return NULL;
}

/* The bytes are the frames of events first..last, without the first `skip` bytes. */
static bool frames_are(struct slice bytes, uint64_t first, uint64_t last, uint32_t skip)
{
	struct buf expected;
	buf_init(&expected, SIZE_MAX / 4);
	enum err err = OK;
	for (uint64_t seq = first; seq <= last && !err; seq++) {
		char data[DATA_BYTES_MAX];
		const struct encode_event event = {
			.data = slice_from(data, data_of(seq, data)),
			.position = lab_position(1, seq, 0),
			.has_position = true,
		};
		err = encode_sse(&event, &expected);
	}
	buf_eat(&expected, skip);
	bool same = !err && slice_equal(bytes, buf_slice(&expected));
	buf_fini(&expected);
	return same;
}

struct reader {
	struct scene *scene;
	struct peek peek;
	struct position at;
	uint64_t step;
};

/* Bytes were seen; every third time only a part of them was sent. */
static bool reader_take(struct reader *reader, struct view *view)
{
	bool good = frames_are(view->bytes, view->ord + 1, view->end_ord, view->skip);
	reader->peek.ord = view->end_ord;
	reader->peek.skip = 0;
	reader->at = view->end_at;
	if (++reader->step % 3 == 0) {
		size_t sent = view->bytes.bytes * (reader->step % 7) / 7;
		struct partial part;
		stream_lock(reader->scene->stream);
		tape_partial(stream_tape(reader->scene->stream), view, sent, &part);
		stream_unlock(reader->scene->stream);
		/* The rest is sent from the pinned bytes, as it must be if the tail has passed. */
		good = good && frames_are(slice_from(view->bytes.at + sent, part.rest),
					  part.ord + 1, part.ord + 1, part.skip);
		reader->peek.ord = part.ord + 1;
		reader->at = lab_position(1, part.ord + 1, 0);
		good = good && (!part.known || position_equal(&part.after, &reader->at));
	}
	return good;
}

static void *read_all(void *arg)
{
	struct reader *reader = arg;
	struct stream *stream = reader->scene->stream;
	while (reader->peek.ord < EVENT_COUNT && !reader->scene->failed) {
		struct view view;
		stream_lock(stream);
		tape_peek(stream_tape(stream), &reader->peek, &reader->at, &view);
		stream_unlock(stream);
		bool good = true;
		if (view.kind == VIEW_BYTES) {
			good = reader_take(reader, &view);
		} else if (view.kind == VIEW_OVERTAKEN) {
			good = view.gap.lost_known &&
			       view.gap.lost == view.end_ord - reader->peek.ord;
			reader->peek.ord = view.end_ord;
			reader->at = view.end_at;
		} else {
			good = view.kind == VIEW_NOTHING;
			sched_yield();
		}
		good = good && reader->at.seq == reader->peek.ord;
		view_done(&view);
		if (!good)
			reader->scene->failed = true;
	}
	return NULL;
}

static struct tape_bounds bounds_of(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return (struct tape_bounds){ .events_max = 200, .bytes_max = 60000, .age_ms_max = 1000 };
}

static void readers_never_see_a_byte_out_of_place(void **state)
{
	(void)state;
	struct scene scene = { .failed = false };
	const struct hub_config config = { .streams_max = 1, .bytes_max = SIZE_MAX,
					   .bounds_of = bounds_of };
	assert_int_equal(hub_new(&config, &scene.hub), OK);
	assert_int_equal(hub_get(scene.hub, SLICE("s"), &scene.stream), OK);
	stream_lock(scene.stream);
	assert_int_equal(tape_use(stream_tape(scene.stream), FORM_SSE), OK);
	stream_unlock(scene.stream);

	pthread_t threads[READER_COUNT + 1];
	struct reader readers[READER_COUNT];
	for (uint32_t i = 0; i < READER_COUNT; i++) {
		readers[i] = (struct reader){ .scene = &scene, .peek.events_max = i, .step = i };
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, &readers[i]), 0);
	}
	assert_int_equal(pthread_create(&threads[READER_COUNT], NULL, append_all, &scene), 0);
	for (int i = 0; i <= READER_COUNT; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	assert_false(scene.failed);
	for (int i = 0; i < READER_COUNT; i++)
		assert_int_equal(readers[i].peek.ord, EVENT_COUNT);
	hub_put(scene.hub, &scene.stream, 0);
	hub_free(&scene.hub);
	assert_int_equal(mem_live(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_never_see_a_byte_out_of_place),
	};
	return cmocka_run_group_tests_name("tape_threads", tests, NULL, NULL);
}

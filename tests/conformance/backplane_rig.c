#include "conformance/backplane_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

enum { STEPS_MAX = 5000 };

static void copy_text(char to[HEARD_TEXT_MAX], struct slice text)
{
	size_t bytes = text.bytes < HEARD_TEXT_MAX - 1 ? text.bytes : HEARD_TEXT_MAX - 1;
	if (bytes)
		memcpy(to, text.at, bytes);
	to[bytes] = '\0';
}

static void rig_pushed(void *arg, const struct push *push)
{
	struct rig *rig = arg;
	struct position parent = push->parent;
	pthread_mutex_lock(&rig->lock);
	for (size_t i = 0; i < push->count && rig->heard_count < HEARD_MAX; i++) {
		struct heard *heard = &rig->heard[rig->heard_count++];
		*heard = (struct heard){
			.parent = parent,
			.position = push->events[i]->position,
			.group_at = i,
			.group_count = push->count,
			.end = push->events[i]->end,
			.ephemeral = push->events[i]->ephemeral,
			.dropped = push->dropped,
		};
		copy_text(heard->name, push->name);
		copy_text(heard->data, event_data(push->events[i]));
		parent = heard->position;
	}
	pthread_mutex_unlock(&rig->lock);
}

static void rig_heard_word(void *arg, struct slice bytes)
{
	struct rig *rig = arg;
	pthread_mutex_lock(&rig->lock);
	size_t at = atomic_load(&rig->word_count);
	if (at < WORDS_MAX) {
		rig->words[at].bytes = bytes.bytes;
		copy_text(rig->words[at].begin, bytes);
	}
	atomic_store(&rig->word_count, at + 1);
	pthread_mutex_unlock(&rig->lock);
}

static void rig_missed(void *arg)
{
	atomic_fetch_add(&((struct rig *)arg)->missed_count, 1);
}

struct backplane_ear rig_ear(struct rig *rig)
{
	return (struct backplane_ear){ rig, rig_heard_word, rig_missed };
}

struct rig *rig_new(const struct backplane_factory *factory, struct tape_bounds bounds)
{
	struct rig *rig = mem_zalloc(sizeof *rig);
	assert_non_null(rig);
	rig->heard = mem_zalloc_array(HEARD_MAX, sizeof *rig->heard);
	assert_non_null(rig->heard);
	pthread_mutex_init(&rig->lock, NULL);
	rig->factory = factory;
	rig->backplane = factory->make(bounds, rig_ear(rig));
	assert_non_null(rig->backplane);
	rig->backplane->sink = (struct backplane_sink){ .arg = rig, .pushed = rig_pushed };
	return rig;
}

void rig_free(struct rig **rig)
{
	if (!*rig)
		return;
	(*rig)->backplane->ops->free(&(*rig)->backplane);
	pthread_mutex_destroy(&(*rig)->lock);
	mem_free((*rig)->heard);
	mem_free(*rig);
	*rig = NULL;
}

static void rig_step(struct rig *rig)
{
	if (rig->factory->step)
		rig->factory->step(rig->backplane);
}

void rig_wait(struct rig *rig, const atomic_bool *flag)
{
	for (int i = 0; i < STEPS_MAX && !atomic_load(flag); i++)
		rig_step(rig);
	assert_true(atomic_load(flag));
}

static size_t rig_heard(struct rig *rig)
{
	pthread_mutex_lock(&rig->lock);
	size_t count = rig->heard_count;
	pthread_mutex_unlock(&rig->lock);
	return count;
}

void rig_wait_heard(struct rig *rig, size_t count)
{
	for (int i = 0; i < STEPS_MAX && rig_heard(rig) < count; i++)
		rig_step(rig);
	assert_int_equal(rig_heard(rig), count);
}

static void rig_watched(void *arg, struct slice name)
{
	struct rig *rig = arg;
	assert_true(name.bytes > 0);
	atomic_fetch_add(&rig->watched_count, 1);
}

void rig_wait_words(struct rig *rig, size_t count)
{
	for (int i = 0; i < STEPS_MAX && atomic_load(&rig->word_count) < count; i++)
		rig_step(rig);
	assert_int_equal(atomic_load(&rig->word_count), count);
}

void rig_watch(struct rig *rig, const char *name)
{
	size_t before = atomic_load(&rig->watched_count);
	rig->backplane->ops->watch(rig->backplane, slice_of(name), rig_watched, rig);
	for (int i = 0; i < STEPS_MAX && atomic_load(&rig->watched_count) == before; i++)
		rig_step(rig);
	assert_int_equal(atomic_load(&rig->watched_count), before + 1);
}

/* --- publishing --- */

struct published {
	struct publish publish; /* first */
	atomic_bool answered;
};

static void publish_answered(struct publish *publish)
{
	struct published *published = (struct published *)publish;
	assert_false(atomic_load(&published->answered));
	atomic_store(&published->answered, true);
}

struct told rig_ask(struct rig *rig, const struct ask *ask)
{
	struct event *events[BACKPLANE_GROUP_MAX] = { NULL };
	struct published published = { .publish = {
		.name = slice_of(ask->name), .events = events, .done = publish_answered } };
	struct publish *publish = &published.publish;
	struct buf digested;

	buf_init(&digested, 65536);
	for (; publish->count < BACKPLANE_GROUP_MAX && ask->texts[publish->count];
	     publish->count++) {
		struct draft draft = { .data = slice_of(ask->texts[publish->count]),
				       .has_data = true };
		assert_int_equal(event_new(&draft, 1, 1, &events[publish->count]), OK);
		buf_put(&digested, draft.data);
		buf_put_byte(&digested, '\n');
	}
	if (ask->end != END_NONE)
		assert_int_equal(event_new_end(ask->end, 1, 1, &events[publish->count++]), OK);
	if (ask->idem) {
		publish->idem = slice_of(ask->idem);
		hash_digest(buf_slice(&digested), publish->digest);
	}
	buf_fini(&digested);
	if (ask->expected) {
		publish->expects = true;
		publish->expected = *ask->expected;
	}
	rig->backplane->ops->publish(rig->backplane, publish);
	rig_wait(rig, &published.answered);
	struct told told = { publish->err, publish->duplicate, publish->first, publish->last,
			     publish->head, "" };
	memcpy(told.note, publish->note, sizeof told.note);
	return told;
}

struct told rig_say(struct rig *rig, const char *name, const char *text)
{
	struct told told = rig_ask(rig, &(struct ask){ .name = name, .texts = { text } });
	assert_int_equal(told.err, OK);
	return told;
}

/* --- reading and the rest --- */

struct reading {
	struct read read; /* first */
	atomic_bool answered;
};

static void read_answered(struct read *read)
{
	atomic_store(&((struct reading *)read)->answered, true);
}

struct read rig_read(struct rig *rig, const char *name, const struct position *from,
		     size_t events_max)
{
	struct reading reading = { .read = { .name = slice_of(name), .from_given = from != NULL,
					     .events_max = events_max, .done = read_answered } };
	if (from)
		reading.read.from = *from;
	rig->backplane->ops->read(rig->backplane, &reading.read);
	rig_wait(rig, &reading.answered);
	assert_int_equal(reading.read.err, OK);
	return reading.read;
}

void read_done(struct read *read)
{
	for (size_t i = 0; i < read->count; i++)
		event_unref(&read->events[i]);
	mem_free(read->events);
	read->events = NULL;
	read->count = 0;
}

struct dropping {
	struct drop drop; /* first */
	atomic_bool answered;
};

static void drop_answered(struct drop *drop)
{
	atomic_store(&((struct dropping *)drop)->answered, true);
}

struct drop rig_drop(struct rig *rig, const char *name)
{
	struct dropping dropping = { .drop = { .name = slice_of(name), .done = drop_answered } };
	rig->backplane->ops->drop(rig->backplane, &dropping.drop);
	rig_wait(rig, &dropping.answered);
	return dropping.drop;
}

enum err rig_shout(struct rig *rig, const char *name, const char *text)
{
	struct event *event = NULL;
	struct draft draft = { .data = slice_of(text), .has_data = true, .ephemeral = true };
	assert_int_equal(event_new(&draft, 1, 1, &event), OK);
	return rig->backplane->ops->shout(rig->backplane, slice_of(name), event);
}

void assert_place(struct position is, struct position wanted)
{
	assert_int_equal(is.epoch, wanted.epoch);
	assert_int_equal(is.seq, wanted.seq);
	assert_int_equal(is.tag, wanted.tag);
}

void assert_texts(const struct read *read, const char *const *texts)
{
	size_t count = 0;
	for (; texts[count]; count++) {
		assert_true(count < read->count);
		struct slice data = event_data(read->events[count]);
		assert_true(slice_equal(data, slice_of(texts[count])));
		if (count > 0)
			assert_int_equal(read->events[count]->position.seq,
					 read->events[count - 1]->position.seq + 1);
	}
	assert_int_equal(read->count, count);
}

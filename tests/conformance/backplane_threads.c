#include "conformance/backplane_threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { THREADS = 4, ROUNDS = 500, GROUP = 2 };

/* What one thread did. Asserted on by the test's thread: cmocka's assertions are for that one. */
struct publisher {
	struct rig *rig;
	pthread_t thread;
	char name[HEARD_TEXT_MAX];
	unsigned number;
	bool failed;
	size_t told_count, fresh_count;
	struct position first[ROUNDS];
	struct position last[ROUNDS];
};

struct racing {
	struct publish publish; /* first */
	atomic_bool answered;
};

static void racing_answered(struct publish *publish)
{
	atomic_store(&((struct racing *)publish)->answered, true);
}

static bool racing_wait(struct publisher *publisher, struct racing *racing)
{
	struct rig *rig = publisher->rig;
	for (int i = 0; i < 1000000 && !atomic_load(&racing->answered); i++) {
		if (rig->factory->step)
			rig->factory->step(rig->backplane);
	}
	return atomic_load(&racing->answered) && racing->publish.err == OK;
}

/* GROUP events, named after the thread, the round and the event. */
static bool publish_round(struct publisher *publisher, size_t round, const char *key)
{
	struct event *events[GROUP];
	struct racing racing = { .publish = { .name = slice_of(publisher->name), .events = events,
					      .count = GROUP, .done = racing_answered } };
	if (key)
		racing.publish.idem = slice_of(key);
	for (unsigned i = 0; i < GROUP; i++) {
		char text[HEARD_TEXT_MAX];
		(void)snprintf(text, sizeof text, "%u.%zu.%u", publisher->number, round, i);
		struct draft draft = { .data = slice_of(text), .has_data = true };
		if (event_new(&draft, 1, 1, &events[i]) != OK)
			return false;
	}
	struct backplane *backplane = publisher->rig->backplane;
	backplane->ops->publish(backplane, &racing.publish);
	if (!racing_wait(publisher, &racing))
		return false;
	publisher->first[round] = racing.publish.first;
	publisher->last[round] = racing.publish.last;
	publisher->fresh_count += !racing.publish.duplicate;
	publisher->told_count++;
	return true;
}

static void *publish_all(void *arg)
{
	struct publisher *publisher = arg;
	for (size_t round = 0; round < ROUNDS && !publisher->failed; round++)
		publisher->failed = !publish_round(publisher, round, NULL);
	return NULL;
}

static void *publish_keyed(void *arg)
{
	struct publisher *publisher = arg;
	for (size_t round = 0; round < ROUNDS && !publisher->failed; round++) {
		char key[HEARD_TEXT_MAX];
		(void)snprintf(key, sizeof key, "key %zu", round);
		publisher->failed = !publish_round(publisher, round, key);
	}
	return NULL;
}

static void run_all(struct rig *rig, struct publisher publishers[THREADS], const char *name,
		    void *(*body)(void *))
{
	for (unsigned i = 0; i < THREADS; i++) {
		struct publisher *publisher = &publishers[i];
		*publisher = (struct publisher){ .rig = rig, .number = i };
		if (name)
			(void)snprintf(publisher->name, sizeof publisher->name, "%s", name);
		else
			(void)snprintf(publisher->name, sizeof publisher->name, "own/%u", i);
		assert_int_equal(pthread_create(&publisher->thread, NULL, body, publisher), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(publishers[i].thread, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_false(publishers[i].failed);
		assert_int_equal(publishers[i].told_count, ROUNDS);
	}
}

static struct publisher publishers[THREADS];

void many_publishers_of_one_stream_all_hear_the_truth(void **state)
{
	struct rig *rig = *state;
	rig_watch(rig, "one");
	run_all(rig, publishers, "one", publish_all);
	rig_wait_heard(rig, (size_t)THREADS * ROUNDS * GROUP);

	struct position at = { 0 };
	for (size_t i = 0; i < rig->heard_count; i++) {
		const struct heard *heard = &rig->heard[i];
		unsigned number = THREADS, event = GROUP;
		size_t round = ROUNDS;
		assert_place(heard->parent, at);
		assert_int_equal(heard->position.seq, i + 1);
		assert_int_equal(sscanf(heard->data, "%u.%zu.%u", &number, &round, &event), 3);
		assert_int_equal(event, i % GROUP); /* groups are not torn apart */
		assert_place(heard->position, event == 0 ? publishers[number].first[round] :
							   publishers[number].last[round]);
		at = heard->position;
	}
	struct read read = rig_read(rig, "one", NULL, 0);
	assert_place(read.head, at);
}

void many_publishers_of_many_streams_do_not_meet(void **state)
{
	struct rig *rig = *state;
	run_all(rig, publishers, NULL, publish_all);
	for (unsigned i = 0; i < THREADS; i++) {
		for (size_t round = 0; round < ROUNDS; round++) {
			assert_int_equal(publishers[i].first[round].seq, round * GROUP + 1);
			assert_int_equal(publishers[i].last[round].seq, round * GROUP + GROUP);
		}
	}
}

void of_many_racing_for_one_key_one_publishes(void **state)
{
	struct rig *rig = *state;
	run_all(rig, publishers, "one", publish_keyed);
	size_t fresh_count = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		fresh_count += publishers[i].fresh_count;
		for (size_t round = 0; round < ROUNDS; round++) {
			assert_place(publishers[i].first[round], publishers[0].first[round]);
			assert_place(publishers[i].last[round], publishers[0].last[round]);
		}
	}
	assert_int_equal(fresh_count, ROUNDS);
	struct read read = rig_read(rig, "one", NULL, 0);
	assert_int_equal(read.head.seq, ROUNDS * GROUP);
}

/*
 * feed_read: reads of a stream, one at a time, and what is done with their answers.
 */
#include "backplane/feed_impl.h"
#include "base/mem.h"
#include "base/must.h"

static void feed_answered(struct read *read);

static bool fed_wants(const struct fed *fed)
{
	if (fed->errand != ERRAND_NONE)
		return false;
	return fed->state == FED_CATCHING || (fed->state == FED_LIVE && fed->probe_wanted);
}

static void errand_prepare(struct fed *fed)
{
	fed->errand = fed->state == FED_CATCHING ? ERRAND_READ : ERRAND_PROBE;
	fed->probe_wanted = false;
	feed_tally_add(fed->errand == ERRAND_READ ? &fed->feed->tally.reads
						  : &fed->feed->tally.probes, 1);
	fed->again = false;
	fed->read = (struct read){
		.name = stream_name(fed->stream),
		.from_given = fed->began,
		.from = tape_head(stream_tape(fed->stream)),
		.events_max = fed->errand == ERRAND_READ ? BACKPLANE_READ_MAX : 0,
		.done = feed_answered,
	};
	list_init(&fed->read.link);
}

/* A loop, because an answer that comes before the call returns may want the next page. */
void fed_run(struct fed *fed)
{
	struct feed *feed = fed->feed;
	struct stream *stream = fed->stream;

	stream_lock(stream);
	bool mine = !fed->running;
	if (mine)
		fed->running = true;
	while (mine && fed_wants(fed)) {
		errand_prepare(fed);
		stream_unlock(stream);
		/* For the errand, so that the stream cannot go under its answer. */
		MUST(hub_visit(feed->hub, stream_name(stream)) == stream);
		feed->backplane->ops->read(feed->backplane, &fed->read);
		stream_lock(stream);
	}
	if (mine)
		fed->running = false;
	stream_unlock(stream);
}

static void fed_read_failed(struct fed *fed, uint64_t now_ms)
{
	feed_tally_add(&fed->feed->tally.failed, 1);
	if (fed->state == FED_LIVE)
		fed_hurt(fed);
	fed->state = FED_SUSPECT;
	fed_held_clear(fed);
	fed_wake_to_retry(fed, now_ms);
}

static void fed_caught(struct fed *fed, const struct read *answer, uint64_t now_ms)
{
	struct tape *tape = stream_tape(fed->stream);
	uint64_t head_ord = tape_head_ord(tape);
	bool news = false;
	enum err err = answer->err;

	MUST(fed->state == FED_CATCHING);
	if (err == OK)
		err = fed_apply(fed, answer, now_ms);
	if (err != OK) {
		fed_read_failed(fed, now_ms);
	} else {
		fed->retry_ms = 0;
		fed->heard_ms = now_ms;
		if (!answer->more && !stream_live(fed->stream)) {
			stream_live_set(fed->stream, true);
			news = true;
		}
		if (!answer->more && !fed->again) {
			fed->state = FED_LIVE;
			fed_healed(fed, now_ms);
			fed_wake_to_probe(fed);
		}
	}
	if (news || tape_head_ord(tape) != head_ord)
		stream_moved(fed->stream);
	if (fed->state == FED_LIVE)
		fed_held_hear(fed, now_ms);
	else
		fed_held_clear(fed); /* the next read has them */
}

/* The answer may be older than what was pushed since: it can only tell that a read is needed. */
static void fed_probed(struct fed *fed, const struct read *answer, uint64_t now_ms)
{
	struct position head = tape_head(stream_tape(fed->stream));

	if (fed->state != FED_LIVE)
		return;
	if (answer->err != OK) {
		fed_read_failed(fed, now_ms);
		return;
	}
#ifdef MUTANT_FEED_PROBETRUST
	if (!position_equal(&answer->head, &head)) {
		struct gap gap = { .reason = GAP_REWOUND, .after = head, .next = answer->head };
		(void)!tape_fork(stream_tape(fed->stream), &gap);
		stream_moved(fed->stream);
	}
#endif
	if (position_equal(&answer->head, &answer->from) || position_equal(&answer->head, &head)) {
		fed->heard_ms = now_ms;
		fed_wake_to_probe(fed);
	} else {
		fed_catch(fed);
	}
}

static void feed_answered(struct read *read)
{
	struct fed *fed = CONTAINER_OF(read, struct fed, read);
	MUST_BE(fed, FED_TAG);
	struct feed *feed = fed->feed;
	struct stream *stream = fed->stream;
	struct read answer = *read; /* the request is free for the next errand */
	uint64_t now_ms = feed_now(feed);

	stream_lock(stream);
	enum errand errand = fed->errand;
	MUST(errand != ERRAND_NONE);
	fed->errand = ERRAND_NONE;
	if (errand == ERRAND_READ)
		fed_caught(fed, &answer, now_ms);
	else
		fed_probed(fed, &answer, now_ms);
	stream_unlock(stream);

	for (size_t i = 0; i < answer.count; i++)
		event_unref(&answer.events[i]);
	mem_free(answer.events);
	fed_run(fed);
	hub_put(feed->hub, &stream, now_ms);
}

/*
 * memory_record: one stream's history: positions, tags, bounds, and what a reader is told of it.
 */
#include "backplane/memory_impl.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

#define RECORD_TAG 0x2ec02d5au

enum { RING_FIRST_SLOTS = 8 };

/* Public and fixed: a tag is a checksum of the past, not a secret. */
static const struct hash_key chain_key = { "tapecast chain" };

enum err record_new(struct slice name, struct tape_bounds bounds, uint64_t now_ms,
		    struct record **ret_record)
{
	MUST(bounds.events_max > 0);
	struct record *record = mem_zalloc(sizeof *record + name.bytes);
	if (!record)
		return ERR_NOMEM;
	record->tag = RECORD_TAG;
	record->bounds = bounds;
	record->name_bytes = name.bytes;
	memcpy(record->name, name.at, name.bytes);
	atomic_init(&record->used_ms, now_ms);
	list_init(&record->recent);
	pthread_mutex_init(&record->lock, NULL);
	*ret_record = record;
	return OK;
}

void record_free(struct record **record)
{
	if (!*record)
		return;
	MUST_BE(*record, RECORD_TAG);
	MUST(atomic_load(&(*record)->user_count) == 0 && list_empty(&(*record)->recent));
	record_reset(*record);
	pthread_mutex_destroy(&(*record)->lock);
	(*record)->tag = 0;
	mem_free(*record);
	*record = NULL;
}

struct slice record_name(const struct record *record)
{
	return slice_from(record->name, record->name_bytes);
}

size_t record_weight(const struct record *record)
{
	return sizeof *record + record->name_bytes + record->ring_slots * sizeof *record->ring +
	       record->events_bytes + idem_weight(&record->idem);
}

bool record_idle(const struct record *record, uint64_t now_ms)
{
	uint64_t used_ms = atomic_load_explicit(&record->used_ms, memory_order_relaxed);
	return now_ms > used_ms && now_ms - used_ms > record->bounds.age_ms_max &&
	       !atomic_load(&record->watched);
}

static void record_trim_one(struct record *record)
{
	struct event **slot = record_slot(record, record->floor.seq + 1);
	record->floor = (*slot)->position;
	record->events_bytes -= event_weight(*slot);
	event_unref(slot);
}

void record_trim_to(struct record *record, size_t keep)
{
	while (record_count(record) > keep)
		record_trim_one(record);
}

void record_trim(struct record *record, uint64_t now_ms)
{
	while (record_count(record) > 1) {
		const struct event *oldest = *record_slot(record, record->floor.seq + 1);
		bool old = now_ms > oldest->born_ms &&
			   now_ms - oldest->born_ms > record->bounds.age_ms_max;
		if (record_count(record) <= record->bounds.events_max &&
		    record->events_bytes <= record->bounds.bytes_max && !old)
			return;
		record_trim_one(record);
	}
}

void record_reset(struct record *record)
{
	record_trim_to(record, 0);
	mem_free(record->ring);
	record->ring = NULL;
	record->ring_slots = 0;
	idem_clear(&record->idem);
	record->head = record->floor = (struct position){ 0 };
	record->end = END_NONE;
	record->dropped = false;
}

void record_rewind(struct record *record, size_t count)
{
	while (count-- > 0 && record_count(record) > 0) {
		struct event **slot = record_slot(record, record->head.seq);
		record->events_bytes -= event_weight(*slot);
		event_unref(slot);
		/* Before the first event is the origin: without an epoch, as if never there. */
		record->head = record_count(record) == 1 ?
				       record->floor :
				       (*record_slot(record, record->head.seq - 1))->position;
	}
	record->end = record_count(record) ? (*record_slot(record, record->head.seq))->end :
					     END_NONE;
	record->dropped = false;
	idem_rewind(&record->idem, record->head.seq);
}

static void put_number(uint8_t *to, uint64_t number, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(number >> 8 * i);
}

/* The tag of a group that follows `tag`: chained over all that a reader would be shown. */
static uint64_t group_tag(uint64_t tag, struct event *const *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct event *event = events[i];
		size_t bytes = (size_t)event->type_bytes + event->key_bytes + event->data_bytes;
		uint8_t link[30];
		put_number(link, tag, 8);
		put_number(link + 8, event->type_bytes, 4);
		put_number(link + 12, event->key_bytes, 4);
		put_number(link + 16, event->data_bytes, 4);
		link[20] = (uint8_t)event->end;
		link[21] = event->json;
		put_number(link + 22, hash_keyed(&chain_key, slice_from(event->bytes, bytes)), 8);
		tag = hash_keyed(&chain_key, slice_from((const char *)link, sizeof link));
	}
	return tag & POSITION_TAG_MAX;
}

/* Room for count more, of which none beyond the bounds will be kept. */
static enum err ring_make_room(struct record *record, size_t count)
{
	size_t wanted = record_count(record) + count;
	if (wanted > record->bounds.events_max)
		wanted = record->bounds.events_max > count ? record->bounds.events_max : count;
	if (wanted <= record->ring_slots)
		return OK;
	size_t slots = record->ring_slots ? record->ring_slots : RING_FIRST_SLOTS;
	while (slots < wanted)
		slots *= 2;
	struct event **ring = mem_zalloc_array(slots, sizeof(struct event *));
	if (!ring)
		return ERR_NOMEM;
	for (uint64_t seq = record->floor.seq + 1; seq <= record->head.seq; seq++)
		ring[seq & (slots - 1)] = *record_slot(record, seq);
	mem_free(record->ring);
	record->ring = ring;
	record->ring_slots = slots;
	return OK;
}

/* Cannot fail any more: ring_make_room has been called. */
static void record_append(struct record *record, struct publish *publish, uint64_t now_ms)
{
	struct position at = record->head;
	at.tag = group_tag(at.tag, publish->events, publish->count);
	publish->first = at;
	publish->first.seq++;

	size_t kept_max = record->bounds.events_max > publish->count ?
				  record->bounds.events_max - publish->count : 0;
	record_trim_to(record, kept_max);
	for (size_t i = 0; i < publish->count; i++) {
		struct event *event = publish->events[i];
		MUST(!event->ephemeral);
		at.seq++;
		event->position = at;
		*record_slot(record, at.seq) = event;
		record->events_bytes += event_weight(event);
	}
	record->head = at;
	record->end = publish->events[publish->count - 1]->end;
	publish->last = publish->head = at;
	atomic_store_explicit(&record->used_ms, now_ms, memory_order_relaxed);
}

static enum err answer_again(const struct record *record, const struct idem_entry *seen,
			     struct publish *publish)
{
	if (memcmp(seen->digest, publish->digest, sizeof seen->digest) != 0)
		return err_note(ERR_KEY_REUSED, "this Idempotency-Key came with another event");
	publish->duplicate = true;
	publish->last = (struct position){ record->head.epoch, seen->last_seq, seen->tag };
	publish->first = publish->last;
	publish->first.seq -= seen->count - 1;
	return OK;
}

static enum err answer_refused(const struct record *record, const struct publish *publish)
{
	char text[POSITION_TEXT_MAX];
	if (record->end != END_NONE)
		return err_note(ERR_ENDED, "the stream has ended: %s",
				end_state_text(record->end));
	if (publish->expects && !position_equal(&publish->expected, &record->head)) {
		(void)position_format(&record->head, text);
		return err_note(ERR_CONFLICT, "the last position is %s", text);
	}
	if (record->head.seq > POSITION_SEQ_MAX - publish->count)
		return err_note(ERR_FULL, "the stream has used up its numbers");
	return OK;
}

static uint64_t epoch_draw(const struct memory_config *config)
{
	uint64_t r = 0;
	config->world->ops->random(config->world, &r, sizeof r);
	return position_epoch(1, r);
}

enum err record_publish(struct record *record, const struct memory_config *config,
			struct publish *publish, uint64_t now_ms)
{
	MUST(publish->count >= 1 && publish->count <= BACKPLANE_GROUP_MAX);
	struct idem_entry used = { .count = (uint32_t)publish->count };
	enum err err;

	publish->head = record->head;
	if (publish->idem.bytes) {
		hash_digest(publish->idem, used.key);
		memcpy(used.digest, publish->digest, sizeof used.digest);
		idem_age(&record->idem, config->idem_window_ms, now_ms);
		const struct idem_entry *seen = idem_find(&record->idem, used.key);
		if (seen)
			return answer_again(record, seen, publish);
	}
	err = answer_refused(record, publish);
	if (err == OK && publish->idem.bytes)
		err = idem_reserve(&record->idem, config->idem_max, now_ms);
	if (err == OK)
		err = ring_make_room(record, publish->count);
	if (err)
		return err;

	if (record->head.epoch == 0)
		record->head.epoch = epoch_draw(config);
	record_append(record, publish, now_ms);
	if (publish->idem.bytes) {
		used.last_seq = record->head.seq;
		used.tag = record->head.tag;
		idem_put(&record->idem, &used);
	}
	return OK;
}

/* Where the reader's position lies in this history. While nothing has been trimmed, the floor is
 * the origin. */
static enum read_status read_status_of(struct record *record, const struct read *read)
{
	const struct position *from = &read->from;
	const struct position *here = &record->floor;

	if (record->head.epoch == 0)
		return READ_EMPTY;
	if (!read->from_given)
		return READ_NONE;
	if (position_is_origin(from))
		return record->floor.seq == 0 ? READ_OK : READ_TRIMMED;
	if (from->epoch != record->head.epoch)
		return READ_EPOCH;
	if (from->seq > record->head.seq)
		return READ_AHEAD;
	if (from->seq < record->floor.seq)
		return READ_TRIMMED;
	if (from->seq > record->floor.seq)
		here = &(*record_slot(record, from->seq))->position;
	return from->tag == here->tag ? READ_OK : READ_DIVERGED;
}

enum err record_read(struct record *record, struct read *read)
{
	enum read_status status = read_status_of(record, read);
	uint64_t first_seq = status == READ_OK ? read->from.seq + 1 : record->floor.seq + 1;
	size_t left = (size_t)(record->head.seq + 1 - first_seq);
	size_t count = left < read->events_max ? left : read->events_max;
	struct event **events = NULL;

	MUST(read->events_max <= BACKPLANE_READ_MAX);
	if (count) {
		events = mem_alloc(count * sizeof(struct event *));
		if (!events)
			return ERR_NOMEM;
	}
	for (size_t i = 0; i < count; i++)
		events[i] = event_ref(*record_slot(record, first_seq + i));

	read->status = status;
	read->head = record->head;
	read->floor = record->floor;
	read->oldest_seq = record->floor.seq + 1;
	read->kept_count = record_count(record);
	read->kept_bytes = record->events_bytes;
	read->end = record->end;
	read->more = count < left;
	read->events = events;
	read->count = count;
	return OK;
}

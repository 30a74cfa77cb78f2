/*
 * redis_answer: what a read's answer says of a history; its chain is checked event by event.
 */
#include "backplane/redis_impl.h"
#include "base/mem.h"

enum { ANSWER_PARTS = 5, MARGIN = 128, PAGE_BYTES = 24 << 20 };

/* What EXEC gave, read and believable. */
struct answer {
	struct position head, floor;
	uint64_t lo; /* the oldest that is shown */
	uint64_t list_lo; /* the oldest that is there: trimming is lazy */
	uint64_t got_lo, got_hi; /* what LRANGE brought; got_lo > got_hi: nothing */
	uint64_t bytes;
	enum end_state end;
	const redisReply *list;
};

static enum err bad(void)
{
	return err_note(ERR_SYNTAX, "the store's history does not hold together");
}

static enum err take_head(const redisReply *reply, struct answer *answer, bool *ret_empty)
{
	struct slice epoch = reply_word(reply, 0), end = reply_word(reply, 3);
	unsigned long long bytes = 0;

	*ret_empty = epoch.bytes == 0;
	if (*ret_empty)
		return OK;
	enum err err = reply_position(reply, 0, &answer->head);
	if (err)
		return err;
	*ret_empty = answer->head.seq == 0;
	if (end.bytes == 1 && end.at[0] >= '0' && end.at[0] <= '3')
		answer->end = (enum end_state)(end.at[0] - '0');
	(void)slice_to_u64(reply_word(reply, 4), &bytes);
	answer->bytes = bytes;
	return OK;
}

/* The place before the oldest event: the tags of that event know it. */
static enum err take_floor(struct slice oldest, struct answer *answer)
{
	uint64_t tag = 0, parent_tag = 0;

	if (answer->lo == 1)
		return OK;
	if (answer->lo > answer->head.seq) {
		answer->floor = answer->head;
		return OK;
	}
	if (code_take_hex(&oldest, 12, &tag) != OK ||
	    code_take_hex(&oldest, 12, &parent_tag) != OK || oldest.bytes < CODE_HEAD_BYTES)
		return bad();
	bool first = oldest.at[1 + CODE_NONCE_BYTES] == 0;
	answer->floor = (struct position){ answer->head.epoch, answer->lo - 1,
					   first ? parent_tag : tag };
	return OK;
}

static enum err take_answer(const struct errand *errand, const redisReply *reply,
			    uint64_t events_max, struct answer *answer, bool *ret_empty)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != ANSWER_PARTS ||
	    reply->element[1]->type != REDIS_REPLY_INTEGER || reply->element[1]->integer < 0 ||
	    reply->element[4]->type != REDIS_REPLY_ARRAY)
		return bad();
	enum err err = take_head(reply->element[0], answer, ret_empty);
	if (err || *ret_empty)
		return err;
	uint64_t listed = (uint64_t)reply->element[1]->integer;
	uint64_t head_seq = answer->head.seq;
	if (listed > head_seq)
		return bad();
	bool over = listed > events_max;
	answer->list_lo = head_seq - listed + 1;
	answer->lo = over ? head_seq - events_max + 1 : answer->list_lo;
	err = take_floor(reply_word(reply, over ? 3 : 2), answer);
	if (err)
		return err;
	answer->list = reply->element[4];
	int64_t at = errand->range_at;
	if (at < 0)
		at = at + (int64_t)listed < 0 ? 0 : at + (int64_t)listed;
	answer->got_lo = answer->list_lo + (uint64_t)at;
	answer->got_hi = answer->got_lo + answer->list->elements - 1;
	return answer->list->elements && answer->got_hi > head_seq ? bad() : OK;
}

static bool answer_has(const struct answer *answer, uint64_t seq)
{
	return answer->list->elements && seq >= answer->got_lo && seq <= answer->got_hi;
}

/* ERR_AGAIN: the event at the reader's place is not among what came. */
static enum err find_status(const struct read *read, const struct answer *answer,
			    enum read_status *ret_status)
{
	const struct position *from = &read->from;
	uint64_t tag = 0;

	if (!read->from_given)
		*ret_status = READ_NONE;
	else if (position_is_origin(from))
		*ret_status = answer->lo == 1 ? READ_OK : READ_TRIMMED;
	else if (from->epoch != answer->head.epoch)
		*ret_status = READ_EPOCH;
	else if (from->seq > answer->head.seq)
		*ret_status = READ_AHEAD;
	else if (from->seq < answer->lo - 1)
		*ret_status = READ_TRIMMED;
	else if (from->seq == answer->head.seq)
		*ret_status = from->tag == answer->head.tag ? READ_OK : READ_DIVERGED;
	else if (from->seq == answer->lo - 1)
		*ret_status = from->tag == answer->floor.tag ? READ_OK : READ_DIVERGED;
	else if (!answer_has(answer, from->seq))
		return ERR_AGAIN;
	else {
		struct slice entry = reply_word(answer->list, (size_t)(from->seq - answer->got_lo));
		if (code_take_hex(&entry, 12, &tag) != OK)
			return bad();
		*ret_status = from->tag == tag ? READ_OK : READ_DIVERGED;
	}
	return OK;
}

/* At most so many can come in one answer, whatever they weigh. */
static size_t page_count(const struct redis *redis, const struct read *read, uint64_t bytes_max)
{
	size_t each = redis->config.data_bytes_max + 1024;
	size_t count = PAGE_BYTES / each ? PAGE_BYTES / each : 1;
	if (bytes_max <= REDIS_ANSWER_BYTES_MAX / 2 || read->events_max < count)
		count = read->events_max;
	return count;
}

static void ask_from(struct errand *errand, const struct answer *answer, uint64_t seq, size_t count)
{
	int64_t at = (int64_t)(seq - answer->list_lo);
	int64_t margin = errand->rounds ? MARGIN : 0;
	errand->range_at = at > margin ? at - margin : 0;
	errand->range_end = at + (int64_t)count + margin;
}

static void events_drop(struct event **events, size_t count)
{
	while (count > 0)
		event_unref(&events[--count]);
	mem_free(events);
}

/* Whether `entry` follows `previous`: the next of its group, or the first of one that names it. */
static bool follows(const struct code_entry *entry, const struct code_entry *previous)
{
	if (entry->place.at == 0)
		return entry->parent_tag == previous->tag;
	return entry->tag == previous->tag && entry->place.at == previous->place.at + 1 &&
	       entry->place.count == previous->place.count;
}

static enum err take_events(struct redis *redis, const struct answer *answer, uint64_t first_seq,
			    size_t count, struct event ***ret_events)
{
	struct code_rules rules = redis_rules(redis);
	struct code_entry previous = { 0 };
	struct event **events = mem_zalloc_array(count, sizeof *events);

	if (!events)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		uint64_t seq = first_seq + i;
		struct slice bytes = reply_word(answer->list, (size_t)(seq - answer->got_lo));
		struct code_entry entry = { 0 };
		enum err err = code_take_entry(bytes, &rules, &entry);
		if (err == OK) {
			events[i] = entry.event;
			entry.event->position =
				(struct position){ answer->head.epoch, seq, entry.tag };
			if ((i > 0 && !follows(&entry, &previous)) ||
			    (seq == answer->head.seq && entry.tag != answer->head.tag))
				err = bad();
		}
		if (err) {
			events_drop(events, i + 1);
			return err;
		}
		previous = entry;
	}
	*ret_events = events;
	return OK;
}

static void read_fill(struct read *read, const struct answer *answer, enum read_status status)
{
	read->status = status;
	read->head = answer->head;
	read->floor = answer->floor;
	read->oldest_seq = answer->lo;
	read->kept_count = answer->head.seq - answer->lo + 1;
	read->kept_bytes = answer->bytes;
	read->end = answer->end;
}

enum err errand_answer(struct redis *redis, struct errand *errand, const redisReply *reply)
{
	struct read *read = errand->read;
	struct tape_bounds bounds = redis->config.bounds_of(redis->config.bounds_arg, read->name);
	struct answer answer = { 0 };
	enum read_status status = READ_EMPTY;
	bool empty = false;

	enum err err = take_answer(errand, reply, bounds.events_max, &answer, &empty);
	if (err || empty)
		return err;
	size_t page = page_count(redis, read, bounds.bytes_max);
	err = find_status(read, &answer, &status);
	if (err == ERR_AGAIN)
		ask_from(errand, &answer, read->from.seq, page);
	if (err)
		return err;

	uint64_t first_seq = status == READ_OK ? read->from.seq + 1 : answer.lo;
	uint64_t left = answer.head.seq + 1 - first_seq;
	size_t count = left < page ? (size_t)left : page;
	if (count && !answer_has(&answer, first_seq)) {
		ask_from(errand, &answer, first_seq, page);
		return ERR_AGAIN;
	}
	if (count && answer.got_hi - first_seq + 1 < count) {
		/* What came of the tail goes to its end; of anything else, ask for all of it. */
		ask_from(errand, &answer, first_seq, page);
		return ERR_AGAIN;
	}
	if (count) {
		err = take_events(redis, &answer, first_seq, count, &read->events);
		if (err)
			return err;
	}
	read_fill(read, &answer, status);
	read->count = count;
	read->more = count < left;
	return OK;
}

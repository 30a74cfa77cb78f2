/*
 * feed_apply: an answer, brought to the tape: what follows is appended; where the history is
 * another one, or cannot be given, a fork tells the gap first.
 */
#include "backplane/feed_impl.h"
#include "base/must.h"

/* How much of what the tape has is lost, when the history went on from an earlier place: known only
 * if that place is in the answer, and not merely the last that the answer had room for. */
static void gap_count_rewound(struct gap *gap, const struct tape *tape, const struct read *answer)
{
	const struct position *common = NULL;
	size_t count = answer->count;

	if (tape_holds(tape, &answer->floor))
		common = &answer->floor;
	while (count > 0 && !tape_holds(tape, &answer->events[count - 1]->position))
		count--;
	if (count > 0)
		common = &answer->events[count - 1]->position;
	if (!common || (count == answer->count && answer->more) || common->seq > gap->after.seq)
		return;
	gap->lost = gap->after.seq - common->seq;
	gap->lost_known = true;
}

/* The whole history is appended behind the fork, from its floor: so new readers find all of it, and
 * whoever stood on the old one is told, and goes on at the floor. */
static enum err fork_to(struct feed_tally *tally, struct tape *tape, const struct read *answer)
{
	struct gap gap = { .after = tape_head(tape), .next = answer->floor };

	switch (answer->status) {
	case READ_OK:
	case READ_NONE:
		MUST(!"a history that follows needs no fork");
		break;
	case READ_TRIMMED:
		gap.reason = GAP_TRIMMED;
		gap.lost = answer->floor.seq - gap.after.seq;
		gap.lost_known = true;
		break;
	case READ_EMPTY:
	case READ_EPOCH:
		gap.reason = GAP_EPOCH;
		break;
	case READ_AHEAD:
	case READ_DIVERGED:
		gap.reason = GAP_REWOUND;
		gap_count_rewound(&gap, tape, answer);
		break;
	}
	enum err err = tape_fork(tape, &gap);
	if (err == OK)
		feed_tally_add(gap.reason == GAP_TRIMMED ? &tally->gaps_trimmed :
			       gap.reason == GAP_EPOCH ? &tally->gaps_epoch :
							 &tally->gaps_rewound, 1);
	return err;
}

/* Where the answer's events begin. */
static enum err begin(struct fed *fed, struct tape *tape, const struct read *answer,
		      struct position *ret_parent)
{
	struct position head = tape_head(tape);
	enum read_status status = answer->status;

#ifdef MUTANT_FEED_NOTAG
	if (status == READ_DIVERGED)
		status = READ_OK;
#endif
	if (!fed->began) {
		tape_floor_set(tape, answer->floor);
		fed->began = true;
		*ret_parent = answer->floor;
		return OK;
	}
	if (status == READ_EMPTY && position_is_origin(&head))
		status = READ_OK;
	if (status == READ_OK) {
		*ret_parent = answer->status == READ_OK ? answer->from : answer->floor;
		return OK;
	}
	*ret_parent = answer->floor;
	return fork_to(&fed->feed->tally, tape, answer);
}

enum err fed_apply(struct fed *fed, const struct read *answer, uint64_t now_ms)
{
	struct tape *tape = stream_tape(fed->stream);
	struct position parent;
	enum err err = begin(fed, tape, answer, &parent);

	for (size_t i = 0; err == OK && i < answer->count; i++) {
		enum step step = STEP_HOLE;
		err = fed_step(tape, &parent, answer->events[i], now_ms, &step);
		if (err == OK && step == STEP_HOLE)
			err = err_note(ERR_RANGE, "the backplane's answer has a hole");
		parent = answer->events[i]->position;
	}
	return err;
}

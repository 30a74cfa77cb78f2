/*
 * gap: what a listener is told when history cannot be given.
 */
#ifndef TAPECAST_STREAM_GAP_H
#define TAPECAST_STREAM_GAP_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/position.h"

enum gap_reason {
	GAP_TRIMMED, /* older than the stream's bounds keep */
	GAP_SKIPPED, /* a slow reader was overtaken */
	GAP_EPOCH, /* the store was lost */
	GAP_REWOUND, /* the store lost the end of the stream */
	GAP_INVALID, /* the id given is not one of this stream */
};

enum { GAP_REASONS = GAP_INVALID + 1 };

struct gap {
	enum gap_reason reason;
	struct position after; /* what the listener had read; the origin if unknown */
	struct position next; /* the listener now stands here: what follows is what follows this */
	uint64_t lost;
	bool lost_known;
};

/* "trimmed", "skipped", "epoch", "rewound", "invalid". */
const char *gap_reason_text(enum gap_reason reason);

#endif

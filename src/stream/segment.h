/*
 * segment: a run of one form's bytes, append-only, with the start of every frame in it.
 *
 * Owns    one block: bytes grow from its front, frame starts from its back.
 * Thread  appended to under the stream's lock. A holder of a reference may read, without the lock,
 *         what had been appended when it took it.
 * Bound   capacity, fixed at birth; a frame never crosses from one segment into the next.
 */
#ifndef TAPECAST_STREAM_SEGMENT_H
#define TAPECAST_STREAM_SEGMENT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

struct segment {
	uint32_t tag;
	_Atomic uint32_t refs;
	struct segment *next;
	uint64_t first_ord;
	uint32_t count; /* entries; those without bytes (a fork, an end) are empty frames */
	uint32_t used; /* bytes */
	uint32_t capacity; /* bytes and starts together */
	char bytes[];
};

enum { SEGMENT_BYTES_MIN = 1024, SEGMENT_BYTES_USUAL = 65536 };

/* Room for a frame of frame_bytes at least; twice as large as `before`'s within the usual bound.
 * ERR_NOMEM. */
enum err segment_new(const struct segment *before, uint64_t first_ord, size_t frame_bytes,
		     struct segment **ret_segment) ERR_CHECKED;
struct segment *segment_ref(struct segment *segment);
void segment_unref(struct segment **segment);

/* Bytes that one more frame may have. */
size_t segment_room(const struct segment *segment);
/* The frame is already written at bytes + used: makes it the next entry. */
void segment_commit(struct segment *segment, size_t frame_bytes);

/* Where frame `index` (0..count) starts; count gives `used`. */
uint32_t segment_start(const struct segment *segment, uint32_t index);

#endif

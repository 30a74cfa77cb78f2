#include "stream/segment.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

#define SEGMENT_TAG 0x5e63e417u

/* Starts lie at the block's end, the first one last, four bytes each. */
static char *start_at(struct segment *segment, uint32_t index)
{
	return segment->bytes + segment->capacity - ((size_t)index + 1) * sizeof(uint32_t);
}

enum err segment_new(const struct segment *before, uint64_t first_ord, size_t frame_bytes,
		     struct segment **ret_segment)
{
	size_t capacity = before ? (size_t)before->capacity * 2 : SEGMENT_BYTES_MIN;
	if (capacity > SEGMENT_BYTES_USUAL)
		capacity = SEGMENT_BYTES_USUAL;
	if (frame_bytes > UINT32_MAX / 2)
		return err_note(ERR_TOO_BIG, "a frame of %zu bytes", frame_bytes);
	if (capacity < frame_bytes + sizeof(uint32_t))
		capacity = frame_bytes + sizeof(uint32_t);

	struct segment *segment = mem_alloc(sizeof *segment + capacity);
	if (!segment)
		return ERR_NOMEM;
	*segment = (struct segment){ .tag = SEGMENT_TAG, .first_ord = first_ord,
				     .capacity = (uint32_t)capacity };
	atomic_init(&segment->refs, 1);
	*ret_segment = segment;
	return OK;
}

struct segment *segment_ref(struct segment *segment)
{
	MUST_BE(segment, SEGMENT_TAG);
	atomic_fetch_add_explicit(&segment->refs, 1, memory_order_relaxed);
	return segment;
}

void segment_unref(struct segment **segment)
{
	if (!*segment)
		return;
	MUST_BE(*segment, SEGMENT_TAG);
	if (atomic_fetch_sub_explicit(&(*segment)->refs, 1, memory_order_acq_rel) == 1) {
		(*segment)->tag = 0;
		mem_free(*segment);
	}
	*segment = NULL;
}

size_t segment_room(const struct segment *segment)
{
	size_t taken = segment->used + ((size_t)segment->count + 1) * sizeof(uint32_t);
	return taken < segment->capacity ? segment->capacity - taken : 0;
}

void segment_commit(struct segment *segment, size_t frame_bytes)
{
	/* The start needs its place even when the frame has no bytes. */
	size_t taken = segment->used + ((size_t)segment->count + 1) * sizeof(uint32_t);
	MUST(taken <= segment->capacity && frame_bytes <= segment->capacity - taken);
	memcpy(start_at(segment, segment->count), &segment->used, sizeof segment->used);
	segment->count++;
	segment->used += (uint32_t)frame_bytes;
}

uint32_t segment_start(const struct segment *segment, uint32_t index)
{
	if (index >= segment->count)
		return segment->used;
	uint32_t start;
	memcpy(&start, segment->bytes + segment->capacity - ((size_t)index + 1) * sizeof start,
	       sizeof start);
	return start;
}

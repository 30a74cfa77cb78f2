/*
 * keys: which entry of a tape has the newest value of a key.
 *
 * Owns    a table of ordinals, made with the first key; no key is copied: it is read from the
 *         event that the ordinal names.
 * Thread  under the stream's lock, as the tape.
 * Bound   one slot in two for each entry of the tape.
 */
#ifndef TAPECAST_STREAM_KEYS_H
#define TAPECAST_STREAM_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct keys {
	uint64_t *slots; /* ordinal + 1; 0: empty */
	size_t capacity; /* a power of two, or 0 */
	size_t count;
};

/* The key of an entry that is in the table. */
typedef struct slice keys_name_fn(const void *tape, uint64_t ord);

void keys_fini(struct keys *keys);
/* Makes room for one more. ERR_NOMEM: as it was. */
enum err keys_make_room(struct keys *keys, keys_name_fn *name_of, const void *tape) ERR_CHECKED;
/* Notes that `ord` is now the newest with this key. True: *ret_before was so until now. Room has
 * been made. */
bool keys_note(struct keys *keys, keys_name_fn *name_of, const void *tape, struct slice key,
	       uint64_t ord, uint64_t *ret_before);
/* Forgets `ord`, which is about to leave the tape; nothing happens if a newer one has its key. */
void keys_forget(struct keys *keys, keys_name_fn *name_of, const void *tape, uint64_t ord);

#endif

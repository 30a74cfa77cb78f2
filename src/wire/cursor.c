#include "wire/cursor.h"

#include "base/hash.h"
#include "base/must.h"
#include "wire/base64url.h"

/*
 * "m1." items joined by "," and a "." at the end. An item is base64url, without padding, of
 *   name hash (3 bytes), epoch counter (varint), its random part (5), seq (varint), tag (6), check;
 * after an epoch counter of 0, the origin's, the check follows at once. Varints are as short as
 * they can be, low bits first.
 */
#define PREFIX SLICE("m1.")

enum {
	HASH_BYTES = 3,
	R_BYTES = 5,
	TAG_BYTES = 6,
	VARINT_BYTES_MAX = 10,
	ITEM_BYTES_MAX = HASH_BYTES + 2 * VARINT_BYTES_MAX + R_BYTES + TAG_BYTES + 1,
	ITEM_TEXT_MAX = BASE64URL_TEXT(ITEM_BYTES_MAX),
};

#define EPOCH_N_MAX ((UINT64_C(1) << 24) - 1)

struct item {
	uint32_t hash;
	struct position position;
};

/* Public and fixed: every node, of every version, must find the same names. */
static uint32_t name_hash(struct slice name)
{
	static const struct hash_key key = { "tapecast cursor" };
	return (uint32_t)(hash_keyed(&key, name) & 0xffffff);
}

/* CRC-8 (x^8 + x^2 + x + 1): finds every change that lies within eight neighbouring bits. The table
 * is what four bits that leave at the top come to. */
static uint8_t check_byte(const uint8_t *bytes, size_t count)
{
	static const uint8_t step[16] = { 0x00, 0x07, 0x0e, 0x09, 0x1c, 0x1b, 0x12, 0x15,
					  0x38, 0x3f, 0x36, 0x31, 0x24, 0x23, 0x2a, 0x2d };
	unsigned crc = 0xff;

	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		crc = (crc << 4 & 0xf0) ^ step[crc >> 4];
		crc = (crc << 4 & 0xf0) ^ step[crc >> 4];
	}
	return (uint8_t)crc;
}

static uint8_t *fixed_write(uint64_t number, int count, uint8_t *to)
{
	for (int i = count - 1; i >= 0; i--)
		*to++ = (uint8_t)(number >> (8 * i));
	return to;
}

static uint8_t *varint_write(uint64_t number, uint8_t *to)
{
	for (; number >= 0x80; number >>= 7)
		*to++ = (uint8_t)(number | 0x80);
	*to++ = (uint8_t)number;
	return to;
}

static size_t item_write(const struct item *item, uint8_t bytes[ITEM_BYTES_MAX])
{
	const struct position *position = &item->position;
	uint8_t *to = fixed_write(item->hash, HASH_BYTES, bytes);

	if (position_is_origin(position)) {
		*to++ = 0;
	} else {
		to = varint_write(position_epoch_n(position->epoch), to);
		to = fixed_write(position->epoch, R_BYTES, to);
		to = varint_write(position->seq, to);
		to = fixed_write(position->tag, TAG_BYTES, to);
	}
	*to = check_byte(bytes, (size_t)(to - bytes));
	return (size_t)(to + 1 - bytes);
}

/* What is left of an item's bytes. */
struct scan {
	const uint8_t *at;
	size_t bytes;
};

static bool fixed_read(struct scan *scan, size_t count, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (scan->bytes < count)
		return false;
	for (size_t i = 0; i < count; i++)
		number = number << 8 | scan->at[i];
	scan->at += count;
	scan->bytes -= count;
	*ret_number = number;
	return true;
}

/* number_max is below 2^56, so eight bytes are enough. */
static bool varint_read(struct scan *scan, uint64_t number_max, uint64_t *ret_number)
{
	uint64_t number = 0, byte;
	unsigned shift = 0;

	do {
		if (shift >= 56 || !fixed_read(scan, 1, &byte))
			return false;
		number |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if ((byte == 0 && shift > 7) || number > number_max)
		return false;
	*ret_number = number;
	return true;
}

static bool item_read(const uint8_t *bytes, size_t count, struct item *ret_item)
{
	struct scan scan = { bytes, count - 1 };
	uint64_t hash, n, r, seq, tag;

	if (count == 0 || bytes[count - 1] != check_byte(bytes, count - 1))
		return false;
	if (!fixed_read(&scan, HASH_BYTES, &hash) || !varint_read(&scan, EPOCH_N_MAX, &n))
		return false;

	*ret_item = (struct item){ .hash = (uint32_t)hash };
	if (n == 0)
		return scan.bytes == 0;
	if (!fixed_read(&scan, R_BYTES, &r) || !varint_read(&scan, POSITION_SEQ_MAX, &seq) ||
	    !fixed_read(&scan, TAG_BYTES, &tag) || scan.bytes)
		return false;
	ret_item->position = (struct position){ position_epoch((uint32_t)n, r), seq, tag };
	return true;
}

static enum err items_put(const struct slice *names, const struct position *positions, size_t count,
			  struct buf *buf)
{
	_Static_assert((ITEM_TEXT_MAX + 1) * CURSOR_STREAMS_MAX + 4 <= CURSOR_TEXT_MAX, "fits");
	enum err err = buf_put(buf, PREFIX);

	for (size_t i = 0; i < count && !err; i++) {
		struct item item = { name_hash(names[i]), positions[i] };
		uint8_t bytes[ITEM_BYTES_MAX];
		char text[ITEM_TEXT_MAX + 1];
		char *to = text;

		if (i)
			*to++ = ',';
		to = base64url_write(bytes, item_write(&item, bytes), to);
		err = buf_put(buf, slice_from(text, (size_t)(to - text)));
	}
	return err ? err : buf_put_byte(buf, '.');
}

enum err cursor_format(const struct slice *names, const struct position *positions, size_t count,
		       struct buf *buf)
{
	size_t before = buf->bytes;

	if (count > CURSOR_STREAMS_MAX)
		return err_note(ERR_TOO_MANY, "at most %d streams a session", CURSOR_STREAMS_MAX);
	if (count == 1) {
		char text[POSITION_TEXT_MAX];
		return buf_put(buf, slice_from(text, position_format(&positions[0], text)));
	}
	enum err err = items_put(names, positions, count, buf);
	if (err)
		buf->bytes = before;
	return err;
}

/* The items of a text whose form is "m1.". False if something in it is broken; what could be read
 * is given all the same. */
static bool items_read(struct slice text, struct item items[CURSOR_STREAMS_MAX], size_t *ret_count)
{
	struct slice rest = slice_from(text.at + PREFIX.bytes, text.bytes - PREFIX.bytes);
	bool whole = rest.bytes && rest.at[rest.bytes - 1] == '.';
	size_t count = 0;

	if (whole)
		rest.bytes--;
	for (bool more = rest.bytes > 0; more;) {
		const char *comma = memchr(rest.at, ',', rest.bytes);
		size_t item_bytes = comma ? (size_t)(comma - rest.at) : rest.bytes;
		uint8_t bytes[BASE64URL_BYTES(ITEM_TEXT_MAX)];
		size_t byte_count;

		if (count == CURSOR_STREAMS_MAX) {
			whole = false;
			break;
		}
		if (item_bytes <= ITEM_TEXT_MAX &&
		    base64url_read(slice_from(rest.at, item_bytes), bytes, &byte_count) == OK &&
		    item_read(bytes, byte_count, &items[count]))
			count++;
		else
			whole = false;
		more = comma;
		if (more)
			rest = slice_from(comma + 1, rest.bytes - item_bytes - 1);
	}
	*ret_count = count;
	return whole;
}

static void places_find(const struct item *items, size_t item_count, const struct slice *names,
			size_t count, struct cursor_place *places)
{
	uint32_t hashes[CURSOR_STREAMS_MAX];

	for (size_t i = 0; i < count; i++)
		hashes[i] = name_hash(names[i]);
	for (size_t k = 0; k < item_count; k++) {
		for (size_t i = 0; i < count; i++) {
			if (hashes[i] == items[k].hash && places[i].found != CURSOR_FOUND) {
				places[i].found = CURSOR_FOUND;
				places[i].position = items[k].position;
				break;
			}
		}
	}
}

void cursor_parse(struct slice text, const struct slice *names, size_t count,
		  struct cursor_place *ret_places)
{
	struct item items[CURSOR_STREAMS_MAX];
	size_t item_count = 0;
	bool whole = text.bytes == 0;

	MUST(count <= CURSOR_STREAMS_MAX);
	for (size_t i = 0; i < count; i++)
		ret_places[i] = (struct cursor_place){ .found = CURSOR_ABSENT };

	if (slice_starts(text, PREFIX)) {
		if (text.bytes <= CURSOR_TEXT_MAX)
			whole = items_read(text, items, &item_count);
		places_find(items, item_count, names, count, ret_places);
	} else if (count == 1 && position_parse(text, &ret_places[0].position) == OK) {
		ret_places[0].found = CURSOR_FOUND;
	}

	for (size_t i = 0; i < count && !whole; i++) {
		if (ret_places[i].found != CURSOR_FOUND)
			ret_places[i].found = CURSOR_INVALID;
	}
}

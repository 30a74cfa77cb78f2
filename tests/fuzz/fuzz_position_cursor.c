/* fuzz_position_cursor: ids that browsers send back, and cursors of our own with a byte changed. */
#include "fuzz.h"
#include "wire/cursor.h"

enum { NAME_COUNT = 5 };

static const struct slice names[NAME_COUNT] = {
	{ "a", 1 }, { "news/eu", 7 }, { "user:42", 7 }, { "room@x", 6 }, { "b", 1 },
};

static void check_position(struct slice text)
{
	struct position position;
	char again[POSITION_TEXT_MAX];

	if (position_parse(text, &position))
		return;
	MUST(position.seq <= POSITION_SEQ_MAX && position.tag <= POSITION_TAG_MAX);
	MUST(slice_equal(slice_from(again, position_format(&position, again)), text));
}

static bool place_equal(const struct cursor_place *a, const struct cursor_place *b)
{
	return a->found == b->found &&
	       (a->found != CURSOR_FOUND || position_equal(&a->position, &b->position));
}

static void must_be_found(const struct cursor_place *place, const struct position *wanted)
{
	MUST(place->found == CURSOR_FOUND && position_equal(&place->position, wanted));
}

/* Any text: the order of the names does not matter, and what was found survives another turn. */
static void check_text(struct slice text, size_t count)
{
	struct cursor_place places[NAME_COUNT], reversed[NAME_COUNT], again[NAME_COUNT];
	struct slice backwards[NAME_COUNT], found_names[NAME_COUNT];
	struct position found[NAME_COUNT];
	size_t found_count = 0;
	struct buf buf;

	for (size_t i = 0; i < count; i++)
		backwards[i] = names[count - 1 - i];
	cursor_parse(text, names, count, places);
	cursor_parse(text, backwards, count, reversed);
	for (size_t i = 0; i < count; i++) {
		MUST(place_equal(&places[i], &reversed[count - 1 - i]));
		MUST(text.bytes || places[i].found == CURSOR_ABSENT);
		if (places[i].found != CURSOR_FOUND)
			continue;
		found_names[found_count] = names[i];
		found[found_count++] = places[i].position;
	}

	buf_init(&buf, CURSOR_TEXT_MAX);
	MUST(cursor_format(found_names, found, found_count, &buf) == OK);
	cursor_parse(buf_slice(&buf), found_names, found_count, again);
	for (size_t i = 0; i < found_count; i++)
		must_be_found(&again[i], &found[i]);
	buf_fini(&buf);
}

static uint64_t take_number(struct slice *rest, uint64_t max)
{
	uint64_t number = 0;
	for (unsigned bytes = fuzz_byte(rest) % 9; bytes; bytes--)
		number = number << 8 | fuzz_byte(rest);
	return number > max ? max : number;
}

/* A cursor of our own: comes back whole; with one byte changed, its item alone is lost. */
static void check_changed(struct slice rest)
{
	struct position positions[NAME_COUNT];
	struct cursor_place places[NAME_COUNT];
	struct buf buf;

	for (size_t i = 0; i < NAME_COUNT; i++) {
		uint32_t n = (uint32_t)take_number(&rest, (1 << 24) - 1);
		positions[i] = (struct position){ 0 };
		if (n == 0)
			continue;
		positions[i].epoch = position_epoch(n, take_number(&rest, UINT64_MAX));
		positions[i].seq = take_number(&rest, POSITION_SEQ_MAX);
		positions[i].tag = take_number(&rest, POSITION_TAG_MAX);
	}
	buf_init(&buf, CURSOR_TEXT_MAX);
	MUST(cursor_format(names, positions, NAME_COUNT, &buf) == OK);
	cursor_parse(buf_slice(&buf), names, NAME_COUNT, places);
	for (size_t i = 0; i < NAME_COUNT; i++)
		must_be_found(&places[i], &positions[i]);

	size_t at = 3 + (fuzz_byte(&rest) << 8 | fuzz_byte(&rest)) % (buf.bytes - 3);
	size_t item = 0;
	for (size_t i = 0; i < at; i++)
		item += buf.at[i] == ',';
	char was = buf.at[at];
	buf.at[at] = (char)fuzz_byte(&rest);
	cursor_parse(buf_slice(&buf), names, NAME_COUNT, places);
	for (size_t i = 0; i < NAME_COUNT; i++) {
		bool hit = buf.at[at] != was && (i == item || (was == ',' && i == item + 1));
		if (!hit)
			must_be_found(&places[i], &positions[i]);
		else if (was != '.')
			MUST(places[i].found == CURSOR_INVALID);
	}
	buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = fuzz_slice(data, size);
	unsigned choice = fuzz_byte(&rest);

	if (choice % 8 == 7) {
		check_changed(rest);
	} else {
		check_position(rest);
		check_text(rest, choice % (NAME_COUNT + 1));
	}
	return 0;
}

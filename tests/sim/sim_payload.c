#include "sim_payload.h"

#include <stdio.h>

#include "sim_draw.h"
#include "sim_parse.h"

static char made[SAYING_BYTES_MAX + 64];
static char other[SAYING_BYTES_MAX + 64];

/* What an encoder may stumble over, beside plain letters. */
static const char *const bits[] = {
	"\n",   "\r",	    "\r\n", "\n\n",    "\"", "\\",	"data: ",   "id: 0\n",
	":",    "\xc3\xa9", " ",    "\t",      "\b", "{\"a\":", "</script>", "\xe2\x80\xa8",
	"\x7f", "event: x", "",	    "\xef\xbb\xbf",
};

static size_t text_make(const struct saying *saying, struct draw *draw)
{
	size_t at = (size_t)snprintf(made, 32, "%u:%u:", saying->stream, saying->serial);

	/* Long payloads are mostly letters: they are there for their length. */
	uint32_t odd_one_in = saying->bytes > 2000 ? 200 : 6;
	while (at < saying->bytes) {
		if (draw_one_in(draw, odd_one_in)) {
			const char *bit = bits[draw_below(draw, sizeof bits / sizeof *bits)];
			size_t bytes = strlen(bit);
			memcpy(made + at, bit, bytes);
			at += bytes;
			continue;
		}
		uint64_t letters = draw_next(draw);
		for (int i = 0; i < 8; i++)
			made[at++] = (char)('a' + (letters >> (i * 8) & 0xff) % 26);
	}
	return at;
}

static size_t json_make(const struct saying *saying, struct draw *draw)
{
	size_t at = (size_t)snprintf(made, 64, "{\"s\":%u,\"n\":%u,%s\"x\":\"", saying->stream,
				     saying->serial, draw_one_in(draw, 2) ? "\r\n" : " ");

	while (at < saying->bytes)
		made[at++] = (char)('a' + draw_below(draw, 26));
	memcpy(made + at, "\"\n}", 3);
	return at + 3;
}

struct slice saying_data(const struct saying *saying)
{
	struct draw draw = { (uint64_t)saying->stream << 32 | saying->serial };

	draw_next(&draw);
	if (saying->bytes == 0)
		return slice_from(made, 0);
	return slice_from(made, saying->json ? json_make(saying, &draw) : text_make(saying, &draw));
}

static const char *const words[] = { "", "tick", "a.b:c-d_e", "message", "Z" };

struct slice saying_type(const struct saying *saying)
{
	return slice_of(words[saying->type % 5]);
}

struct slice saying_key(const struct saying *saying)
{
	static char key[16];

	if (saying->key == 0)
		return slice_from(key, 0);
	return slice_from(key, (size_t)snprintf(key, sizeof key, "k\"%u", saying->key));
}

bool saying_is_sse(const struct saying *saying, struct slice got)
{
	struct slice want = saying_data(saying);
	size_t to = 0;

	for (size_t i = 0; i < want.bytes; i++) {
		if (want.at[i] != '\r') {
			other[to++] = want.at[i];
			continue;
		}
		other[to++] = '\n';
		if (i + 1 < want.bytes && want.at[i + 1] == '\n')
			i++;
	}
	return slice_equal(slice_from(other, to), got);
}

bool saying_is_json(const struct saying *saying, struct slice raw)
{
	struct slice want = saying_data(saying);

	if (!saying->json || want.bytes == 0) {
		size_t bytes;
		return json_unquote(raw, other, sizeof other, &bytes) &&
		       slice_equal(want, slice_from(other, bytes));
	}
	for (size_t i = 0; i < want.bytes; i++)
		other[i] = want.at[i] == '\n' || want.at[i] == '\r' ? ' ' : want.at[i];
	return slice_equal(slice_from(other, want.bytes), raw);
}

bool saying_serial(struct slice data, uint32_t *ret_stream, uint32_t *ret_serial)
{
	char text[64];
	size_t bytes = data.bytes < sizeof text - 1 ? data.bytes : sizeof text - 1;

	memcpy(text, data.at, bytes);
	text[bytes] = '\0';
	return sscanf(text, "%u:%u:", ret_stream, ret_serial) == 2 ||
	       sscanf(text, "\"%u:%u:", ret_stream, ret_serial) == 2 ||
	       sscanf(text, "{\"s\":%u,\"n\":%u,", ret_stream, ret_serial) == 2;
}

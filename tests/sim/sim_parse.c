#include "sim_parse.h"

#include <stdlib.h>

void parse_init(struct parse *parse, bool lines, bool chunked)
{
	parse->lines = lines;
	parse->chunked = chunked;
	parse->head_done = false;
	parse->body_done = false;
	parse->chunk_bytes = 0;
	parse->chunk_left = 0;
	parse->head_bytes = 0;
	parse->used = 0;
	parse->blocks = 0;
	parse->comments = 0;
	parse->wrong = NULL;
}

static void wrong(struct parse *parse, const char *what)
{
	if (!parse->wrong)
		parse->wrong = what;
}

/* "name: value"; the space is dropped. */
static struct slice field_value(struct slice line, const char *name)
{
	size_t bytes = strlen(name);

	if (line.bytes <= bytes || memcmp(line.at, name, bytes) != 0 || line.at[bytes] != ':')
		return (struct slice){ 0 };
	line = slice_from(line.at + bytes + 1, line.bytes - bytes - 1);
	if (line.bytes && line.at[0] == ' ')
		return slice_from(line.at + 1, line.bytes - 1);
	return line;
}

static void field_read(struct parse *parse, struct block *block, struct slice line, char *data,
		       size_t *data_bytes, bool *has_data)
{
	if (block->has_id)
		wrong(parse, "a field after the id");
	if (line.at[0] == ':') {
		wrong(parse, "a comment inside a block");
	} else if (field_value(line, "data").at) {
		struct slice value = field_value(line, "data");
		if (*has_data)
			data[(*data_bytes)++] = '\n';
		memmove(data + *data_bytes, value.at, value.bytes);
		*data_bytes += value.bytes;
		*has_data = true;
	} else if (field_value(line, "event").at) {
		if (block->type.at)
			wrong(parse, "a second event: line");
		block->type = field_value(line, "event");
	} else if (field_value(line, "id").at) {
		block->id = field_value(line, "id");
		block->has_id = true;
	} else if (field_value(line, "retry").at) {
		block->retry_ms = strtoll(field_value(line, "retry").at, NULL, 10);
	} else {
		wrong(parse, "a line that is no known field");
	}
}

/* Type and id stay where they came in; only data, which may be of many lines, is put together. */
static void block_done(struct parse *parse, block_fn *fn, void *arg)
{
	static char data[SIM_BLOCK_BYTES];
	struct block block = { .retry_ms = -1 };
	size_t data_bytes = 0, at = 0;
	bool has_data = false;

	while (at < parse->used) {
		const char *line = parse->bytes + at;
		const char *end = memchr(line, '\n', parse->used - at);
		if (!end)
			break;
		size_t bytes = (size_t)(end - line);
		if (bytes)
			field_read(parse, &block, slice_from(line, bytes), data, &data_bytes,
				   &has_data);
		at += bytes + 1;
	}
	if (!has_data)
		wrong(parse, "a block without data");
	block.data = slice_from(data, data_bytes);
	parse->blocks++;
	parse->used = 0;
	fn(arg, &block);
}

static void line_done(struct parse *parse, block_fn *fn, void *arg)
{
	struct block block = { .retry_ms = -1, .data = { parse->bytes, parse->used - 1 } };
	bool blank = parse->used == 1;

	parse->used = 0;
	if (blank) {
		parse->comments++; /* a heartbeat between lines */
		return;
	}
	parse->blocks++;
	fn(arg, &block);
}

/* A comment, or retry: alone: a line of its own between blocks, which dispatches nothing. */
static bool is_lone_line(const struct parse *parse)
{
	struct slice line = { parse->bytes, parse->used };

	return (line.at[0] == ':' || slice_starts(line, SLICE("retry: "))) &&
	       memchr(line.at, '\n', line.bytes) == line.at + line.bytes - 1;
}

static void line_end_taken(struct parse *parse, block_fn *fn, void *arg)
{
	parse->bytes[parse->used++] = '\n';
	if (parse->lines) {
		line_done(parse, fn, arg);
	} else if (is_lone_line(parse)) {
		parse->comments++;
		parse->used = 0;
	} else if (parse->used == 1) {
		wrong(parse, "a blank line that ends no block");
		parse->used = 0;
	} else if (parse->bytes[parse->used - 2] == '\n') {
		block_done(parse, fn, arg);
	}
}

static void head_byte(struct parse *parse, char byte)
{
	if (parse->head_bytes == SIM_HEAD_BYTES) {
		wrong(parse, "a head that does not end");
		return;
	}
	parse->head[parse->head_bytes++] = byte;
	parse->head_done = parse->head_bytes >= 4 &&
			   memcmp(parse->head + parse->head_bytes - 4, "\r\n\r\n", 4) == 0;
}

static void body_feed(struct parse *parse, struct slice bytes, block_fn *block, void *arg)
{
	size_t at = 0;

	while (at < bytes.bytes) {
		const char *from = bytes.at + at;
		const char *end = memchr(from, '\n', bytes.bytes - at);
		size_t count = end ? (size_t)(end - from) : bytes.bytes - at;
		if (count && memchr(from, '\r', count))
			wrong(parse, "a carriage return in the body");
		if (parse->used + count >= SIM_BLOCK_BYTES) {
			wrong(parse, "a block that does not end");
			return;
		}
		memcpy(parse->bytes + parse->used, from, count);
		parse->used += (uint32_t)count;
		at += count;
		if (end) {
			line_end_taken(parse, block, arg);
			at++;
		}
	}
}

/* One more byte of a chunk's first line: its size in hexadecimal, CR, LF. */
static void chunk_line_byte(struct parse *parse, char byte)
{
	if (parse->chunk_bytes == sizeof parse->chunk - 1) {
		wrong(parse, "a chunk's size that does not end");
		return;
	}
	parse->chunk[parse->chunk_bytes++] = byte;
	if (byte != '\n')
		return;
	char *end = NULL;
	parse->chunk[parse->chunk_bytes] = '\0';
	unsigned long size = strtoul(parse->chunk, &end, 16);
	if (end == parse->chunk || strcmp(end, "\r\n") != 0)
		wrong(parse, "a chunk's size is hexadecimal");
	parse->body_done = size == 0;
	parse->chunk_left = (uint32_t)size + 2;
	parse->chunk_bytes = 0;
}

/* Chunks are whole blocks: so an intermediary that hands on chunk by chunk holds nothing back. */
static void chunk_done(struct parse *parse)
{
	if (parse->used)
		wrong(parse, "a chunk ends inside a block");
}

static void chunks_feed(struct parse *parse, struct slice bytes, block_fn *block, void *arg)
{
	static const char line_end[] = "\r\n";

	for (size_t at = 0; at < bytes.bytes;) {
		if (parse->chunk_left == 0) {
			if (parse->body_done)
				wrong(parse, "bytes behind the last chunk");
			chunk_line_byte(parse, bytes.at[at++]);
		} else if (parse->chunk_left <= 2) {
			if (bytes.at[at++] != line_end[2 - parse->chunk_left])
				wrong(parse, "a chunk is longer than it says");
			if (--parse->chunk_left == 0)
				chunk_done(parse);
		} else {
			size_t count = parse->chunk_left - 2;
			if (count > bytes.bytes - at)
				count = bytes.bytes - at;
			body_feed(parse, slice_from(bytes.at + at, count), block, arg);
			parse->chunk_left -= (uint32_t)count;
			at += count;
		}
	}
}

void parse_feed(struct parse *parse, struct slice bytes, block_fn *block, void *arg)
{
	size_t at = 0;

	for (; at < bytes.bytes && !parse->head_done; at++)
		head_byte(parse, bytes.at[at]);
	bytes = slice_from(bytes.at + at, bytes.bytes - at);
	if (parse->chunked)
		chunks_feed(parse, bytes, block, arg);
	else
		body_feed(parse, bytes, block, arg);
}

/* The end of the JSON value that begins at text[at]: enough of JSON for what encoders write. */
static size_t value_end(struct slice text, size_t at)
{
	int depth = 0;
	bool quoted = false;

	for (; at < text.bytes; at++) {
		char byte = text.at[at];
		if (quoted) {
			if (byte == '\\')
				at++;
			else if (byte == '"')
				quoted = false;
			if (!quoted && depth == 0)
				return at + 1;
		} else if (byte == '"') {
			quoted = true;
		} else if (byte == '{' || byte == '[') {
			depth++;
		} else if (byte == '}' || byte == ']') {
			if (depth == 0)
				return at;
			if (--depth == 0)
				return at + 1;
		} else if (byte == ',' && depth == 0) {
			return at;
		}
	}
	return at;
}

struct slice json_member(struct slice object, const char *name)
{
	size_t at = 1;

	if (object.bytes < 2 || object.at[0] != '{' || object.at[object.bytes - 1] != '}')
		return (struct slice){ 0 };
	while (at < object.bytes && object.at[at] == '"') {
		size_t name_end = value_end(object, at);
		if (name_end >= object.bytes || object.at[name_end] != ':')
			break;
		size_t end = value_end(object, name_end + 1);
		if (slice_equal(slice_from(object.at + at + 1, name_end - at - 2), slice_of(name)))
			return slice_from(object.at + name_end + 1, end - name_end - 1);
		at = end + 1;
	}
	return (struct slice){ 0 };
}

static bool hex4(const char *at, unsigned *ret_code)
{
	unsigned code = 0;

	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef", *found = strchr(digits, at[i]);
		if (!found || !at[i])
			return false;
		code = code << 4 | (unsigned)(found - digits);
	}
	*ret_code = code;
	return true;
}

bool json_unquote(struct slice raw, char *ret_bytes, size_t bytes_max, size_t *ret_bytes_count)
{
	static const char from[] = "btnfr\"\\/", to[] = "\b\t\n\f\r\"\\/";
	size_t count = 0;

	if (raw.bytes < 2 || raw.at[0] != '"' || raw.at[raw.bytes - 1] != '"')
		return false;
	for (size_t i = 1; i < raw.bytes - 1; i++) {
		unsigned code = (unsigned char)raw.at[i];
		if (code < 0x20 || code == '"' || count == bytes_max)
			return false;
		if (code == '\\') {
			char escape = raw.at[++i];
			const char *found = escape ? strchr(from, escape) : NULL;
			if (found)
				code = (unsigned char)to[found - from];
			else if (escape != 'u' || i + 5 >= raw.bytes ||
				 !hex4(raw.at + i + 1, &code) || code > 0x7f)
				return false;
			if (!found)
				i += 4;
		}
		ret_bytes[count++] = (char)code;
	}
	*ret_bytes_count = count;
	return true;
}

struct slice json_plain(struct slice raw)
{
	if (raw.bytes < 2 || raw.at[0] != '"' || memchr(raw.at, '\\', raw.bytes))
		return (struct slice){ 0 };
	return slice_from(raw.at + 1, raw.bytes - 2);
}

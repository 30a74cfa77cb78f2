#include "cli/answer.h"

#include <stdio.h>

static const uint64_t chunk_bytes_max = UINT64_C(1) << 40;

static struct slice trim(struct slice text)
{
	while (text.bytes && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.bytes--;
	}
	while (text.bytes && strchr(" \t\r", text.at[text.bytes - 1]))
		text.bytes--;
	return text;
}

/* The next line without its end; the head's bytes are all there and end in LF. */
static struct slice line_take(struct slice *head)
{
	const char *end = memchr(head->at, '\n', head->bytes);
	struct slice line = slice_from(head->at, (size_t)(end - head->at));
	head->at += line.bytes + 1;
	head->bytes -= line.bytes + 1;
	if (line.bytes && line.at[line.bytes - 1] == '\r')
		line.bytes--;
	return line;
}

static enum err read_status(struct slice line, struct answer *answer)
{
	unsigned long long status;
	if (line.bytes < 12 || !slice_starts(line, SLICE("HTTP/1.")) || line.at[8] != ' ' ||
	    !slice_to_u64(slice_from(line.at + 9, 3), &status) || status < 100)
		return err_note(ERR_SYNTAX, "this is not an HTTP/1.1 server: it says \"%.*s\"",
				(int)(line.bytes < 40 ? line.bytes : 40), line.at);
	answer->status = (unsigned)status;
	answer->keeps_open = line.at[7] == '1';
	return OK;
}

static enum err read_header(struct slice line, struct answer *answer, bool *has_length)
{
	const char *colon = memchr(line.at, ':', line.bytes);
	if (!colon)
		return err_note(ERR_SYNTAX, "the answer's head has a line without a colon");
	struct slice name = slice_from(line.at, (size_t)(colon - line.at));
	struct slice value = trim(slice_from(colon + 1, line.bytes - name.bytes - 1));
	unsigned long long number;

	if (slice_equal_nocase(name, SLICE("content-type"))) {
		const char *semicolon = memchr(value.at, ';', value.bytes);
		if (semicolon)
			value = trim(slice_from(value.at, (size_t)(semicolon - value.at)));
		(void)snprintf(answer->type, sizeof answer->type, "%.*s", (int)value.bytes,
			       value.at);
	} else if (slice_equal_nocase(name, SLICE("content-length"))) {
		if (!slice_to_u64(value, &number))
			return err_note(ERR_SYNTAX, "the answer's Content-Length is no number");
		*has_length = true;
		answer->left = number;
	} else if (slice_equal_nocase(name, SLICE("transfer-encoding"))) {
		if (!slice_equal_nocase(value, SLICE("chunked")))
			return err_note(ERR_SYNTAX,
					"the answer has a transfer coding we do not "
					"speak: %.*s",
					(int)value.bytes, value.at);
		answer->state = ANSWER_CHUNK_START;
	} else if (slice_equal_nocase(name, SLICE("connection"))) {
		if (slice_equal_nocase(value, SLICE("close")))
			answer->keeps_open = false;
	} else if (slice_equal_nocase(name, SLICE("retry-after"))) {
		answer->has_retry_after = slice_to_u64(value, &number);
		if (answer->has_retry_after)
			answer->retry_after_s = number;
	}
	return OK;
}

/* The length of the head with its blank line; 0: it is not all there. */
static size_t head_bytes(struct slice bytes)
{
	for (size_t i = 0; i < bytes.bytes; i++) {
		if (bytes.at[i] != '\n')
			continue;
		if (i + 1 < bytes.bytes && bytes.at[i + 1] == '\n')
			return i + 2;
		if (i + 2 < bytes.bytes && bytes.at[i + 1] == '\r' && bytes.at[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

static void settle_framing(struct answer *answer, bool bodiless, bool has_length)
{
	if (bodiless || answer->status < 200 || answer->status == 204 || answer->status == 304) {
		answer->state = ANSWER_WHOLE;
	} else if (answer->state == ANSWER_CHUNK_START) {
		answer->left = 0;
	} else if (has_length) {
		answer->state = answer->left ? ANSWER_LENGTH : ANSWER_WHOLE;
	} else {
		answer->state = ANSWER_TO_CLOSE;
		answer->keeps_open = false;
	}
}

enum err answer_head(struct slice *bytes, bool bodiless, struct answer *ret_answer)
{
	size_t count = head_bytes(*bytes);
	if (!count)
		return bytes->bytes < ANSWER_HEAD_BYTES_MAX
			       ? ERR_AGAIN
			       : err_note(ERR_TOO_BIG, "the answer's head has no end");

	struct slice head = slice_from(bytes->at, count);
	struct answer answer = { .state = ANSWER_TO_CLOSE };
	bool has_length = false;
	enum err err = read_status(line_take(&head), &answer);
	while (err == OK) {
		struct slice line = line_take(&head);
		if (!line.bytes)
			break;
		err = read_header(line, &answer, &has_length);
	}
	if (err != OK)
		return err;

	settle_framing(&answer, bodiless, has_length);
	bytes->at += count;
	bytes->bytes -= count;
	*ret_answer = answer;
	return OK;
}

static int hex_value(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	if (byte >= 'a' && byte <= 'f')
		return byte - 'a' + 10;
	return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* One byte of what lies between pieces of a chunked body. */
static enum err framing_byte(struct answer *answer, char byte)
{
	int hex = hex_value(byte);

	switch (answer->state) {
	case ANSWER_CHUNK_START:
		answer->state = ANSWER_CHUNK_SIZE;
		answer->left = hex >= 0 ? (uint64_t)hex : 0;
		return hex >= 0 ? OK : ERR_SYNTAX;
	case ANSWER_CHUNK_SIZE:
		if (hex >= 0) {
			answer->left = answer->left * 16 + (uint64_t)hex;
			return answer->left < chunk_bytes_max ? OK : ERR_SYNTAX;
		}
		if (byte == '\n')
			answer->state = answer->left ? ANSWER_CHUNK_DATA : ANSWER_TRAILER;
		else if (byte == ';' || byte == ' ')
			answer->state = ANSWER_CHUNK_EXTENSION;
		return byte == '\n' || byte == '\r' || byte == ';' || byte == ' ' ? OK : ERR_SYNTAX;
	case ANSWER_CHUNK_EXTENSION:
		if (byte == '\n')
			answer->state = answer->left ? ANSWER_CHUNK_DATA : ANSWER_TRAILER;
		return OK;
	case ANSWER_CHUNK_CR:
		answer->state = ANSWER_CHUNK_LF;
		return byte == '\r' ? OK : ERR_SYNTAX;
	case ANSWER_CHUNK_LF:
		answer->state = ANSWER_CHUNK_START;
		return byte == '\n' ? OK : ERR_SYNTAX;
	case ANSWER_TRAILER:
		if (byte == '\n')
			answer->state = ANSWER_WHOLE;
		else if (byte != '\r')
			answer->state = ANSWER_TRAILER_LINE;
		return OK;
	default: /* ANSWER_TRAILER_LINE */
		if (byte == '\n')
			answer->state = ANSWER_TRAILER;
		return OK;
	}
}

static struct slice piece_take(struct answer *answer, struct slice *bytes)
{
	struct slice piece = *bytes;
	if (answer->state != ANSWER_TO_CLOSE) {
		if (piece.bytes > answer->left)
			piece.bytes = (size_t)answer->left;
		answer->left -= piece.bytes;
		if (!answer->left)
			answer->state =
				answer->state == ANSWER_LENGTH ? ANSWER_WHOLE : ANSWER_CHUNK_CR;
	}
	bytes->at += piece.bytes;
	bytes->bytes -= piece.bytes;
	return piece;
}

enum err answer_body(struct answer *answer, struct slice *bytes, struct slice *ret_piece)
{
	while (answer->state != ANSWER_WHOLE) {
		if (!bytes->bytes)
			return ERR_AGAIN;
		if (answer->state == ANSWER_TO_CLOSE || answer->state == ANSWER_LENGTH ||
		    answer->state == ANSWER_CHUNK_DATA) {
			*ret_piece = piece_take(answer, bytes);
			return OK;
		}
		if (framing_byte(answer, bytes->at[0]) != OK)
			return err_note(ERR_SYNTAX, "the answer's chunks are broken");
		bytes->at++;
		bytes->bytes--;
	}
	return ERR_CLOSED;
}

bool answer_whole_at_end(const struct answer *answer)
{
	return answer->state == ANSWER_TO_CLOSE || answer->state == ANSWER_WHOLE;
}

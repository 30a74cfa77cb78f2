#include "front/headers.h"

#include <microhttpd.h>

#define FIELD(literal, member) { SLICE(literal), offsetof(struct headers, member) }

/* Fields that have one value or none; twice is a mistake, or somebody's trick. */
static const struct {
	struct slice name;
	size_t offset;
} single_fields[] = {
	FIELD("Content-Type", content_type),
	FIELD("Last-Event-ID", last_event_id),
	FIELD("Idempotency-Key", idempotency_key),
	FIELD("If-Match", if_match),
	FIELD("If-None-Match", if_none_match),
	FIELD("Origin", origin),
	FIELD("Access-Control-Request-Method", request_method),
	FIELD("Authorization", authorization),
	FIELD("Cookie", cookie),
	FIELD("Sec-Fetch-Site", sec_fetch_site),
};

static bool is_token(struct slice text)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < text.bytes; i++) {
		char c = text.at[i];
		bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
				(c >= 'A' && c <= 'Z');
		if (!is_alnum && (c == '\0' || !strchr(others, c)))
			return false;
	}
	return text.bytes > 0;
}

static bool is_text(struct slice text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static void take_length(struct headers *headers, struct slice value)
{
	unsigned long long length;
	if (headers->has_length)
		headers->err = err_note(ERR_HEADER, "more than one Content-Length");
	else if (!slice_to_u64(value, &length))
		headers->err = err_note(ERR_HEADER, "Content-Length is not a number");
	else
		headers->length = length;
	headers->has_length = true;
}

static void take_single(struct headers *headers, struct slice name, struct slice value)
{
	for (size_t i = 0; i < sizeof single_fields / sizeof single_fields[0]; i++) {
		if (!slice_equal_nocase(name, single_fields[i].name))
			continue;
		char *field = (char *)headers + single_fields[i].offset;
		struct slice *to = (struct slice *)(void *)field;
		if (to->at)
			headers->err = err_note(ERR_HEADER, "more than one %s",
						single_fields[i].name.at);
		*to = value;
		return;
	}
}

void headers_take(struct headers *headers, struct slice name, struct slice value)
{
	if (headers->err)
		return; /* the first mistake is the one to tell */
	if (!is_token(name)) {
		headers->err = err_note(ERR_HEADER, "a header name has a byte that is not allowed");
	} else if (!is_text(value)) {
		headers->err = err_note(ERR_HEADER, "the header %.*s holds a control character",
					name.bytes < 40 ? (int)name.bytes : 40, name.at);
	} else if (slice_equal_nocase(name, SLICE("Content-Length"))) {
		take_length(headers, value);
	} else if (slice_equal_nocase(name, SLICE("Transfer-Encoding"))) {
		headers->coding_count++;
		headers->is_chunked = slice_equal_nocase(value, SLICE("chunked"));
		if (!headers->is_chunked)
			headers->err = err_note(ERR_HEADER,
						"no Transfer-Encoding but chunked is known");
	} else if (slice_equal_nocase(name, SLICE("Host"))) {
		headers->host_count++;
		headers->host = value;
	} else if (slice_equal_nocase(name, SLICE("Accept"))) {
		if (headers->accept_count < HEADERS_ACCEPT_MAX)
			headers->accept[headers->accept_count++] = value;
	} else {
		take_single(headers, name, value);
	}
}

enum err headers_check(const struct headers *headers, bool is_http_1_1)
{
	if (headers->err)
		return headers->err;
	if (headers->host_count > 1)
		return err_note(ERR_HEADER, "more than one Host");
	if (headers->coding_count > 1)
		return err_note(ERR_HEADER, "more than one Transfer-Encoding");
	if (headers->coding_count && headers->has_length)
		return err_note(ERR_HEADER,
				"Content-Length and Transfer-Encoding exclude each other");
	if (headers->coding_count && !is_http_1_1)
		return err_note(ERR_HEADER, "HTTP/1.0 has no Transfer-Encoding");
	return OK;
}

static enum MHD_Result each_field(void *cls, enum MHD_ValueKind kind, const char *name,
				  size_t name_bytes, const char *value, size_t value_bytes)
{
	(void)kind;
	headers_take(cls, slice_from(name, name_bytes),
		     slice_from(value ? value : "", value_bytes));
	return MHD_YES;
}

enum err headers_read(struct MHD_Connection *connection, bool is_http_1_1,
		      struct headers *ret_headers)
{
	*ret_headers = (struct headers){ 0 };
	(void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, each_field, ret_headers);
	return headers_check(ret_headers, is_http_1_1);
}

static struct slice trimmed(struct slice text)
{
	while (text.bytes && (text.at[0] == ' ' || text.at[0] == '\t'))
		text = slice_from(text.at + 1, text.bytes - 1);
	while (text.bytes && (text.at[text.bytes - 1] == ' ' || text.at[text.bytes - 1] == '\t'))
		text.bytes--;
	return text;
}

void media_type_split(struct slice text, struct slice *ret_type, struct slice *ret_charset)
{
	struct slice charset = { 0 };
	struct slice type = { 0 };
	for (size_t part = 0; text.at; part++) {
		const char *semicolon = text.bytes ? memchr(text.at, ';', text.bytes) : NULL;
		size_t bytes = semicolon ? (size_t)(semicolon - text.at) : text.bytes;
		struct slice piece = trimmed(slice_from(text.at, bytes));
		if (part == 0)
			type = piece;
		else if (piece.bytes > 8 && slice_equal_nocase(slice_from(piece.at, 8),
							       SLICE("charset=")))
			charset = slice_from(piece.at + 8, piece.bytes - 8);
		if (!semicolon)
			break;
		text = slice_from(semicolon + 1, text.bytes - bytes - 1);
	}
	if (charset.bytes >= 2 && charset.at[0] == '"' && charset.at[charset.bytes - 1] == '"')
		charset = slice_from(charset.at + 1, charset.bytes - 2);
	*ret_type = type;
	*ret_charset = charset;
}

#include "front/reply.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/must.h"

enum { FIELD_VALUE_BYTES_MAX = 1024 };

void reply_init(struct reply *reply)
{
	*reply = (struct reply){ 0 };
	buf_init(&reply->fields, REPLY_FIELDS_BYTES_MAX);
	buf_init(&reply->body, REPLY_BODY_MAX);
}

void reply_fini(struct reply *reply)
{
	buf_fini(&reply->fields);
	buf_fini(&reply->body);
}

void reply_reset(struct reply *reply)
{
	reply->status = 0;
	buf_reset(&reply->fields);
	buf_reset(&reply->body);
	reply->fixed = (struct slice){ 0 };
}

void reply_field(struct reply *reply, const char *name, const char *format, ...)
{
	char value[FIELD_VALUE_BYTES_MAX];
	va_list args;
	va_start(args, format);
	int bytes = vsnprintf(value, sizeof value, format, args);
	va_end(args);
	if (bytes < 0 || (size_t)bytes >= sizeof value) {
		reply->fields.err = ERR_TOO_BIG;
		return;
	}
	size_t name_bytes = strlen(name) + 1;
	if (buf_reserve(&reply->fields, name_bytes + (size_t)bytes + 1) != OK)
		return; /* both or none: who walks them finds pairs */
	buf_put(&reply->fields, slice_from(name, name_bytes));
	buf_put(&reply->fields, slice_from(value, (size_t)bytes + 1));
}

bool reply_field_next(const struct reply *reply, size_t *at, const char **ret_name,
		      const char **ret_value)
{
	if (*at >= reply->fields.bytes)
		return false;
	*ret_name = reply->fields.at + *at;
	*ret_value = *ret_name + strlen(*ret_name) + 1;
	*at += strlen(*ret_name) + strlen(*ret_value) + 2;
	return true;
}

struct slice reply_body(const struct reply *reply)
{
	return reply->fixed.bytes ? reply->fixed : buf_slice(&reply->body);
}

bool reply_is_broken(const struct reply *reply)
{
	return reply->fields.err || reply->body.err;
}

const char *reply_reason(unsigned status)
{
	switch (status) {
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 204: return "No Content";
	case 207: return "Multi-Status";
	case 304: return "Not Modified";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 406: return "Not Acceptable";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 415: return "Unsupported Media Type";
	case 422: return "Unprocessable Content";
	case 429: return "Too Many Requests";
	case 500: return "Internal Server Error";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 507: return "Insufficient Storage";
	default: return "Other";
	}
}

void reply_write_head(const struct reply *reply, struct buf *buf)
{
	buf_putf(buf, "HTTP/1.1 %u %s\r\n", reply->status, reply_reason(reply->status));
	size_t at = 0;
	const char *name;
	const char *value;
	while (reply_field_next(reply, &at, &name, &value))
		buf_putf(buf, "%s: %s\r\n", name, value);
	buf_put_text(buf, "\r\n");
}

void reply_write(const struct reply *reply, struct buf *buf)
{
	struct slice body = reply_body(reply);
	reply_write_head(reply, buf);
	if (buf->err)
		return;
	MUST(buf->bytes >= 2);
	buf->bytes -= 2; /* the empty line comes after two more fields */
	if (reply->status != 204 && reply->status != 304)
		buf_putf(buf, "Content-Length: %zu\r\n", body.bytes);
	buf_put_text(buf, "Connection: close\r\n\r\n");
	buf_put(buf, body);
}

#include "cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

static const char url_default[] = "http://127.0.0.1:8080";

/* Visible ASCII and nothing else: what a host, a path and a token are made of. */
static bool is_visible(struct slice text)
{
	for (size_t i = 0; i < text.bytes; i++) {
		if (text.at[i] <= ' ' || text.at[i] == 0x7f)
			return false;
	}
	return true;
}

static enum err parse_authority(struct slice authority, struct target *target)
{
	struct slice host = authority, port = SLICE("80");
	const char *colon = NULL;

	if (authority.bytes && authority.at[0] == '[') {
		const char *close = memchr(authority.at, ']', authority.bytes);
		if (!close)
			return err_note(ERR_SYNTAX, "the address has a [ but no ]");
		host = slice_from(authority.at + 1, (size_t)(close - authority.at) - 1);
		size_t rest_bytes = authority.bytes - host.bytes - 2;
		if (rest_bytes && close[1] != ':')
			return err_note(ERR_SYNTAX, "after ] comes : and a port");
		colon = rest_bytes ? close + 1 : NULL;
	} else {
		colon = memchr(authority.at, ':', authority.bytes);
		if (colon)
			host.bytes = (size_t)(colon - authority.at);
	}
	if (colon)
		port = slice_from(colon + 1, authority.bytes - (size_t)(colon + 1 - authority.at));

	unsigned long long number;
	if (!slice_to_u64(port, &number) || number < 1 || number > 65535)
		return err_note(ERR_SYNTAX, "'%.*s' is not a port", (int)port.bytes, port.at);
	if (!host.bytes)
		host = SLICE("127.0.0.1");
	if (host.bytes >= sizeof target->host || memchr(host.at, '@', host.bytes))
		return err_note(ERR_SYNTAX, "'%.*s' is not a host", (int)host.bytes, host.at);

	bool is_v6 = memchr(host.at, ':', host.bytes);
	(void)snprintf(target->host, sizeof target->host, "%.*s", (int)host.bytes, host.at);
	(void)snprintf(target->port, sizeof target->port, "%llu", number);
	(void)snprintf(target->authority, sizeof target->authority, "%s%s%s:%llu", is_v6 ? "[" : "",
		       target->host, is_v6 ? "]" : "", number);
	return OK;
}

enum err target_parse(struct slice url, struct target *ret_target)
{
	struct target target = { .token = NULL };
	struct slice rest = url;

	if (!is_visible(url))
		return err_note(ERR_SYNTAX, "the URL holds a space or a control character");
	if (slice_starts(url, SLICE("https://")))
		return err_note(ERR_SYNTAX, "this command speaks plain http only; for https put a "
					    "TLS client such as stunnel or socat before it");
	if (slice_starts(url, SLICE("http://")))
		rest = slice_from(url.at + 7, url.bytes - 7);
	if (!rest.bytes)
		return err_note(ERR_SYNTAX, "the URL is empty");

	struct slice path = { rest.at + rest.bytes, 0 };
	const char *slash = memchr(rest.at, '/', rest.bytes);
	if (slash) {
		path = slice_from(slash, rest.bytes - (size_t)(slash - rest.at));
		rest.bytes -= path.bytes;
	}
	while (path.bytes && path.at[path.bytes - 1] == '/')
		path.bytes--;
	if (path.bytes >= sizeof target.path || memchr(path.at, '?', path.bytes) ||
	    memchr(path.at, '#', path.bytes))
		return err_note(ERR_SYNTAX, "the URL names a server, without ? and #");
	if (path.bytes)
		memcpy(target.path, path.at, path.bytes);

	enum err err = parse_authority(rest, &target);
	if (err == OK)
		*ret_target = target;
	return err;
}

static enum err token_set(struct target *target, struct slice token)
{
	if (!token.bytes || token.bytes > TARGET_TOKEN_BYTES_MAX || !is_visible(token))
		return err_note(ERR_SYNTAX, "the token must be one word without spaces");
	target->token = mem_strndup(token.at, token.bytes);
	return target->token ? OK : ERR_NOMEM;
}

static enum err token_read(struct target *target, const char *file)
{
	char bytes[TARGET_TOKEN_BYTES_MAX + 2];
	size_t count = 0;
	ssize_t got = 1;

	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_note(ERR_SYNTAX, "token file %s: %s", file, strerror(errno));
	while (count < sizeof bytes && got > 0) {
		got = read(fd, bytes + count, sizeof bytes - count);
		if (got > 0)
			count += (size_t)got;
	}
	(void)close(fd);
	if (got < 0)
		return err_note(ERR_SYNTAX, "token file %s: %s", file, strerror(errno));
	while (count && (bytes[count - 1] == '\n' || bytes[count - 1] == '\r'))
		count--;
	enum err err = token_set(target, slice_from(bytes, count));
	return err == OK ? OK : err_prefix(err, "token file %s", file);
}

enum err target_init(struct target *target, const struct cli_common *common)
{
	const char *url = common->url ? common->url : getenv("TAPECAST_URL");
	enum err err = target_parse(slice_of(url && *url ? url : url_default), target);
	if (err != OK) {
		target->token = NULL;
		return err_prefix(err, "%s", url);
	}

	const char *token = getenv("TAPECAST_TOKEN");
	if (common->token)
		return token_set(target, slice_of(common->token));
	if (common->token_file)
		return token_read(target, common->token_file);
	return token && *token ? token_set(target, slice_of(token)) : OK;
}

void target_fini(struct target *target)
{
	mem_free(target->token);
	target->token = NULL;
}

void request_begin(const struct target *target, const char *method, struct slice path,
		   struct buf *buf)
{
	(void)buf_putf(buf, "%s %s", method, target->path);
	(void)buf_put(buf, path);
	(void)buf_putf(buf, " HTTP/1.1\r\nHost: %s\r\nUser-Agent: tapecast/%s\r\n",
		       target->authority, PACKAGE_VERSION);
	if (target->token)
		(void)buf_putf(buf, "Authorization: Bearer %s\r\n", target->token);
}

enum err request_header(struct buf *buf, const char *name, struct slice value)
{
	for (size_t i = 0; i < value.bytes; i++) {
		unsigned char byte = (unsigned char)value.at[i];
		if (byte < ' ' || byte == 0x7f)
			return err_note(ERR_HEADER, "%s holds a control character", name);
	}
	(void)buf_putf(buf, "%s: ", name);
	(void)buf_put(buf, value);
	return buf_put_text(buf, "\r\n");
}

void request_end(struct buf *buf)
{
	(void)buf_put_text(buf, "\r\n");
}

void request_parameter(struct buf *path, const char *name, struct slice value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~:@/,;=";

	bool is_first = !path->bytes || !memchr(path->at, '?', path->bytes);
	(void)buf_putf(path, "%c%s=", is_first ? '?' : '&', name);
	for (size_t i = 0; i < value.bytes; i++) {
		unsigned char byte = (unsigned char)value.at[i];
		if (byte && strchr(plain, byte))
			(void)buf_put_byte(path, (char)byte);
		else
			(void)buf_putf(path, "%%%02X", byte);
	}
}

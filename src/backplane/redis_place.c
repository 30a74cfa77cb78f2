/*
 * redis_place: where a Redis is, as people write it.
 */
#include "backplane/redis.h"

enum { DEFAULT_PORT = 6379, DB_MAX = 65535 };

static enum err bad(void)
{
	return err_note(ERR_SYNTAX, "write redis://host:6379, redis://user@host:6379/0 or "
				    "unix:/path/of/socket");
}

static enum err copy(struct slice from, char *to, size_t bytes_max)
{
	if (from.bytes == 0 || from.bytes >= bytes_max || memchr(from.at, '\0', from.bytes))
		return bad();
	memcpy(to, from.at, from.bytes);
	to[from.bytes] = '\0';
	return OK;
}

/* Cuts what stands before the last (or first) mark off the front. */
static bool cut(struct slice *text, char mark, struct slice *ret_before)
{
	const char *at = text->bytes ? memchr(text->at, mark, text->bytes) : NULL;
	if (!at)
		return false;
	*ret_before = slice_from(text->at, (size_t)(at - text->at));
	*text = slice_from(at + 1, text->bytes - ret_before->bytes - 1);
	return true;
}

static enum err take_number(struct slice text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	unsigned long long number = 0;
	if (!slice_to_u64(text, &number) || number < min || number > max)
		return bad();
	*ret_number = number;
	return OK;
}

enum err redis_place_parse(struct slice text, struct redis_place *ret_place)
{
	struct redis_place place = { .port = DEFAULT_PORT };
	struct slice host, port = SLICE(""), user;
	uint64_t number = 0;

	if (slice_starts(text, SLICE("unix:"))) {
		place.port = 0;
		enum err err = copy(slice_from(text.at + 5, text.bytes - 5), place.host,
				    sizeof place.host);
		if (!err)
			*ret_place = place;
		return err;
	}
	if (!slice_starts(text, SLICE("redis://")))
		return bad();
	text = slice_from(text.at + 8, text.bytes - 8);
	enum err err = OK;
	if (cut(&text, '@', &user)) {
		if (memchr(user.at, ':', user.bytes))
			return err_note(ERR_SYNTAX, "a password does not belong on a command line: "
						    "use --redis-password-file");
		err = copy(user, place.user, sizeof place.user);
	}
	if (!err && cut(&text, '/', &host)) {
		err = take_number(text, 0, DB_MAX, &number);
		place.db = (uint32_t)number;
	} else {
		host = text;
	}
	if (!err && host.bytes && host.at[0] == '[') {
		host = slice_from(host.at + 1, host.bytes - 1);
		text = host;
		if (!cut(&text, ']', &host) || (text.bytes && text.at[0] != ':'))
			return bad();
		if (text.bytes)
			port = slice_from(text.at + 1, text.bytes - 1);
	} else if (!err) {
		text = host;
		if (cut(&text, ':', &host))
			port = text;
	}
	if (!err && port.at && port.bytes) {
		err = take_number(port, 1, UINT16_MAX, &number);
		place.port = (uint16_t)number;
	}
	if (!err)
		err = copy(host, place.host, sizeof place.host);
	if (!err)
		*ret_place = place;
	return err;
}

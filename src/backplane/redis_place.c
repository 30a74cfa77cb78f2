/*
 * redis_place: where a Redis is, as people write it.
 */
#include "backplane/redis.h"

enum { DEFAULT_PORT = 6379, SENTINEL_PORT = 26379, DB_MAX = 65535 };

static enum err bad(void)
{
	return err_note(ERR_SYNTAX, "write redis://host:6379, redis://user@host:6379/0, "
				    "unix:/path/of/socket or "
				    "redis-sentinel://host1,host2,host3/master");
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

/* host[:port], an IPv6 address in brackets. */
static enum err take_address(struct slice text, uint16_t port, struct redis_address *ret_address)
{
	struct redis_address address = { .port = port };
	struct slice host = text, digits = SLICE("");
	uint64_t number = 0;

	if (text.bytes && text.at[0] == '[') {
		text = slice_from(text.at + 1, text.bytes - 1);
		if (!cut(&text, ']', &host) || (text.bytes && text.at[0] != ':'))
			return bad();
		if (text.bytes)
			digits = slice_from(text.at + 1, text.bytes - 1);
	} else if (cut(&text, ':', &host)) {
		digits = text;
	}
	if (digits.bytes) {
		enum err err = take_number(digits, 1, UINT16_MAX, &number);
		if (err)
			return err;
		address.port = (uint16_t)number;
	}
	enum err err = copy(host, address.host, sizeof address.host);
	if (!err)
		*ret_address = address;
	return err;
}

static enum err take_user(struct slice *text, struct redis_place *place)
{
	struct slice user;

	if (!cut(text, '@', &user))
		return OK;
	if (memchr(user.at, ':', user.bytes))
		return err_note(ERR_SYNTAX, "a password does not belong on a command line: "
					    "use --redis-password-file");
	return copy(user, place->user, sizeof place->user);
}

static enum err take_db(struct slice text, struct redis_place *place)
{
	uint64_t number = 0;
	enum err err = take_number(text, 0, DB_MAX, &number);
	place->db = (uint32_t)number;
	return err;
}

static enum err take_server(struct slice text, struct redis_place *place)
{
	struct redis_address address;
	struct slice host;

	enum err err = take_user(&text, place);
	if (!err && cut(&text, '/', &host))
		err = take_db(text, place);
	else
		host = text;
	if (!err)
		err = take_address(host, DEFAULT_PORT, &address);
	if (!err) {
		memcpy(place->host, address.host, sizeof place->host);
		place->port = address.port;
	}
	return err;
}

static enum err take_sentinels(struct slice text, struct redis_place *place)
{
	struct slice list, master;

	enum err err = take_user(&text, place);
	if (!err && !cut(&text, '/', &list))
		return err_note(ERR_SYNTAX, "write redis-sentinel://host1,host2,host3/master");
	if (!err && cut(&text, '/', &master))
		err = take_db(text, place);
	else
		master = text;
	if (!err)
		err = copy(master, place->master, sizeof place->master);
	while (!err) {
		struct slice one;
		bool more = cut(&list, ',', &one);
		if (place->sentinel_count == REDIS_SENTINELS_MAX)
			return err_note(ERR_TOO_MANY, "at most %d sentinels", REDIS_SENTINELS_MAX);
		err = take_address(more ? one : list, SENTINEL_PORT,
				   &place->sentinels[place->sentinel_count++]);
		if (!more)
			break;
	}
	return err;
}

enum err redis_place_parse(struct slice text, struct redis_place *ret_place)
{
	static const struct slice server = { "redis://", 8 };
	static const struct slice sentinel = { "redis-sentinel://", 17 };
	static const struct slice path = { "unix:", 5 };
	struct redis_place place = { .port = DEFAULT_PORT };
	enum err err;

	if (slice_starts(text, path)) {
		place.port = 0;
		err = copy(slice_from(text.at + path.bytes, text.bytes - path.bytes), place.host,
			   sizeof place.host);
	} else if (slice_starts(text, server)) {
		err = take_server(slice_from(text.at + server.bytes, text.bytes - server.bytes),
				  &place);
	} else if (slice_starts(text, sentinel)) {
		err = take_sentinels(slice_from(text.at + sentinel.bytes,
						text.bytes - sentinel.bytes), &place);
	} else {
		err = bad();
	}
	if (!err)
		*ret_place = place;
	return err;
}

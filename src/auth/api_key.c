#include "auth/api_key.h"

#include <sodium.h>

#include "auth/key_impl.h"
#include "auth/members.h"
#include "base/mem.h"

void token_digest(const uint8_t key[DIGEST_KEY_BYTES], struct slice token,
		  uint8_t ret_digest[DIGEST_BYTES])
{
	(void)crypto_generichash(ret_digest, DIGEST_BYTES, (const unsigned char *)token.at,
				 token.bytes, key, DIGEST_KEY_BYTES);
}

enum err api_keys_new(struct api_keys **ret_keys)
{
	struct api_keys *keys = mem_zalloc(sizeof *keys);
	if (!keys)
		return ERR_NOMEM;
	atomic_store(&keys->refs, 1);
	*ret_keys = keys;
	return OK;
}

struct api_keys *api_keys_ref(struct api_keys *keys)
{
	atomic_fetch_add_explicit(&keys->refs, 1, memory_order_relaxed);
	return keys;
}

void api_keys_unref(struct api_keys **keys)
{
	if (!*keys)
		return;
	if (atomic_fetch_sub_explicit(&(*keys)->refs, 1, memory_order_acq_rel) == 1) {
		for (size_t i = 0; i < (*keys)->count; i++)
			grant_unref(&(*keys)->keys[i].grant);
		mem_free(*keys);
	}
	*keys = NULL;
}

/* What may stand behind "Bearer", but no dot: that is how a token is told from a key. */
static enum err check_key(struct slice key)
{
	if (key.bytes < API_KEY_BYTES_MIN || key.bytes > API_KEY_BYTES_MAX)
		return err_note(ERR_RANGE, "an API key has %d to %d characters",
				API_KEY_BYTES_MIN, API_KEY_BYTES_MAX);
	for (size_t i = 0; i < key.bytes; i++) {
		char c = key.at[i];
		bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9');
		if (!is_alnum && (c == '\0' || !strchr("-_~+/=", c)))
			return err_note(ERR_SYNTAX,
					"an API key has letters, digits and - _ ~ + / =");
	}
	return OK;
}

/* A name that is not known is a slip that would take a right away, or give one. */
static enum err check_names(struct json_value object)
{
	static const char *const known[] = { "key", "sub", "subscribe", "publish", "presence",
					     "admin", "info" };
	struct json_value value;
	struct slice name;
	size_t at = 0;
	while (json_next(object, &at, &name, &value)) {
		size_t i = 0;
		while (i < sizeof known / sizeof known[0] && !json_name_is(name, known[i]))
			i++;
		if (i == sizeof known / sizeof known[0])
			return err_note(ERR_SYNTAX, "\"%.*s\" is not known: there are key, sub, "
						    "subscribe, publish, presence, admin, info",
					name.bytes < 40 ? (int)name.bytes : 40, name.at);
	}
	return OK;
}

static enum err add_object(struct api_keys *keys, struct json_value object,
			   const uint8_t *digest_key, struct claims *claims, struct buf *text)
{
	struct api_key *key = &keys->keys[keys->count];
	struct json_value value;

	enum err err = check_names(object);
	if (!err && !members_find(object, "key", &value))
		err = err_note(ERR_SYNTAX, "there is no \"key\"");
	if (!err)
		err = json_string(value, text);
	if (!err)
		err = check_key(buf_slice(text));
	if (err)
		return err;
	token_digest(digest_key, buf_slice(text), key->digest);
	for (size_t i = 0; i < keys->count; i++) {
		if (sodium_memcmp(keys->keys[i].digest, key->digest, DIGEST_BYTES) == 0)
			return err_note(ERR_SYNTAX, "the key is there twice");
	}
	if (members_find(object, "sub", &value)) {
		err = json_string(value, &claims->text);
		claims->sub = buf_slice(&claims->text);
	}
	if (!err)
		err = claims_read_grants(object, claims);
	return err ? err : grant_new(claims, 0, &key->grant);
}

static enum err add_line(struct api_keys *keys, struct slice line, const uint8_t *digest_key)
{
	struct json_value object;
	struct claims claims = { 0 };
	struct buf text;

	if (keys->count == API_KEYS_MAX)
		return err_note(ERR_TOO_MANY, "more than %d API keys", API_KEYS_MAX);
	buf_init(&claims.text, CLAIMS_BYTES_MAX);
	buf_init(&text, API_KEY_BYTES_MAX + 1);
	enum err err = line.bytes > CLAIMS_BYTES_MAX ?
			       err_note(ERR_TOO_BIG, "more than %d bytes", CLAIMS_BYTES_MAX) :
			       buf_reserve(&claims.text, CLAIMS_BYTES_MAX);
	if (!err)
		err = members_open(line, &object);
	if (!err)
		err = add_object(keys, object, digest_key, &claims, &text);
	if (!err)
		keys->count++;
	key_buf_fini(&text);
	claims_fini(&claims);
	return err;
}

static bool is_skipped(struct slice line)
{
	size_t at = 0;
	while (at < line.bytes && strchr(" \t\r", line.at[at]) && line.at[at])
		at++;
	return at == line.bytes || line.at[at] == '#';
}

enum err api_keys_add(struct api_keys *keys, struct slice text,
		      const uint8_t digest_key[DIGEST_KEY_BYTES])
{
	size_t count = 0;
	for (size_t number = 1; text.bytes; number++) {
		const char *end = memchr(text.at, '\n', text.bytes);
		size_t bytes = end ? (size_t)(end - text.at) : text.bytes;
		struct slice line = slice_from(text.at, bytes);
		text = slice_from(text.at + bytes, text.bytes - bytes);
		if (text.bytes)
			text = slice_from(text.at + 1, text.bytes - 1);
		if (is_skipped(line))
			continue;
		enum err err = add_line(keys, line, digest_key);
		if (err)
			return err_prefix(err, "line %zu", number);
		count++;
	}
	return count ? OK : err_note(ERR_SYNTAX, "no API key is in it");
}

enum err api_keys_load(struct api_keys *keys, const char *path,
		       const uint8_t digest_key[DIGEST_KEY_BYTES])
{
	struct buf text;
	enum err err = key_file_read(path, &text);
	if (!err)
		err = api_keys_add(keys, buf_slice(&text), digest_key);
	key_buf_fini(&text);
	return err ? err_prefix(err, "%s", path) : OK;
}

struct grant *api_keys_find(const struct api_keys *keys, const uint8_t digest[DIGEST_BYTES])
{
	struct grant *found = NULL;
	for (size_t i = 0; i < keys->count; i++) {
		if (sodium_memcmp(keys->keys[i].digest, digest, DIGEST_BYTES) == 0)
			found = keys->keys[i].grant;
	}
	return found;
}

#include "auth/grant.h"

#include "auth/pattern.h"
#include "base/mem.h"
#include "base/must.h"

#define GRANT_TAG 0x62a27b1du

/* Appends text behind the grant's patterns. */
static struct slice keep(char **to, struct slice text)
{
	struct slice kept = slice_from(*to, text.bytes);
	if (text.bytes)
		memcpy(*to, text.at, text.bytes);
	*to += text.bytes;
	return kept;
}

/* One block: the grant, its patterns, all texts. */
enum err grant_new(const struct claims *claims, uint64_t leeway_ms, struct grant **ret_grant)
{
	size_t count = 0;
	size_t bytes = claims->sub.bytes + claims->jti.bytes + claims->info.bytes;
	for (int verb = 0; verb < VERB_COUNT; verb++) {
		count += claims->pattern_count[verb];
		for (size_t i = 0; i < claims->pattern_count[verb]; i++)
			bytes += claims->patterns[verb][i].bytes;
	}
	struct grant *grant = mem_zalloc(sizeof *grant + count * sizeof(struct slice) + bytes);
	if (!grant)
		return ERR_NOMEM;

	struct slice *patterns = (struct slice *)(void *)(grant + 1);
	char *to = (char *)(patterns + count);
	grant->tag = GRANT_TAG;
	atomic_store(&grant->refs, 1);
	grant->expires_ms = claims->has_exp ? claims->exp_s * 1000 + leeway_ms : GRANT_FOR_EVER;
	grant->admin = claims->admin;
	grant->sub = keep(&to, claims->sub);
	grant->jti = keep(&to, claims->jti);
	grant->info = keep(&to, claims->info);
	for (int verb = 0; verb < VERB_COUNT; verb++) {
		grant->patterns[verb] = patterns;
		grant->pattern_count[verb] = claims->pattern_count[verb];
		for (size_t i = 0; i < claims->pattern_count[verb]; i++)
			*patterns++ = keep(&to, claims->patterns[verb][i]);
	}
	*ret_grant = grant;
	return OK;
}

struct grant *grant_ref(struct grant *grant)
{
	MUST_BE(grant, GRANT_TAG);
	atomic_fetch_add_explicit(&grant->refs, 1, memory_order_relaxed);
	return grant;
}

void grant_unref(struct grant **grant)
{
	if (!*grant)
		return;
	MUST_BE(*grant, GRANT_TAG);
	if (atomic_fetch_sub_explicit(&(*grant)->refs, 1, memory_order_acq_rel) == 1) {
		(*grant)->tag = 0;
		mem_free(*grant);
	}
	*grant = NULL;
}

enum err grant_allow(const struct grant *grant, enum verb verb, struct slice name)
{
	for (size_t i = 0; i < grant->pattern_count[verb]; i++) {
		if (pattern_matches(grant->patterns[verb][i], grant->sub, name))
			return OK;
	}
	return err_note(ERR_DENIED, "the token has no grant to %s \"%.*s\"", verb_text(verb),
			(int)name.bytes, name.at);
}

enum err grant_allow_any(const struct grant *grant, enum verb verb)
{
	if (grant->pattern_count[verb])
		return OK;
	return err_note(ERR_DENIED, "the token has no grant to %s anything", verb_text(verb));
}

/*
 * auth: from a token and a time to a grant, or to the reason why not.
 *
 * Owns    keys and API keys, the cache of verified tokens, the revocations.
 * Thread  any; auth_reload: one at a time, while others go on with the keys that they had.
 * Time    Unix milliseconds, passed in.
 * Promise a refusal does not tell which of key and signature was wrong. Each answer counts
 *         expiry and revocation, also that of a token in the cache.
 * Bound   keys and files as key.h and api_key.h say, tokens_max cached tokens.
 */
#ifndef TAPECAST_AUTH_AUTH_H
#define TAPECAST_AUTH_AUTH_H

#include "auth/grant.h"
#include "auth/revoked.h"

enum { AUTH_FILES_MAX = 16 };

struct auth;

/* Texts must outlive the auth. */
struct auth_config {
	const struct slice *key_files, *api_key_files;
	size_t key_file_count, api_key_file_count; /* AUTH_FILES_MAX of each */
	struct slice issuer, audience; /* empty: any */
	uint64_t leeway_ms;
	bool exp_optional;
	size_t cached_max;
};

/* ERR_SYSTEM (a file cannot be read), ERR_SYNTAX, ERR_RANGE, ERR_TOO_MANY, ERR_NOMEM with notes
 * that name the file. */
enum err auth_new(const struct auth_config *config, struct auth **ret_auth) ERR_CHECKED;
void auth_free(struct auth **auth);
/* Reads all files again. On an error the keys are those that they were. */
enum err auth_reload(struct auth *auth) ERR_CHECKED;

/* is_private: it came where no log and no other page sees it, so it may be an API key.
 * ERR_TOKEN, ERR_EXPIRED, ERR_REVOKED, ERR_NOMEM with a note. */
enum err auth_admit(struct auth *auth, struct slice token, bool is_private, uint64_t now_ms,
		    struct grant **ret_grant) ERR_CHECKED;

enum err auth_revoke(struct auth *auth, enum revoked_kind kind, struct slice text,
		     uint64_t until_ms, uint64_t now_ms) ERR_CHECKED;
/* ERR_REVOKED with a note. */
enum err auth_check_revoked(struct auth *auth, const struct grant *grant, uint64_t now_ms)
	ERR_CHECKED;

#endif

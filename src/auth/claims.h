/*
 * claims: what a token says: who it is for, until when, and what it may do.
 *
 * Owns    its texts.
 * Thread  one; reading: any.
 * Time    Unix time, passed in.
 * Promise pure.
 * Bound   CLAIMS_PATTERNS_MAX of each verb, CLAIMS_AUDIENCES_MAX.
 */
#ifndef TAPECAST_AUTH_CLAIMS_H
#define TAPECAST_AUTH_CLAIMS_H

#include "wire/json.h"

enum {
	CLAIMS_BYTES_MAX = 4096,
	CLAIMS_PATTERNS_MAX = 64,
	CLAIMS_AUDIENCES_MAX = 16,
	CLAIMS_LEEWAY_S_MAX = 60,
};

enum verb { VERB_SUBSCRIBE, VERB_PUBLISH, VERB_PRESENCE, VERB_COUNT };

struct claims {
	struct buf text; /* all slices are of it */
	struct slice sub, iss, jti, info; /* at NULL: not there; info: JSON */
	struct slice audiences[CLAIMS_AUDIENCES_MAX];
	size_t audience_count;
	struct slice patterns[VERB_COUNT][CLAIMS_PATTERNS_MAX];
	size_t pattern_count[VERB_COUNT];
	uint64_t exp_s, nbf_s, iat_s; /* 0: nbf and iat are not there */
	bool has_exp, admin;
};

struct claims_rules {
	struct slice issuer, audience; /* empty: anyone's */
	uint64_t now_ms;
	uint64_t leeway_ms;
	bool exp_optional;
};

/* ERR_SYNTAX, ERR_UTF8, ERR_TOO_BIG, ERR_TOO_MANY, ERR_NOMEM with a note.
 * claims_fini in every case. */
enum err claims_read(struct slice payload, struct claims *ret_claims) ERR_CHECKED;
void claims_fini(struct claims *claims);

/* What a grant says, as a token's "tapecast" member or an API key's line does: the verbs, admin and
 * info. claims->text has room for all that the object holds. */
enum err claims_read_grants(struct json_value grants, struct claims *claims) ERR_CHECKED;

/* ERR_EXPIRED or ERR_TOKEN with a note that says which rule failed, and by how much. */
enum err claims_check(const struct claims *claims, const struct claims_rules *rules) ERR_CHECKED;
/* ERR_DENIED with a note that names the stream. */
enum err claims_allow(const struct claims *claims, enum verb verb, struct slice name) ERR_CHECKED;
const char *verb_text(enum verb verb);

#endif

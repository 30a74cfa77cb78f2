/* fuzz_claims: what claims say, a grant of them says; nothing is allowed that no pattern names. */
#include "auth/grant.h"
#include "auth/pattern.h"
#include "fuzz.h"

static void check_grant(const struct claims *claims, struct slice name)
{
	struct grant *grant = NULL;
	MUST(grant_new(claims, 1000, &grant) == OK);
	MUST(slice_equal(grant->sub, claims->sub) && slice_equal(grant->jti, claims->jti));
	MUST(grant->admin == claims->admin);
	for (int verb = 0; verb < VERB_COUNT; verb++) {
		bool any = false;
		for (size_t i = 0; i < claims->pattern_count[verb]; i++) {
			struct slice pattern = claims->patterns[verb][i];
			MUST(pattern_check(pattern) == OK);
			any = any || pattern_matches(pattern, claims->sub, name);
		}
		MUST((grant_allow(grant, (enum verb)verb, name) == OK) == any);
		MUST((claims_allow(claims, (enum verb)verb, name) == OK) == any);
	}
	grant_unref(&grant);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = fuzz_slice(data, size);
	struct slice name = fuzz_take(&text, fuzz_byte(&text) % 32);
	struct claims claims;
	struct claims_rules rules = { .now_ms = 1000000, .leeway_ms = 1000 };

	if (claims_read(text, &claims) == OK) {
		bool is_good = claims_check(&claims, &rules) == OK;
		MUST(!is_good || claims.exp_s * 1000 + 1000 > rules.now_ms);
		check_grant(&claims, name);
	}
	claims_fini(&claims);
	return 0;
}

#include "front/cors.h"

enum { ORIGIN_BYTES_MAX = 255, PREFLIGHT_AGE_S = 7200 };

static bool is_sound(struct slice origin)
{
	if (origin.bytes == 0 || origin.bytes > ORIGIN_BYTES_MAX)
		return false;
	for (size_t i = 0; i < origin.bytes; i++) {
		if (origin.at[i] <= 0x20 || origin.at[i] >= 0x7f)
			return false;
	}
	return !slice_equal(origin, SLICE("null"));
}

bool cors_is_listed(const struct front_settings *settings, struct slice origin)
{
	for (size_t i = 0; i < settings->origin_count; i++) {
		if (slice_equal(origin, settings->origins[i]))
			return true;
	}
	return false;
}

bool cors_allows(const struct front_settings *settings, struct slice origin)
{
	return is_sound(origin) && (settings->dev || cors_is_listed(settings, origin));
}

void cors_fields(const struct front_settings *settings, struct slice origin, struct reply *reply)
{
	reply_field(reply, "Vary", "Origin");
	if (!cors_allows(settings, origin))
		return;
	reply_field(reply, "Access-Control-Allow-Origin", "%.*s", (int)origin.bytes, origin.at);
	reply_field(reply, "Access-Control-Allow-Credentials", "true");
	reply_field(reply, "Access-Control-Expose-Headers",
		    "ETag, Retry-After, WWW-Authenticate, Tapecast-Position, Tapecast-Count, "
		    "Tapecast-Bytes, Tapecast-State");
}

void cors_preflight(const struct front_settings *settings, struct slice origin, const char *allow,
		    struct reply *reply)
{
	if (!cors_allows(settings, origin))
		return;
	reply_field(reply, "Access-Control-Allow-Methods", "%s", allow);
	reply_field(reply, "Access-Control-Allow-Headers",
		    "authorization, content-type, last-event-id, idempotency-key, if-match, "
		    "if-none-match, cache-control");
	reply_field(reply, "Access-Control-Max-Age", "%d", PREFLIGHT_AGE_S);
}

/*
 * arg_table: the query parameters, and which kinds of request know them.
 *
 * Rows    ARG(NAME, "text", kinds or-ed). Names that another server's clients use stand beside
 *         ours.
 */
ARG(ACCESS_TOKEN, "access_token", ARGS_NONE)
ARG(STREAM, "stream", ARGS_EVENTS)
ARG(AFTER, "after", ARGS_READ | ARGS_EVENTS)
ARG(LAST_EVENT_ID, "last_event_id", ARGS_READ | ARGS_EVENTS)
ARG(LAST_EVENT_ID_CAMEL, "lastEventId", ARGS_READ | ARGS_EVENTS)
ARG(FROM, "from", ARGS_READ | ARGS_EVENTS)
ARG(LIMIT, "limit", ARGS_READ | ARGS_EVENTS | ARGS_LIST)
ARG(PREFIX, "prefix", ARGS_LIST)
ARG(WAIT, "wait", ARGS_READ | ARGS_EVENTS)
ARG(INTERVAL, "interval", ARGS_READ | ARGS_EVENTS)
ARG(NOTICES, "notices", ARGS_READ | ARGS_EVENTS)
ARG(ENVELOPE, "envelope", ARGS_READ | ARGS_EVENTS)
ARG(TYPE, "type", ARGS_PUBLISH)
ARG(KEY, "key", ARGS_PUBLISH)
ARG(TTL, "ttl", ARGS_PUBLISH)
ARG(EPHEMERAL, "ephemeral", ARGS_PUBLISH)
ARG(END, "end", ARGS_PUBLISH)

/*
 * bound_table: the bounds that are fixed, because clients are written against them.
 *
 * Rows    BOUND("what", "bound", "answer").
 */
BOUND("A stream's name", "200 bytes", "400 `bad_stream_name`")
BOUND("An event's type", "64 bytes", "400 `malformed`")
BOUND("An event's key", "200 bytes", "413 `too_large`")
BOUND("An idempotency key", "200 bytes", "413 `too_large`")
BOUND("Streams of one listener", "64", "400 `out_of_range`")
BOUND("A position", "64 bytes", "`tapecast.gap`, reason `invalid`")
BOUND("Entries of a body of /v1/publish", "1,000", "400 `too_many`")
BOUND("JSON in a body", "128 levels", "400 `malformed`")
BOUND("A line of an NDJSON body, the fields of an event of an SSE body",
	"6 × --event-bytes + 4 KiB", "413 `too_large`, with `line` or `event`")
BOUND("wait=", "1 to 60 s", "400 `out_of_range`")
BOUND("interval=", "60,000 ms", "400 `out_of_range`")
BOUND("ttl=", "100 years", "400 `out_of_range`")
BOUND("Bytes sent to one listener before the next has its turn", "64 KiB", "")
BOUND("Bytes read from one listener that talks (WebSocket) before the next has its turn",
	"64 KiB", "")
BOUND("Bytes of answers that wait for a listener that talks", "16 KiB", "it is closed, 4408")
BOUND("Sends of one pass over the listeners of a loop", "2,000", "")

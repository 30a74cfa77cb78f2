/*
 * option_table: every option of the server that has a value, and with them the bounds that can be
 * set.
 *
 * Rows    OPTION(section, key, flag, KIND, default, min, max, "help", "answer"), by section and
 *         key: --section-key and TAPECAST_SECTION_KEY. flag: a shorter --flag, or "". KIND: COUNT,
 *         BYTES, or TIME in milliseconds here and in seconds outside. answer: what happens at the
 *         bound; "" if it is none.
 */
OPTION(loop, count, "loops", COUNT, 0, 0, 64,
	"Threads that serve connections; 0: one a processor", "")
OPTION(session, max, "", COUNT, 100000, 1, 10000000,
	"Listeners in all; less if there are fewer descriptors",
	"an EventSource is told to come back (200, retry:), others get 503")
OPTION(session, per_address, "", COUNT, 0, 0, 10000000,
	"Listeners from one address; 0: as many as in all",
	"an EventSource is told to come back (200, retry:), others get 503")
OPTION(session, heartbeat, "heartbeat", TIME, 15000, 50, 3600000,
	"A comment is sent after this long without traffic", "")
OPTION(session, dead, "", TIME, 30000, 1000, 3600000,
	"A peer that has not acknowledged a byte for this long is gone", "the connection is closed")
OPTION(session, sndbuf, "", BYTES, 131072, 4096, 67108864,
	"Bytes that the kernel holds for a listener that does not read; it doubles them",
	"the listener waits on the tape, and is told what it misses there")
OPTION(session, retry_min, "", TIME, 1000, 0, 3600000,
	"A client that is cut comes back after this long at the earliest; 200 ms with --dev", "")
OPTION(session, retry_max, "", TIME, 5000, 0, 3600000,
	"And at the latest, each at a time of its own in between; 600 ms with --dev", "")
OPTION(session, open, "", TIME, 500, 1, 60000,
	"A listener's head goes out by then, even if the backplane has not answered", "")
OPTION(jwt, leeway, "", TIME, 0, 0, 60000,
	"How far another machine's clock may be off: a token is good for that much longer", "401")
OPTION(jwt, cached, "", COUNT, 10000, 0, 10000000,
	"Tokens that are not verified again while they are good", "the longest unused is forgotten")
OPTION(stream, max, "", COUNT, 100000, 1, 10000000,
	"Streams in all", "507 to a publish, 503 to a listener that would open one more")
OPTION(stream, events, "", COUNT, 10000, 1, 10000000,
	"Events that a stream keeps", "the oldest go; who has not read them is told tapecast.gap")
OPTION(stream, bytes, "", BYTES, 1048576, 1024, 1073741824,
	"Bytes of events that a stream keeps",
	"the oldest go; who has not read them is told tapecast.gap")
OPTION(stream, age, "", TIME, 86400000, 1000, 31536000000,
	"How long a stream keeps an event",
	"the oldest go; who has not read them is told tapecast.gap")
OPTION(stream, linger, "", TIME, 30000, 0, 86400000,
	"How long a stream without listeners stays encoded in memory", "")
OPTION(stream, tapes, "", BYTES, 268435456, 1048576, 1099511627776,
	"Bytes of encoded streams in all", "streams without listeners go, the longest unused first")
OPTION(memory, bytes, "", BYTES, 268435456, 1048576, 1099511627776,
	"Bytes of all histories in the memory backplane",
	"idle streams go, the longest unused first")
OPTION(memory, keys, "", COUNT, 10000, 1, 10000000,
	"Idempotency keys that a stream remembers, at the least", "the oldest are forgotten")
OPTION(memory, key_window, "", TIME, 120000, 1000, 86400000,
	"How long a stream remembers an idempotency key, at the least", "")
OPTION(event, bytes, "", BYTES, 65536, 1, 4194304,
	"Bytes of an event's data", "413")
OPTION(batch, bytes, "", BYTES, 1048576, 1024, 67108864,
	"Bytes of a body of /v1/publish", "413")
OPTION(page, events, "", COUNT, 1000, 1, 100000,
	"Events of a page", "400 for a larger limit=")
OPTION(page, bytes, "", BYTES, 262144, 1024, 524288,
	"Bytes of a page; one run of events more may follow", "the page ends, up_to_date is false")
OPTION(request, connections, "", COUNT, 1024, 4, 100000,
	"Connections, on each loop, that are not listening yet", "further ones wait in the kernel")
OPTION(request, head_bytes, "", BYTES, 32768, 4096, 1048576,
	"Bytes of a request's head", "431 or 414")
OPTION(request, head, "", TIME, 10000, 50, 3600000,
	"A request's head must be here after this long", "408 and the end of the connection")
OPTION(request, body, "", TIME, 30000, 50, 3600000,
	"And its body after this long", "408 and the end of the connection")
OPTION(request, idle, "", TIME, 120000, 50, 3600000,
	"A long request (NDJSON, SSE) must bring an event at least this often",
	"408 and the end of the connection; what it brought stands")
OPTION(drain, window, "drain-window", TIME, 5000, 0, 600000,
	"At the end listeners are let go over this long; 0.5 with --dev", "")
OPTION(process, bytes, "", BYTES, 0, 0, 1099511627776,
	"Bytes that the process may allocate for events and sessions; 0: no bound",
	"503, and listeners are told to come back")

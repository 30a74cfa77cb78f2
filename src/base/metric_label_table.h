/*
 * metric_label_table: the values that labels may have. No label is ever a stream's name.
 *
 * Rows    FORM(ID, "text") and so on, for the label of that name; in the order of the numbers that
 *         go with them. Who includes it defines the macros it wants.
 */
#ifndef FORM
#define FORM(id, text)
#endif
#ifndef CLOSE
#define CLOSE(id, text)
#endif
#ifndef GAP
#define GAP(id, text)
#endif
#ifndef LIMIT
#define LIMIT(id, text)
#endif
#ifndef ACCOUNT
#define ACCOUNT(id, text)
#endif
#ifndef SOCKET
#define SOCKET(id, text)
#endif
#ifndef STATUS
#define STATUS(id, text)
#endif

FORM(SSE, "sse")
FORM(SSE_ENVELOPE, "sse_envelope")
FORM(NDJSON, "ndjson")
FORM(ANSWER, "page")
FORM(WS, "ws")

CLOSE(PEER, "peer")
CLOSE(DEAD, "dead")
CLOSE(OVERTAKEN, "overtaken")
CLOSE(END, "end")
CLOSE(DRAIN, "drain")
CLOSE(NOMEM, "nomem")
CLOSE(EXPIRED, "expired")
CLOSE(REVOKED, "revoked")
CLOSE(ADMIN, "admin")

GAP(TRIMMED, "trimmed")
GAP(SKIPPED, "skipped")
GAP(EPOCH, "epoch")
GAP(REWOUND, "rewound")
GAP(INVALID, "invalid")

LIMIT(SESSION_MAX, "session_max")
LIMIT(SESSION_PER_ADDRESS, "session_per_address")
LIMIT(STREAM_MAX, "stream_max")
LIMIT(EVENT_BYTES, "event_bytes")
LIMIT(BATCH_BYTES, "batch_bytes")
LIMIT(REQUEST_CONNECTIONS, "request_connections")
LIMIT(REQUEST_HEAD, "request_head")
LIMIT(REQUEST_BODY, "request_body")
LIMIT(REQUEST_IDLE, "request_idle")
LIMIT(DESCRIPTORS, "descriptors")
LIMIT(PROCESS_BYTES, "process_bytes")

ACCOUNT(RESIDENT, "resident")
ACCOUNT(ALLOCATED, "allocated")
ACCOUNT(TAPES, "tapes")

STATUS(2XX, "2xx")
STATUS(3XX, "3xx")
STATUS(4XX, "4xx")
STATUS(5XX, "5xx")

SOCKET(PUBLIC, "public")
SOCKET(ADMIN, "admin")

#undef FORM
#undef CLOSE
#undef GAP
#undef LIMIT
#undef ACCOUNT
#undef SOCKET
#undef STATUS

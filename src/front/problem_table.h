/*
 * problem_table: what a client is told for each error: one row a row of base/err_table.h, in its
 * order.
 *
 * Rows    PROBLEM(NAME, status, "code"); the title is the error's text, the detail its note.
 */
PROBLEM(NOMEM, 503, "out_of_memory")
PROBLEM(SYSTEM, 500, "internal")
PROBLEM(RANGE, 400, "out_of_range")
PROBLEM(SYNTAX, 400, "malformed")
PROBLEM(UTF8, 400, "not_utf8")
PROBLEM(NAME, 400, "bad_stream_name")
PROBLEM(TOO_BIG, 413, "too_large")
PROBLEM(TOO_MANY, 503, "overloaded")
PROBLEM(FULL, 507, "store_full")
PROBLEM(AGAIN, 503, "not_now")
PROBLEM(CLOSED, 500, "internal")
PROBLEM(TIMEOUT, 504, "outcome_unknown")
PROBLEM(NOT_FOUND, 404, "not_found")
PROBLEM(METHOD, 405, "method_not_allowed")
PROBLEM(MEDIA_TYPE, 415, "unsupported_media_type")
PROBLEM(NOT_ACCEPTABLE, 406, "not_acceptable")
PROBLEM(CONFLICT, 412, "position_moved")
PROBLEM(ENDED, 409, "stream_ended")
PROBLEM(KEY_REUSED, 422, "idempotency_key_reused")
PROBLEM(UNAVAILABLE, 503, "backplane_unavailable")
PROBLEM(DENIED, 403, "forbidden")
PROBLEM(HEADER, 400, "bad_header")
PROBLEM(DRAINING, 503, "draining")
PROBLEM(NO_TOKEN, 401, "token_missing")
PROBLEM(TOKEN, 401, "token_invalid")
PROBLEM(EXPIRED, 401, "token_expired")
PROBLEM(REVOKED, 401, "token_revoked")

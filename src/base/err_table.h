/*
 * err_table: every way in which the outside world can refuse us, one row each.
 *
 * Rows    ERR(NAME, "text"); a detail for people goes with err_note().
 */
ERR(NOMEM, "out of memory")
ERR(SYSTEM, "the system refused")
ERR(RANGE, "out of range")
ERR(SYNTAX, "not well-formed")
ERR(UTF8, "not valid UTF-8")
ERR(NAME, "not a stream name")
ERR(TOO_BIG, "too large")
ERR(TOO_MANY, "too many")
ERR(FULL, "full")
ERR(AGAIN, "not now")
ERR(CLOSED, "closed")
ERR(TIMEOUT, "timed out")
ERR(NOT_FOUND, "not found")
ERR(METHOD, "method not allowed")
ERR(MEDIA_TYPE, "media type not supported")
ERR(NOT_ACCEPTABLE, "no acceptable form")
ERR(CONFLICT, "the stream has moved on")
ERR(ENDED, "the stream has ended")
ERR(KEY_REUSED, "the idempotency key was used for something else")
ERR(UNAVAILABLE, "the backplane is away")
ERR(DENIED, "not allowed")
ERR(HEADER, "bad request header")
ERR(DRAINING, "the node is draining")

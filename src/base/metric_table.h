/*
 * metric_table: everything that is measured, one family a row.
 *
 * Rows    METRIC(ID, KIND, "name", FIRST, SECOND, "help"): shown as tapecast_name. KIND: COUNTER,
 *         GAUGE, AGE (a gauge in ms, shown in seconds), TIMES (a histogram of µs, shown in
 *         seconds), COUNTS (a histogram of numbers). FIRST, SECOND: labels, or NONE. A counter's
 *         name ends in _total, that of a time in _seconds.
 */
METRIC(BUILD, GAUGE, "build_info", VERSION, NONE, "1, with the version that runs")
METRIC(UPTIME, AGE, "uptime_seconds", NONE, NONE, "Since the server started")
METRIC(SESSIONS, GAUGE, "sessions", FORM, NONE, "Listeners that are open now")
METRIC(SESSIONS_OPENED, COUNTER, "sessions_opened_total", NONE, NONE, "Listeners that were opened")
METRIC(SESSIONS_CLOSED, COUNTER, "sessions_closed_total", CLOSE, NONE,
	"Listeners that were closed, by the reason")
METRIC(EVENTS_IN, COUNTER, "events_in_total", NONE, NONE,
	"Events that were published through this node and stored")
METRIC(BYTES_IN, COUNTER, "bytes_in_total", NONE, NONE, "Bytes of those events' data")
METRIC(EVENTS_OUT, COUNTER, "events_out_total", NONE, NONE, "Events sent to listeners")
METRIC(BYTES_OUT, COUNTER, "bytes_out_total", NONE, NONE, "Bytes sent to listeners")
METRIC(SENDS, COUNTER, "sends_total", NONE, NONE,
	"Calls that sent them: the fewer an event, the cheaper")
METRIC(GAPS, COUNTER, "gaps_total", GAP, NONE, "Gaps that listeners were told of, by the reason")
METRIC(FOLDED, COUNTER, "folded_total", NONE, NONE,
	"Events left out for slow listeners, since their key had a newer value")
METRIC(READER_LAG, COUNTS, "reader_lag_events", NONE, NONE,
	"How many events lay before a listener that was behind, each time that it was served")
METRIC(PUBLISH, TIMES, "publish_seconds", NONE, NONE,
	"From asking the backplane to store events until it had")
METRIC(REQUESTS, COUNTER, "requests_total", STATUS, SOCKET,
	"Requests answered, by status and by the socket they came through")
METRIC(PROBLEMS, COUNTER, "problems_total", ERROR, NONE, "Refusals, by what was wrong")
METRIC(LIMITS, COUNTER, "limit_hits_total", LIMIT, NONE, "Times that a bound was reached")
METRIC(LOOP_LAG, TIMES, "loop_lag_seconds", NONE, NONE,
	"What a turn of a loop took: so long others on it may have waited")
METRIC(STREAMS, GAUGE, "streams", NONE, NONE, "Streams that this node has open")
METRIC(MEMORY, GAUGE, "memory_bytes", ACCOUNT, NONE, "Bytes in use, by what for")
METRIC(DESCRIPTORS, GAUGE, "open_descriptors", NONE, NONE, "Descriptors that are open")
METRIC(DESCRIPTORS_MAX, GAUGE, "max_descriptors", NONE, NONE, "Descriptors that may be open")
METRIC(BACKPLANE_READY, GAUGE, "backplane_ready", BACKPLANE, NONE,
	"1 if what is published can be read back just now, else 0")
METRIC(BACKPLANE_AGE, AGE, "backplane_echo_age_seconds", BACKPLANE, NONE,
	"Since the store last gave a message of this node back to it; 0 if it is in the process")
METRIC(DRAINING, GAUGE, "draining", NONE, NONE, "1 while the node lets its listeners go")
METRIC(LOG_DROPPED, COUNTER, "log_lines_dropped_total", NONE, NONE,
	"Lines of the log that could not be written at once, or were too many")

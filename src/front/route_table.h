/*
 * route_table: every path that is answered, and by what.
 *
 * Rows    ROUTE(path, methods, needs, admin, handler). A path that ends in "/" is followed by a
 *         stream's name. OPTIONS is answered on each of them.
 */
ROUTE("/v1/streams/", METHOD_GET, NEEDS_SUBSCRIBE, false, read_one_handler)
ROUTE("/v1/streams/", METHOD_HEAD, NEEDS_SUBSCRIBE, false, stat_handler)
ROUTE("/v1/streams/", METHOD_POST, NEEDS_PUBLISH, false, publish_handler)
ROUTE("/v1/streams/", METHOD_DELETE, NEEDS_PUBLISH, false, drop_handler)
ROUTE("/v1/events", METHOD_GET, NEEDS_SUBSCRIBE, false, read_many_handler)
ROUTE("/v1/publish", METHOD_POST, NEEDS_PUBLISH, false, batch_handler)
ROUTE("/healthz/live", METHOD_GET | METHOD_HEAD, NEEDS_NOTHING, false, live_handler)
ROUTE("/healthz/ready", METHOD_GET | METHOD_HEAD, NEEDS_NOTHING, false, ready_handler)
ROUTE("/metrics", METHOD_GET | METHOD_HEAD, NEEDS_ADMIN, true, metrics_handler)
ROUTE("/v1/streams", METHOD_GET, NEEDS_ADMIN, true, streams_handler)
ROUTE("/openapi.json", METHOD_GET | METHOD_HEAD, NEEDS_NOTHING, false, openapi_handler)
ROUTE("/", METHOD_GET | METHOD_HEAD, NEEDS_NOTHING, false, page_handler)

# For each target fuzz_TARGET.c: replay_TARGET runs the corpus as an ordinary test, and with
# --enable-fuzzers fuzz_TARGET is a libFuzzer program (tests/fuzz/run).

check_PROGRAMS += \
	tests/fuzz/replay_jwt \
	tests/fuzz/replay_jwks \
	tests/fuzz/replay_claims \
	tests/fuzz/replay_encode \
	tests/fuzz/replay_name \
	tests/fuzz/replay_ndjson \
	tests/fuzz/replay_position_cursor \
	tests/fuzz/replay_publish_json \
	tests/fuzz/replay_query \
	tests/fuzz/replay_redis_code \
	tests/fuzz/replay_sse_body \
	tests/fuzz/replay_utf8 \
	tests/fuzz/replay_when \
	tests/fuzz/replay_ws

tests_fuzz_replay_encode_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_encode.c tests/fuzz/fuzz.h
tests_fuzz_replay_encode_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"encode"'
tests_fuzz_replay_encode_LDADD = libwire.la

tests_fuzz_replay_name_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_name.c tests/fuzz/fuzz.h
tests_fuzz_replay_name_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"name"'
tests_fuzz_replay_name_LDADD = libwire.la

tests_fuzz_replay_ndjson_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_ndjson.c tests/fuzz/fuzz.h
tests_fuzz_replay_ndjson_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"ndjson"'
tests_fuzz_replay_ndjson_LDADD = libwire.la

tests_fuzz_replay_position_cursor_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_position_cursor.c tests/fuzz/fuzz.h
tests_fuzz_replay_position_cursor_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"position_cursor"'
tests_fuzz_replay_position_cursor_LDADD = libwire.la

tests_fuzz_replay_publish_json_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_publish_json.c tests/fuzz/fuzz.h
tests_fuzz_replay_publish_json_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"publish_json"'
tests_fuzz_replay_publish_json_LDADD = libwire.la

tests_fuzz_replay_query_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_query.c tests/fuzz/fuzz.h
tests_fuzz_replay_query_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"query"'
tests_fuzz_replay_query_LDADD = libwire.la

tests_fuzz_replay_redis_code_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_redis_code.c tests/fuzz/fuzz.h
tests_fuzz_replay_redis_code_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"redis_code"'
tests_fuzz_replay_redis_code_LDADD = libbackplane.la

tests_fuzz_replay_sse_body_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_sse_body.c tests/fuzz/fuzz.h
tests_fuzz_replay_sse_body_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"sse_body"'
tests_fuzz_replay_sse_body_LDADD = libwire.la

tests_fuzz_replay_utf8_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_utf8.c tests/fuzz/fuzz.h
tests_fuzz_replay_utf8_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"utf8"'
tests_fuzz_replay_utf8_LDADD = libwire.la

tests_fuzz_replay_when_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_when.c tests/fuzz/fuzz.h
tests_fuzz_replay_when_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"when"'
tests_fuzz_replay_when_LDADD = libwire.la

tests_fuzz_replay_ws_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_ws.c tests/fuzz/fuzz.h
tests_fuzz_replay_ws_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"ws"'
tests_fuzz_replay_ws_LDADD = libwire.la

tests_fuzz_replay_claims_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_claims.c tests/fuzz/fuzz.h
tests_fuzz_replay_claims_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"claims"'
tests_fuzz_replay_claims_LDADD = libauth.la

tests_fuzz_replay_jwks_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_jwks.c tests/fuzz/fuzz.h
tests_fuzz_replay_jwks_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"jwks"'
tests_fuzz_replay_jwks_LDADD = libauth.la

tests_fuzz_replay_jwt_SOURCES = tests/fuzz/replay.c tests/fuzz/fuzz_jwt.c tests/fuzz/fuzz.h
tests_fuzz_replay_jwt_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"jwt"'
tests_fuzz_replay_jwt_LDADD = libauth.la

if FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz_jwt \
	tests/fuzz/fuzz_jwks \
	tests/fuzz/fuzz_claims \
	tests/fuzz/fuzz_encode \
	tests/fuzz/fuzz_name \
	tests/fuzz/fuzz_ndjson \
	tests/fuzz/fuzz_position_cursor \
	tests/fuzz/fuzz_publish_json \
	tests/fuzz/fuzz_query \
	tests/fuzz/fuzz_redis_code \
	tests/fuzz/fuzz_sse_body \
	tests/fuzz/fuzz_utf8 \
	tests/fuzz/fuzz_when \
	tests/fuzz/fuzz_ws

tests_fuzz_fuzz_encode_SOURCES = tests/fuzz/fuzz_encode.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_encode_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_encode_LDADD = libwire.la

tests_fuzz_fuzz_name_SOURCES = tests/fuzz/fuzz_name.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_name_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_name_LDADD = libwire.la

tests_fuzz_fuzz_ndjson_SOURCES = tests/fuzz/fuzz_ndjson.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_ndjson_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_ndjson_LDADD = libwire.la

tests_fuzz_fuzz_position_cursor_SOURCES = tests/fuzz/fuzz_position_cursor.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_position_cursor_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_position_cursor_LDADD = libwire.la

tests_fuzz_fuzz_publish_json_SOURCES = tests/fuzz/fuzz_publish_json.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_publish_json_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_publish_json_LDADD = libwire.la

tests_fuzz_fuzz_query_SOURCES = tests/fuzz/fuzz_query.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_query_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_query_LDADD = libwire.la

tests_fuzz_fuzz_redis_code_SOURCES = tests/fuzz/fuzz_redis_code.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_redis_code_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_redis_code_LDADD = libbackplane.la

tests_fuzz_fuzz_sse_body_SOURCES = tests/fuzz/fuzz_sse_body.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_sse_body_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_sse_body_LDADD = libwire.la

tests_fuzz_fuzz_utf8_SOURCES = tests/fuzz/fuzz_utf8.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_utf8_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_utf8_LDADD = libwire.la

tests_fuzz_fuzz_when_SOURCES = tests/fuzz/fuzz_when.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_when_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_when_LDADD = libwire.la

tests_fuzz_fuzz_ws_SOURCES = tests/fuzz/fuzz_ws.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_ws_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_ws_LDADD = libwire.la

tests_fuzz_fuzz_claims_SOURCES = tests/fuzz/fuzz_claims.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_claims_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_claims_LDADD = libauth.la

tests_fuzz_fuzz_jwks_SOURCES = tests/fuzz/fuzz_jwks.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_jwks_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_jwks_LDADD = libauth.la

tests_fuzz_fuzz_jwt_SOURCES = tests/fuzz/fuzz_jwt.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_jwt_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_jwt_LDADD = libauth.la
endif

EXTRA_DIST += tests/fuzz/run tests/fuzz/corpus

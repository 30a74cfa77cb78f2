check_PROGRAMS += \
	tests/wire/test_base64url \
	tests/wire/test_chunk \
	tests/wire/test_cursor \
	tests/wire/test_draft \
	tests/wire/test_encode \
	tests/wire/test_json \
	tests/wire/test_lines \
	tests/wire/test_name \
	tests/wire/test_position \
	tests/wire/test_publish \
	tests/wire/test_query \
	tests/wire/test_sse \
	tests/wire/test_utf8 \
	tests/wire/test_when \
	tests/wire/test_word \
	tests/wire/test_ws

tests_wire_test_cursor_SOURCES = tests/wire/test_cursor.c tests/wire/support.h
tests_wire_test_cursor_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_draft_SOURCES = tests/wire/test_draft.c tests/wire/support.h
tests_wire_test_draft_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_encode_SOURCES = tests/wire/test_encode.c tests/wire/support.h tests/wire/whatwg.h
tests_wire_test_encode_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_json_SOURCES = tests/wire/test_json.c tests/wire/support.h tests/wire/naive.h
tests_wire_test_json_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_lines_SOURCES = tests/wire/test_lines.c tests/wire/support.h
tests_wire_test_lines_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_name_SOURCES = tests/wire/test_name.c tests/wire/support.h
tests_wire_test_name_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_base64url_SOURCES = tests/wire/test_base64url.c
tests_wire_test_base64url_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_chunk_SOURCES = tests/wire/test_chunk.c
tests_wire_test_chunk_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_position_SOURCES = tests/wire/test_position.c tests/wire/support.h
tests_wire_test_position_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_publish_SOURCES = tests/wire/test_publish.c tests/wire/support.h
tests_wire_test_publish_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_query_SOURCES = tests/wire/test_query.c tests/wire/support.h
tests_wire_test_query_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_sse_SOURCES = tests/wire/test_sse.c tests/wire/support.h tests/wire/whatwg.h
tests_wire_test_sse_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_utf8_SOURCES = tests/wire/test_utf8.c tests/wire/support.h tests/wire/naive.h
tests_wire_test_utf8_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_when_SOURCES = tests/wire/test_when.c tests/wire/support.h
tests_wire_test_when_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_word_SOURCES = tests/wire/test_word.c tests/wire/support.h
tests_wire_test_word_LDADD = libwire.la $(CMOCKA_LIBS)

tests_wire_test_ws_SOURCES = tests/wire/test_ws.c tests/wire/support.h
tests_wire_test_ws_LDADD = libwire.la $(CMOCKA_LIBS)

check_PROGRAMS += \
	tests/front/test_accept \
	tests/front/test_args \
	tests/front/test_ask \
	tests/front/test_begin \
	tests/front/test_caller \
	tests/front/test_cors \
	tests/front/test_door \
	tests/front/test_due \
	tests/front/test_headers \
	tests/front/test_reply \
	tests/front/test_route \
	tests/front/test_takeover

tests_front_test_accept_SOURCES = tests/front/test_accept.c tests/front/support.h
tests_front_test_accept_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_args_SOURCES = tests/front/test_args.c tests/front/support.h
tests_front_test_args_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_ask_SOURCES = tests/front/test_ask.c tests/front/support.h \
	tests/front/lobby.c tests/front/lobby.h tests/front/requests.h
tests_front_test_ask_LDADD = libfront.la $(CMOCKA_LIBS) -lpthread

tests_front_test_begin_SOURCES = tests/front/test_begin.c tests/front/support.h
tests_front_test_begin_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_caller_SOURCES = tests/front/test_caller.c tests/front/support.h
tests_front_test_caller_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_cors_SOURCES = tests/front/test_cors.c tests/front/support.h
tests_front_test_cors_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_door_SOURCES = tests/front/test_door.c tests/front/support.h \
	tests/front/lobby.c tests/front/lobby.h tests/front/requests.h
tests_front_test_door_LDADD = libfront.la $(CMOCKA_LIBS) -lpthread

tests_front_test_due_SOURCES = tests/front/test_due.c tests/front/support.h
tests_front_test_due_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_headers_SOURCES = tests/front/test_headers.c tests/front/support.h
tests_front_test_headers_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_reply_SOURCES = tests/front/test_reply.c tests/front/support.h
tests_front_test_reply_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_route_SOURCES = tests/front/test_route.c tests/front/support.h
tests_front_test_route_LDADD = libfront.la $(CMOCKA_LIBS)

tests_front_test_takeover_SOURCES = tests/front/test_takeover.c tests/front/support.h
tests_front_test_takeover_LDADD = libfront.la $(CMOCKA_LIBS)

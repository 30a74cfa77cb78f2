check_PROGRAMS += \
	tests/serve/test_node \
	tests/serve/test_options

tests_serve_test_node_SOURCES = tests/serve/test_node.c
tests_serve_test_node_LDADD = libserve.la $(CMOCKA_LIBS) -lpthread

tests_serve_test_options_SOURCES = tests/serve/test_options.c
tests_serve_test_options_LDADD = libserve.la $(CMOCKA_LIBS)

check_PROGRAMS += \
	tests/world/test_foreign \
	tests/world/test_linux \
	tests/world/test_listen \
	tests/world/test_port

tests_world_test_linux_SOURCES = tests/world/test_linux.c
tests_world_test_linux_LDADD = libworld.la libbase.la $(CMOCKA_LIBS)

tests_world_test_listen_SOURCES = tests/world/test_listen.c
tests_world_test_listen_LDADD = libworld.la libbase.la $(CMOCKA_LIBS)

tests_world_test_foreign_SOURCES = tests/world/test_foreign.c
tests_world_test_foreign_LDADD = libworld.la libbase.la $(CMOCKA_LIBS)

tests_world_test_port_SOURCES = tests/world/test_port.c
tests_world_test_port_LDADD = libworld.la libbase.la $(CMOCKA_LIBS)

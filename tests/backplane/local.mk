check_PROGRAMS += \
	tests/backplane/test_feed \
	tests/backplane/test_feed_heal \
	tests/backplane/test_feed_threads \
	tests/backplane/test_memory \
	tests/backplane/test_memory_fault \
	tests/backplane/test_redis_code \
	tests/backplane/test_redis_place

tests_backplane_test_feed_SOURCES = \
	tests/backplane/fake_world.h \
	tests/backplane/feed_rig.c \
	tests/backplane/feed_rig.h \
	tests/backplane/test_feed.c
tests_backplane_test_feed_LDADD = libbackplane.la $(CMOCKA_LIBS)

tests_backplane_test_feed_heal_SOURCES = \
	tests/backplane/fake_world.h \
	tests/backplane/feed_rig.c \
	tests/backplane/feed_rig.h \
	tests/backplane/test_feed_heal.c
tests_backplane_test_feed_heal_LDADD = libbackplane.la $(CMOCKA_LIBS)

tests_backplane_test_feed_threads_SOURCES = tests/backplane/test_feed_threads.c
tests_backplane_test_feed_threads_LDADD = libbackplane.la $(CMOCKA_LIBS)

tests_backplane_test_memory_SOURCES = \
	tests/backplane/fake_world.h \
	tests/backplane/test_memory.c
tests_backplane_test_memory_LDADD = libbackplane.la $(CMOCKA_LIBS)

tests_backplane_test_memory_fault_SOURCES = \
	tests/backplane/fake_world.h \
	tests/backplane/test_memory_fault.c
tests_backplane_test_memory_fault_LDADD = libbackplane.la $(CMOCKA_LIBS)

tests_backplane_test_redis_code_SOURCES = tests/backplane/test_redis_code.c
tests_backplane_test_redis_code_LDADD = libbackplane.la $(CMOCKA_LIBS)

tests_backplane_test_redis_place_SOURCES = tests/backplane/test_redis_place.c
tests_backplane_test_redis_place_LDADD = libbackplane.la $(CMOCKA_LIBS)

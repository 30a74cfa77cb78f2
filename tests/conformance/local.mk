# One suite that every backplane must pass; a test program each gives it a factory.
backplane_suite_sources = \
	tests/conformance/backplane_rig.c \
	tests/conformance/backplane_rig.h \
	tests/conformance/backplane_suite.c \
	tests/conformance/backplane_suite.h \
	tests/conformance/backplane_threads.c \
	tests/conformance/backplane_threads.h \
	tests/conformance/backplane_words.c

check_PROGRAMS += tests/conformance/test_memory tests/conformance/test_redis

tests_conformance_test_memory_SOURCES = \
	$(backplane_suite_sources) \
	tests/conformance/test_memory.c
tests_conformance_test_memory_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_conformance_test_memory_LDADD = libbackplane.la $(CMOCKA_LIBS)

# Needs redis-server, of which it starts one; skipped without.
tests_conformance_test_redis_SOURCES = \
	$(backplane_suite_sources) \
	tests/conformance/test_redis.c
tests_conformance_test_redis_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_conformance_test_redis_LDADD = libbackplane.la $(CMOCKA_LIBS)

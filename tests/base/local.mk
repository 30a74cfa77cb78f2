check_PROGRAMS += \
	tests/base/test_buf \
	tests/base/test_err \
	tests/base/test_hash \
	tests/base/test_list \
	tests/base/test_map \
	tests/base/test_mem \
	tests/base/test_metric \
	tests/base/test_must \
	tests/base/test_say \
	tests/base/test_slice \
	tests/base/test_wheel

tests_base_test_buf_SOURCES = tests/base/test_buf.c tests/base/dies.h
tests_base_test_buf_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_err_SOURCES = tests/base/test_err.c
tests_base_test_err_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_hash_SOURCES = tests/base/test_hash.c
tests_base_test_hash_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_list_SOURCES = tests/base/test_list.c
tests_base_test_list_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_map_SOURCES = tests/base/test_map.c tests/base/dies.h
tests_base_test_map_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_mem_SOURCES = tests/base/test_mem.c
tests_base_test_mem_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_metric_SOURCES = tests/base/test_metric.c tests/base/dies.h
tests_base_test_metric_LDADD = libbase.la $(CMOCKA_LIBS) -lpthread

tests_base_test_must_SOURCES = tests/base/test_must.c tests/base/dies.h
tests_base_test_must_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_say_SOURCES = tests/base/test_say.c
tests_base_test_say_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_slice_SOURCES = tests/base/test_slice.c
tests_base_test_slice_LDADD = libbase.la $(CMOCKA_LIBS)

tests_base_test_wheel_SOURCES = tests/base/test_wheel.c
tests_base_test_wheel_LDADD = libbase.la $(CMOCKA_LIBS)

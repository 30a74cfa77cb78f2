check_PROGRAMS += \
	tests/stream/test_event \
	tests/stream/test_hub \
	tests/stream/test_segment \
	tests/stream/test_stream \
	tests/stream/test_tape \
	tests/stream/test_tape_fold \
	tests/stream/test_tape_memory \
	tests/stream/test_tape_model \
	tests/stream/test_tape_peek \
	tests/stream/test_tape_place \
	tests/stream/test_tape_threads

tests_stream_test_event_SOURCES = tests/stream/test_event.c tests/base/dies.h
tests_stream_test_event_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_hub_SOURCES = tests/stream/test_hub.c tests/stream/tape_lab.h
tests_stream_test_hub_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_segment_SOURCES = tests/stream/test_segment.c tests/base/dies.h
tests_stream_test_segment_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_stream_SOURCES = tests/stream/test_stream.c tests/stream/tape_lab.h
tests_stream_test_stream_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_tape_SOURCES = tests/stream/test_tape.c tests/stream/tape_lab.h
tests_stream_test_tape_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_tape_fold_SOURCES = tests/stream/test_tape_fold.c tests/stream/tape_lab.h
tests_stream_test_tape_fold_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_tape_memory_SOURCES = tests/stream/test_tape_memory.c tests/stream/tape_lab.h
tests_stream_test_tape_memory_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_tape_model_SOURCES = tests/stream/test_tape_model.c tests/stream/tape_lab.h \
	tests/stream/tape_model.h
tests_stream_test_tape_model_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_tape_peek_SOURCES = tests/stream/test_tape_peek.c tests/stream/tape_lab.h
tests_stream_test_tape_peek_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_tape_place_SOURCES = tests/stream/test_tape_place.c tests/stream/tape_lab.h
tests_stream_test_tape_place_LDADD = libstream.la $(CMOCKA_LIBS)

tests_stream_test_tape_threads_SOURCES = tests/stream/test_tape_threads.c tests/stream/tape_lab.h
tests_stream_test_tape_threads_LDADD = libstream.la $(CMOCKA_LIBS)

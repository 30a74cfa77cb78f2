check_PROGRAMS += tests/delivery/test_control tests/delivery/test_duplex \
	tests/delivery/test_lapse tests/delivery/test_session tests/delivery/test_slow \
	tests/delivery/test_timing

delivery_play_sources = tests/delivery/play.c tests/delivery/play.h \
	tests/sim/sim_draw.h tests/sim/sim_net.c tests/sim/sim_world.c \
	tests/sim/sim_world.h tests/sim/sim_world_impl.h

tests_delivery_test_control_SOURCES = tests/delivery/test_control.c $(delivery_play_sources)
tests_delivery_test_control_LDADD = libdelivery.la $(CMOCKA_LIBS) -lpthread

tests_delivery_test_duplex_SOURCES = tests/delivery/test_duplex.c $(delivery_play_sources)
tests_delivery_test_duplex_LDADD = libdelivery.la $(CMOCKA_LIBS) -lpthread

tests_delivery_test_lapse_SOURCES = tests/delivery/test_lapse.c $(delivery_play_sources)
tests_delivery_test_lapse_LDADD = libdelivery.la $(CMOCKA_LIBS) -lpthread

tests_delivery_test_session_SOURCES = tests/delivery/test_session.c \
	tests/delivery/stage.c tests/delivery/stage.h
tests_delivery_test_session_LDADD = libdelivery.la $(CMOCKA_LIBS) -lpthread

tests_delivery_test_slow_SOURCES = tests/delivery/test_slow.c \
	tests/delivery/stage.c tests/delivery/stage.h
tests_delivery_test_slow_LDADD = libdelivery.la $(CMOCKA_LIBS) -lpthread

tests_delivery_test_timing_SOURCES = tests/delivery/test_timing.c \
	tests/delivery/stage.c tests/delivery/stage.h
tests_delivery_test_timing_LDADD = libdelivery.la $(CMOCKA_LIBS) -lpthread

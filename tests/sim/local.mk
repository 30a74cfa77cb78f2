# What tests/sim adds to the build: the product in a simulated world, judged from outside.
check_PROGRAMS += tests/sim/test_found tests/sim/test_sim tests/sim/test_sim_world
dist_check_SCRIPTS += tests/sim/mutants.sh

sim_world_sources = \
	tests/sim/sim_draw.h \
	tests/sim/sim_net.c \
	tests/sim/sim_world.c \
	tests/sim/sim_world.h \
	tests/sim/sim_world_impl.h

tests_sim_test_sim_SOURCES = $(sim_world_sources) \
	tests/sim/sim.c \
	tests/sim/sim.h \
	tests/sim/sim_client.c \
	tests/sim/sim_control.c \
	tests/sim/sim_impl.h \
	tests/sim/sim_judge.c \
	tests/sim/sim_load.c \
	tests/sim/sim_node.c \
	tests/sim/sim_oracle.c \
	tests/sim/sim_oracle.h \
	tests/sim/sim_page.c \
	tests/sim/sim_parse.c \
	tests/sim/sim_parse.h \
	tests/sim/sim_payload.c \
	tests/sim/sim_payload.h \
	tests/sim/sim_plan.c \
	tests/sim/sim_race.c \
	tests/sim/sim_story.c \
	tests/sim/test_sim.c
tests_sim_test_sim_LDADD = libdelivery.la libbackplane.la libstream.la libwire.la libbase.la

tests_sim_test_sim_world_SOURCES = $(sim_world_sources) tests/sim/test_sim_world.c
tests_sim_test_sim_world_LDADD = libbase.la $(CMOCKA_LIBS)

tests_sim_test_found_SOURCES = $(sim_world_sources) \
	tests/sim/sim_parse.c \
	tests/sim/sim_parse.h \
	tests/sim/test_found.c
tests_sim_test_found_LDADD = libdelivery.la libbackplane.la libstream.la libwire.la libbase.la \
	$(CMOCKA_LIBS)

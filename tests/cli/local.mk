check_PROGRAMS += \
	tests/cli/test_answer \
	tests/cli/test_histogram \
	tests/cli/test_intake \
	tests/cli/test_show \
	tests/cli/test_target

tests_cli_test_answer_SOURCES = tests/cli/test_answer.c
tests_cli_test_answer_LDADD = libcli.la libwire.la libworld.la libbase.la $(CMOCKA_LIBS)

tests_cli_test_histogram_SOURCES = tests/cli/test_histogram.c
tests_cli_test_histogram_LDADD = libcli.la libwire.la libworld.la libbase.la $(CMOCKA_LIBS)

tests_cli_test_intake_SOURCES = tests/cli/test_intake.c
tests_cli_test_intake_LDADD = libcli.la libwire.la libworld.la libbase.la $(CMOCKA_LIBS)

tests_cli_test_show_SOURCES = tests/cli/test_show.c
tests_cli_test_show_LDADD = libcli.la libwire.la libworld.la libbase.la $(CMOCKA_LIBS)

tests_cli_test_target_SOURCES = tests/cli/test_target.c
tests_cli_test_target_LDADD = libcli.la libwire.la libworld.la libbase.la $(CMOCKA_LIBS)

dist_check_SCRIPTS += \
	tests/cli/test_bench.py \
	tests/cli/test_examples.py \
	tests/cli/test_man.py \
	tests/cli/test_pub.py \
	tests/cli/test_sub.py

EXTRA_DIST += tests/cli/stand_in.py

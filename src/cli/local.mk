noinst_LTLIBRARIES += libcli.la
bin_PROGRAMS += tapecast

libcli_la_SOURCES = \
	src/cli/answer.c \
	src/cli/answer.h \
	src/cli/bench.c \
	src/cli/bench.h \
	src/cli/bench_run.c \
	src/cli/cli.c \
	src/cli/cli.h \
	src/cli/doctor.c \
	src/cli/help.c \
	src/cli/help.h \
	src/cli/histogram.c \
	src/cli/histogram.h \
	src/cli/http.c \
	src/cli/http.h \
	src/cli/intake.c \
	src/cli/intake.h \
	src/cli/listener.c \
	src/cli/pub.c \
	src/cli/pub_impl.h \
	src/cli/pub_input.c \
	src/cli/publisher.c \
	src/cli/refusal.c \
	src/cli/refusal.h \
	src/cli/show.c \
	src/cli/show.h \
	src/cli/sub.c \
	src/cli/target.c \
	src/cli/target.h \
	src/cli/token.c

tapecast_SOURCES = src/cli/main.c
tapecast_LDADD = libcli.la libauth.la libserve.la libfront.la libbackplane.la libdelivery.la libstream.la libwire.la \
	libworld.la libbase.la $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) $(SODIUM_LIBS) -lpthread

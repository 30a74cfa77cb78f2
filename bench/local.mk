# What bench adds to the build. Nothing of it is built or run but by `make bench`, which takes
# options for bench/run: make bench BENCH_OPTIONS='--quick --scenario paced'
EXTRA_PROGRAMS += bench/bareloop bench/load
CLEANFILES += bench/bareloop$(EXEEXT) bench/load$(EXEEXT)

bench_bareloop_SOURCES = \
	bench/bare.h \
	bench/bare_stream.c \
	bench/bareloop.c

bench_load_SOURCES = \
	bench/crowd.c \
	bench/crowd.h \
	bench/gauge.c \
	bench/gauge.h \
	bench/load.c \
	bench/plan.h \
	bench/press.c \
	bench/press.h \
	bench/scenes.c \
	bench/scenes.h

dist_noinst_SCRIPTS += bench/run
EXTRA_DIST += \
	bench/README.md \
	bench/nchan.conf.in

bench: all bench/bareloop$(EXEEXT) bench/load$(EXEEXT)
	$(PYTHON3) $(top_srcdir)/bench/run --build '$(abs_top_builddir)' $(BENCH_OPTIONS)

.PHONY: bench

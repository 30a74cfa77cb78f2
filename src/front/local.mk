noinst_LTLIBRARIES += libfront.la

libfront_la_SOURCES = \
	src/front/accept.c \
	src/front/accept.h \
	src/front/admin.c \
	src/front/arg_table.h \
	src/front/args.c \
	src/front/args.h \
	src/front/ask.c \
	src/front/batch.c \
	src/front/begin.c \
	src/front/begin.h \
	src/front/caller.c \
	src/front/caller.h \
	src/front/cors.c \
	src/front/cors.h \
	src/front/door.c \
	src/front/door.h \
	src/front/door_impl.h \
	src/front/due.h \
	src/front/embedded.c \
	src/front/embedded.h \
	src/front/headers.c \
	src/front/headers.h \
	src/front/ingest.c \
	src/front/ingest.h \
	src/front/page.c \
	src/front/post.c \
	src/front/post.h \
	src/front/problem.c \
	src/front/problem.h \
	src/front/problem_table.h \
	src/front/publish.c \
	src/front/read.c \
	src/front/read.h \
	src/front/reception.c \
	src/front/reply.c \
	src/front/reply.h \
	src/front/route.c \
	src/front/route.h \
	src/front/route_table.h \
	src/front/settings.h \
	src/front/small.c \
	src/front/stat.c \
	src/front/takeover.c \
	src/front/takeover.h \
	src/front/visit.c \
	src/front/visit.h
libfront_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_builddir)/src
libfront_la_LIBADD = libbackplane.la libdelivery.la libstream.la libauth.la libwire.la libworld.la libbase.la \
	$(MICROHTTPD_LIBS)

# Files that are part of the program.
BUILT_SOURCES += src/front/embedded_page.inc src/front/embedded_openapi.inc
CLEANFILES += src/front/embedded_page.inc src/front/embedded_openapi.inc
EXTRA_DIST += build-aux/embed src/front/openapi.json src/front/page/index.html

src/front/embedded_page.inc: src/front/page/index.html build-aux/embed
	@$(MKDIR_P) src/front
	$(AM_V_GEN)$(SHELL) $(srcdir)/build-aux/embed $(srcdir)/src/front/page/index.html > $@.part \
		&& mv $@.part $@

src/front/embedded_openapi.inc: src/front/openapi.json build-aux/embed
	@$(MKDIR_P) src/front
	$(AM_V_GEN)$(SHELL) $(srcdir)/build-aux/embed $(srcdir)/src/front/openapi.json > $@.part \
		&& mv $@.part $@

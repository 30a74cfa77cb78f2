noinst_LTLIBRARIES += libserve.la

libworld_la_SOURCES += \
	src/world/port.h

libserve_la_SOURCES = \
	src/serve/bound_table.h \
	src/serve/measure.c \
	src/serve/measure.h \
	src/serve/node.c \
	src/serve/node.h \
	src/serve/notify.c \
	src/serve/notify.h \
	src/serve/option_auth.c \
	src/serve/option_number.c \
	src/serve/option_table.h \
	src/serve/options.c \
	src/serve/options.h \
	src/serve/options_impl.h \
	src/serve/options_print.c \
	src/serve/serve.c \
	src/serve/serve.h \
	src/serve/store.c \
	src/serve/store.h
libserve_la_LIBADD = libfront.la libbackplane.la libdelivery.la libstream.la libauth.la libwire.la libworld.la \
	libbase.la

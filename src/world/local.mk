noinst_LTLIBRARIES += libworld.la

libworld_la_SOURCES = \
	src/world/connect.c \
	src/world/connect.h \
	src/world/foreign.c \
	src/world/foreign.h \
	src/world/linux.c \
	src/world/listen.c \
	src/world/listen.h \
	src/world/port.c \
	src/world/port.h \
	src/world/world.h
libworld_la_LIBADD = $(SODIUM_LIBS)

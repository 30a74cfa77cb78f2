noinst_LTLIBRARIES += libbackplane.la

libbackplane_la_SOURCES = \
	src/backplane/backplane.h \
	src/backplane/feed.c \
	src/backplane/feed.h \
	src/backplane/feed_apply.c \
	src/backplane/feed_impl.h \
	src/backplane/feed_push.c \
	src/backplane/feed_read.c \
	src/backplane/feed_turn.c \
	src/backplane/memory.c \
	src/backplane/memory.h \
	src/backplane/memory_fault.c \
	src/backplane/memory_idem.c \
	src/backplane/memory_impl.h \
	src/backplane/memory_record.c \
	src/backplane/memory_table.c
libbackplane_la_LIBADD = libstream.la libwire.la libworld.la libbase.la

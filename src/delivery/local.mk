noinst_LTLIBRARIES += libdelivery.la
libdelivery_la_SOURCES = \
	src/delivery/bearer.c src/delivery/bearer.h \
	src/delivery/ticket.h \
	src/delivery/engine.c src/delivery/engine.h \
	src/delivery/delivery_impl.h \
	src/delivery/loop.c src/delivery/loop_impl.h \
	src/delivery/follow.c \
	src/delivery/session.c src/delivery/session_life.c \
	src/delivery/pump.c src/delivery/stitch.c \
	src/delivery/lapse.c src/delivery/notice.c
libdelivery_la_LIBADD = libstream.la libworld.la libwire.la libbase.la

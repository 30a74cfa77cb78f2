noinst_LTLIBRARIES += libdelivery.la
libdelivery_la_SOURCES = \
	src/delivery/bearer.c src/delivery/bearer.h \
	src/delivery/control.c src/delivery/control.h \
	src/delivery/duplex.h src/delivery/talk.c \
	src/delivery/ticket.h \
	src/delivery/engine.c src/delivery/engine.h \
	src/delivery/delivery_impl.h \
	src/delivery/loop.c src/delivery/loop_impl.h \
	src/delivery/follow.c \
	src/delivery/session.c src/delivery/session_life.c \
	src/delivery/pump.c src/delivery/stitch.c \
	src/delivery/lapse.c src/delivery/late.c src/delivery/notice.c \
	src/delivery/part.c
libdelivery_la_LIBADD = libstream.la libworld.la libwire.la libbase.la

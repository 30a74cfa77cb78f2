noinst_LTLIBRARIES += libstream.la
libstream_la_SOURCES = \
	src/stream/event.c src/stream/event.h \
	src/stream/gap.c src/stream/gap.h \
	src/stream/segment.c src/stream/segment.h \
	src/stream/tape.c src/stream/tape.h src/stream/tape_impl.h \
	src/stream/tape_place.c src/stream/tape_peek.c \
	src/stream/keys.c src/stream/keys.h \
	src/stream/stream.c src/stream/stream.h src/stream/stream_impl.h \
	src/stream/hub.c src/stream/hub.h
libstream_la_LIBADD = libwire.la libbase.la

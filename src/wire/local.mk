noinst_LTLIBRARIES += libwire.la
libwire_la_SOURCES = \
	src/wire/base64url.c src/wire/base64url.h \
	src/wire/chunk.c src/wire/chunk.h \
	src/wire/cursor.c src/wire/cursor.h \
	src/wire/draft.c src/wire/draft.h \
	src/wire/encode.c src/wire/encode.h \
	src/wire/json.c src/wire/json.h src/wire/json_walk.c \
	src/wire/lines.c src/wire/lines.h \
	src/wire/name.c src/wire/name.h \
	src/wire/position.c src/wire/position.h \
	src/wire/publish.c src/wire/publish.h \
	src/wire/query.c src/wire/query.h \
	src/wire/quote.c src/wire/quote.h \
	src/wire/sse.c src/wire/sse.h \
	src/wire/utf8.c src/wire/utf8.h \
	src/wire/when.c src/wire/when.h \
	src/wire/word.h \
	src/wire/ws.c src/wire/ws.h \
	src/wire/ws_key.c src/wire/ws_key.h
libwire_la_LIBADD = libbase.la $(GNUTLS_LIBS)

noinst_LTLIBRARIES += libbase.la

libbase_la_SOURCES = \
	src/base/buf.c \
	src/base/buf.h \
	src/base/err.c \
	src/base/err.h \
	src/base/err_table.h \
	src/base/hash.c \
	src/base/hash.h \
	src/base/list.h \
	src/base/map.c \
	src/base/map.h \
	src/base/mem.c \
	src/base/mem.h \
	src/base/metric.c \
	src/base/metric.h \
	src/base/metric_label_table.h \
	src/base/metric_table.h \
	src/base/must.c \
	src/base/must.h \
	src/base/say.c \
	src/base/say.h \
	src/base/slice.c \
	src/base/slice.h \
	src/base/wheel.c \
	src/base/wheel.h
libbase_la_LIBADD = $(SODIUM_LIBS)

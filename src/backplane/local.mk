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
	src/backplane/memory_fact.c \
	src/backplane/memory_fault.c \
	src/backplane/memory_idem.c \
	src/backplane/memory_impl.h \
	src/backplane/memory_list.c \
	src/backplane/memory_record.c \
	src/backplane/memory_table.c \
	src/backplane/redis.c \
	src/backplane/redis.h \
	src/backplane/redis_answer.c \
	src/backplane/redis_code.c \
	src/backplane/redis_code.h \
	src/backplane/redis_doctor.c \
	src/backplane/redis_doctor.h \
	src/backplane/redis_fact.c \
	src/backplane/redis_flow.c \
	src/backplane/redis_greet.c \
	src/backplane/redis_impl.h \
	src/backplane/redis_link.c \
	src/backplane/redis_place.c \
	src/backplane/redis_read.c \
	src/backplane/redis_script.c \
	src/backplane/redis_send.c \
	src/backplane/redis_sentinel.c \
	src/backplane/redis_tell.c \
	src/backplane/redis_wait.c \
	src/backplane/redis_watch.c
libbackplane_la_LIBADD = libstream.la libwire.la libworld.la libbase.la $(HIREDIS_LIBS)

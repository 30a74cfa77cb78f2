noinst_LTLIBRARIES += libauth.la
libauth_la_SOURCES = \
	src/auth/alg_table.h \
	src/auth/api_key.c src/auth/api_key.h \
	src/auth/auth.c src/auth/auth.h \
	src/auth/cache.c src/auth/cache.h \
	src/auth/claims.c src/auth/claims.h \
	src/auth/grant.c src/auth/grant.h \
	src/auth/jws.c src/auth/jws.h \
	src/auth/key.c src/auth/key.h src/auth/key_impl.h src/auth/key_read.c \
	src/auth/members.c src/auth/members.h \
	src/auth/pattern.c src/auth/pattern.h \
	src/auth/revoked.c src/auth/revoked.h
libauth_la_LIBADD = libwire.la libbase.la $(GNUTLS_LIBS) $(SODIUM_LIBS)

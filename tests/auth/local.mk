check_PROGRAMS += tests/auth/test_auth
dist_check_SCRIPTS += tests/auth/test_token.py

tests_auth_test_auth_SOURCES = tests/auth/test_auth.c
tests_auth_test_auth_LDADD = libauth.la $(CMOCKA_LIBS)

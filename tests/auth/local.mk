dist_check_SCRIPTS += tests/auth/test_token.py

dist_check_SCRIPTS += \
	tests/tidy/test_binary.py \
	tests/tidy/test_headers.py \
	tests/tidy/test_text.py

EXTRA_DIST += \
	tests/tidy/report.py \
	tests/tidy/rules.py

# Stories need pytest, so `make check` does not run them; ./check does, against the built program.
EXTRA_DIST += \
	tests/story/conftest.py \
	tests/story/house.py \
	tests/story/test_bytes.py \
	tests/story/test_client_js.py \
	tests/story/test_doctor.py \
	tests/story/test_errors.py \
	tests/story/test_life.py \
	tests/story/test_limits.py \
	tests/story/test_listen.py \
	tests/story/test_metrics.py \
	tests/story/test_page.py \
	tests/story/test_publish.py \
	tests/story/test_redis.py \
	tests/story/test_redis_failover.py \
	tests/story/test_redis_faults.py

dist_man1_MANS += \
	man/tapecast.1 \
	man/tapecast-bench.1 \
	man/tapecast-doctor.1 \
	man/tapecast-pub.1 \
	man/tapecast-serve.1 \
	man/tapecast-sub.1 \
	man/tapecast-token.1

dist_man7_MANS += man/tapecast.7

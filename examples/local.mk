EXTRA_DIST += \
	examples/README.md \
	examples/curl/README.md \
	examples/curl/walk \
	examples/llm-tokens/README.md \
	examples/llm-tokens/fake-model \
	examples/llm-tokens/page.html \
	examples/llm-tokens/words \
	examples/notifications/README.md \
	examples/notifications/feed.py \
	examples/notifications/notify \
	examples/notifications/page.html \
	examples/ticker/README.md \
	examples/ticker/page.html \
	examples/ticker/prices

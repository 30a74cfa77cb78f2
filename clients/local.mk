EXTRA_DIST += \
	clients/js/README.md \
	clients/js/package.json \
	clients/js/tapecast.js

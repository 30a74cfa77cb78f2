# What tests/stream adds to the build.

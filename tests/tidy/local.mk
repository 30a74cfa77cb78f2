# What tests/tidy adds to the build.

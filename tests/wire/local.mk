# What tests/wire adds to the build.

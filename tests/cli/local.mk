# What tests/cli adds to the build.

# What tests/front adds to the build.

# What tests/serve adds to the build.

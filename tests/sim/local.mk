# What tests/sim adds to the build.

# What tests/backplane adds to the build.

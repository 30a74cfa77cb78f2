# What tests/delivery adds to the build.

# What tests/story adds to the build.

# What tests/conformance adds to the build.

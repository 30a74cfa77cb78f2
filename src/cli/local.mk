# What src/cli adds to the build.

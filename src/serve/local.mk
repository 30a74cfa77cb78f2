# What src/serve adds to the build.

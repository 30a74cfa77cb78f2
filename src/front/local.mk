# What src/front adds to the build.

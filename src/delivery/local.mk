# What src/delivery adds to the build.

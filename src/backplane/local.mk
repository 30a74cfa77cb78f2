# What src/backplane adds to the build.

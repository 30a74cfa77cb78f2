# What examples adds to the build.

"""The SAM template, the build of the function's zip, and the local stack that runs both."""

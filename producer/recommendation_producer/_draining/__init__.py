"""When the producer drains: at the end of an invocation, after its response, and at SIGTERM."""

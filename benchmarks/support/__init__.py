"""Parts shared by several benchmarks: stubs, recorded outputs, Lambda's side of an invocation, the command line."""

"""The AWS usage of one incident: requests, write units, log bytes, metrics and CPU time. `make usage`."""

"""What one incident uses of AWS: requests, write units, log bytes, metrics and CPU time. `make usage`."""

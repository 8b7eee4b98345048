"""What the producer costs its host, measured: `make bench-producer` and `make soak`."""

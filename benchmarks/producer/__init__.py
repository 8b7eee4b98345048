"""What handing over a recommendation costs its caller: `make bench-producer`."""

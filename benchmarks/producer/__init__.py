"""What handing over a recommendation costs the caller: `make bench-producer`."""

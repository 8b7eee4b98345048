"""The cost to the caller of handing over a recommendation: `make bench-producer`."""

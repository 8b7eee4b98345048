"""What storing a recommendation costs: `make bench-consumer`."""

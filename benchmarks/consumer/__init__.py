"""What storing a recommendation costs in CPU, memory and start-up time: `make bench-consumer`."""

"""The cost of storing a recommendation, in CPU, memory and start-up time: `make bench-consumer`."""

"""Read and write JSON without changing a value."""

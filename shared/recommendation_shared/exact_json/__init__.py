"""JSON in and out without changing a value."""

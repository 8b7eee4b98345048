"""What stands in for AWS in a run: queues and a table."""

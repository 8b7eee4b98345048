"""The engines that stand in for AWS in a run: queues and a table."""

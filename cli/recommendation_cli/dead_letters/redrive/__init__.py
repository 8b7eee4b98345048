"""`recs dlq redrive`: from the dead-letter queue back to the queue."""

"""`recs dlq save`, `purge` and `restore`: dead letters in a file."""

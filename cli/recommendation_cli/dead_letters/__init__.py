"""`recs dlq`: look at dead letters, send them again, keep them in a file."""

"""`recs dlq save`, `purge` and `restore`, which work with a file of dead letters."""

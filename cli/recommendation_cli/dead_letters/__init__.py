"""`recs dlq`: inspect, redrive, save, purge and restore dead letters."""

"""`recs`, the operator's command line: read what the agents recommended, and handle dead letters."""

"""`recs incident`, `agent`, `execution` and `show`."""

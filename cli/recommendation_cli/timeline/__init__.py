"""`recs timeline`: an incident in the order of time."""

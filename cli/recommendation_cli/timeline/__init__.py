"""`recs timeline`: an incident in order of time."""

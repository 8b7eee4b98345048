"""`recs stats`: totals over time."""

"""`recs search`: which recommendations mention a text."""

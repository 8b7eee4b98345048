"""`recs follow`, and `recs incident --follow`: recommendations as they are stored."""

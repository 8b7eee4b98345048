"""`recs incidents`: which incidents there are."""

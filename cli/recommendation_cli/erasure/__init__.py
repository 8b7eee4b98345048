"""`recs erase`: deletes what the agents said about one incident, and leaves a mark without content."""

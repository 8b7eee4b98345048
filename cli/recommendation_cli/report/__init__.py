"""`recs report`: one HTML page for the post-incident review."""

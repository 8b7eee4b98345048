"""`recs doctor`: the deployed stack compared with the template."""

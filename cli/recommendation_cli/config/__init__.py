"""`recs config`: named sets of options (contexts) in a file."""

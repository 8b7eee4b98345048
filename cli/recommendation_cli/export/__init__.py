"""`recs export`: whole documents in a file, resumable."""

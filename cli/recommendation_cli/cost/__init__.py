"""`recs cost`: a month's bill, line by line."""

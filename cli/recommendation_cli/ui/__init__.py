"""`recs ui`: a page to look at, served on this machine only (docs/decisions/0026)."""

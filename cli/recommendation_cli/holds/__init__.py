"""`recs hold`, `recs release` and `recs holds`: keep an incident's recommendations beyond their ttl."""

"""`recs review` and `recs reviews`: say what a recommendation was worth, and read what people said."""

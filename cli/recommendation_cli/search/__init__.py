"""Finding recommendations in the table."""

"""Finding recommendations in the table: queries, filters, periods, and what to say when there are none."""

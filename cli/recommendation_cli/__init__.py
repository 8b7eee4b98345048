"""The operator's side: `recs` reads what the agents recommended."""

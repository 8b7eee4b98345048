"""`recs diff`: what changed between two executions."""

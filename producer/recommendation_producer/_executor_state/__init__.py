"""What an executor's graph state says: every agent's output as a recommendation."""

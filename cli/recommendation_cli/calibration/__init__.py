"""How good the agents' advice was, by the verdicts of people, and how well their confidence foretold it."""

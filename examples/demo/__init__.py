"""The whole pipeline on real input: recorded incidents, a LangGraph executor, the local stack, the CLI."""

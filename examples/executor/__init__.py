"""A LangGraph executor that replays recorded agent outputs over public incidents. No model is called."""

"""How the nodes of a LangGraph graph are watched for new outputs."""

"""An executor with flat modules, langgraph and pydantic 2, which hands over its final state."""

from typing import Any

import boto3
import langchain_aws
import langgraph.version
import pydantic
from graph import graph
from state import AgentInput

from recommendation_producer import RecommendationProducer

producer = RecommendationProducer.from_env()
incidents = boto3.client("dynamodb")


@producer.lambda_handler
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Run the graph for the event's incident."""
    agent_input = AgentInput(
        incident_id=event["incident"],
        execution_id=f"exec-{event['incident']}",
        session_id="session-1",
        timestamp="2026-01-31T12:00:00",
        evidence_bundle={"alarms": ["latency"]},
    )
    state = graph.invoke(
        {"agent_input": agent_input, "session_id": "session-1", "budget_remaining": 0.5},
        {"configurable": {"thread_id": event["incident"]}},
    )
    outcomes = producer.enqueue_state(state)
    return {
        "accepted": sum(outcome.accepted for outcome in outcomes),
        "reasons": [outcome.reason for outcome in outcomes if outcome.reason],
        "versions": [boto3.__version__, pydantic.VERSION, langgraph.version.__version__],
        "incidents": incidents.meta.service_model.service_name,
        "model": langchain_aws.ChatBedrock.__name__,
    }

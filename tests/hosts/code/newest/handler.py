"""An executor on the newest boto3 and langgraph, which hands over each output as its node finishes."""

import operator
from typing import Annotated, Any

import boto3
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel
from typing_extensions import TypedDict

from recommendation_producer import RecommendationProducer
from recommendation_producer.langgraph import persisting

producer = RecommendationProducer.from_env()


class Hypothesis(BaseModel):
    """One agent's output."""

    agent_id: str
    timestamp: str
    confidence: float
    findings: dict[str, Any]


class State(TypedDict, total=False):
    """The graph's state."""

    agent_input: dict[str, Any]
    hypotheses: Annotated[dict[str, Hypothesis], operator.or_]
    consensus: dict[str, Any]


def agent(number: int) -> Any:
    """Return the node of an agent."""

    def node(_state: State) -> dict[str, Any]:
        name = f"agent-{number}"
        instant = f"2026-01-31T12:00:{number:02d}Z"
        output = Hypothesis(agent_id=name, timestamp=instant, confidence=0.8, findings={"cause": "deployment"})
        return {"hypotheses": {name: output}}

    return node


def consensus(state: State) -> dict[str, Any]:
    """Combine the agents' outputs."""
    combined = {"aggregated_confidence": 0.8, "unified_recommendation": {}, "timestamp": "2026-01-31T12:00:30Z"}
    return {"consensus": {**combined, "agents": len(state["hypotheses"])}}


builder = StateGraph(State)
for number in range(6):
    builder.add_node(f"agent-{number}", agent(number))
    builder.add_edge(START, f"agent-{number}")
builder.add_node("reach_consensus", consensus)
builder.add_edge([f"agent-{number}" for number in range(6)], "reach_consensus")
builder.add_edge("reach_consensus", END)
graph = persisting(builder, producer).compile()


@producer.lambda_handler
async def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Run the graph for the event's incident."""
    given = {"incident_id": event["incident"], "execution_id": "exec-1", "timestamp": "2026-01-31T12:00:00Z"}
    await graph.ainvoke({"agent_input": given})
    return {"accepted": producer.balance.accepted, "versions": [boto3.__version__]}

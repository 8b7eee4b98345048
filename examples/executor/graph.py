"""The executor's LangGraph graph: six agents, in parallel where possible, then the consensus."""

from typing import Final

from langgraph.graph import END, START, StateGraph

from examples.executor.agents import UPSTREAM, replaying
from examples.executor.consensus import reach_consensus
from examples.executor.state import ExecutorState

BUDGET_USD: Final = 0.50
CONSENSUS_NODE: Final = "reach-consensus"  # LangGraph requires node names to differ from state keys


def build_graph() -> "StateGraph[ExecutorState]":
    """Return the graph before compilation, so that its nodes can still be wrapped."""
    builder = StateGraph(ExecutorState)
    for agent_id, upstream in UPSTREAM.items():
        builder.add_node(agent_id, replaying(agent_id))
        builder.add_edge(list(upstream) or START, agent_id)
    builder.add_node(CONSENSUS_NODE, _consensus)
    builder.add_edge("response-strategy", CONSENSUS_NODE)
    builder.add_edge(CONSENSUS_NODE, END)
    return builder


def _consensus(state: ExecutorState) -> ExecutorState:
    hypotheses = state["hypotheses"]
    consensus = reach_consensus(hypotheses)
    spent = round(sum(hypothesis.cost["estimatedCost"] for hypothesis in hypotheses.values()), 6)
    return {
        "consensus": consensus,
        "cost_guardian": {"limit_usd": BUDGET_USD, "spent_usd": spent, "within_budget": spent <= BUDGET_USD},
        "execution_trace": [{"node": CONSENSUS_NODE, "completed": consensus.timestamp, "status": "SUCCESS"}],
    }

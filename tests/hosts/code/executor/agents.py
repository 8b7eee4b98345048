"""The six agents: the findings of a pydantic model, wrapped in the executor's own dataclass."""

from collections.abc import Callable
from typing import Any

from langchain_core.messages import AIMessage
from pydantic import BaseModel, Field
from state import Hypothesis, State

AGENTS = (
    "signal-intelligence",
    "historical-pattern",
    "change-intelligence",
    "risk-blast-radius",
    "knowledge-rag",
    "response-strategy",
)


class Findings(BaseModel):
    """What an agent found; `prompt` stays in the executor."""

    cause: str
    severity: float = 0.5
    prompt: str = Field("not to be persisted", exclude=True)


def agent(agent_id: str, second: int) -> Callable[[State], dict[str, Any]]:
    """Return a node that answers in the place of a model."""

    def node(state: State) -> dict[str, Any]:
        answer = AIMessage(content=f"{agent_id} blames the deployment")
        instant = f"2026-01-31T12:00:{second:02d}.5"  # naive, as many executors write it
        hypothesis = Hypothesis(
            agent_id=agent_id,
            agent_version="1.2.0",
            execution_id=state["agent_input"].execution_id,
            timestamp=instant,
            duration=500,
            status="SUCCESS",
            confidence=0.8,
            reasoning=str(answer.content),
            findings=Findings(cause="deployment"),
            citations=[{"source": "runbook"}],
            cost={"inputTokens": 100, "estimatedCost": 0.01},
        )
        trace = {"node_id": agent_id, "timestamp": instant, "duration_ms": 500, "status": "SUCCESS"}
        return {"hypotheses": {agent_id: hypothesis}, "execution_trace": [trace]}

    return node

"""The executor's state: frozen dataclasses under the keys of a LangGraph state."""

import operator
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict


@dataclass(frozen=True)
class AgentInput:
    """What every agent is given."""

    incident_id: str
    execution_id: str
    session_id: str
    timestamp: str
    evidence_bundle: dict[str, Any]
    replay_metadata: dict[str, Any] | None = None


@dataclass(frozen=True)
class Hypothesis:
    """One agent's output."""

    agent_id: str
    agent_version: str
    execution_id: str
    timestamp: str
    duration: int
    status: str
    confidence: float
    reasoning: str
    findings: Any
    citations: list[dict[str, Any]] | None = None
    cost: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    disclaimer: str = "HYPOTHESIS_ONLY_NOT_AUTHORITATIVE"


@dataclass(frozen=True)
class Consensus:
    """The agents' outputs combined."""

    aggregated_confidence: float
    agreement_level: str
    conflicts_detected: list[Any]
    unified_recommendation: dict[str, Any]
    timestamp: str


class State(TypedDict, total=False):
    """The graph's state."""

    agent_input: AgentInput
    hypotheses: Annotated[dict[str, Hypothesis], operator.or_]
    consensus: Consensus
    budget_remaining: float
    execution_trace: Annotated[list[dict[str, Any]], operator.add]
    session_id: str

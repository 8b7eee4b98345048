"""The executor's graph state, while it runs and when it has finished."""

import operator
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypedDict

DISCLAIMER: Final = "HYPOTHESIS_ONLY_NOT_AUTHORITATIVE"


@dataclass(frozen=True, slots=True)
class AgentInput:
    """The input of every agent."""

    incident_id: str
    execution_id: str
    session_id: str
    timestamp: str
    evidence_bundle: dict[str, Any]
    context: dict[str, Any] | None = None
    replay_metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One agent's output."""

    agent_id: str
    agent_version: str
    execution_id: str
    timestamp: str
    """When the agent completed: ISO 8601, often naive, which means UTC."""
    duration: int
    """Milliseconds."""
    status: str
    """SUCCESS, PARTIAL, TIMEOUT or FAILURE."""
    confidence: float | None
    reasoning: str
    findings: dict[str, Any]
    citations: list[dict[str, Any]] | None
    cost: dict[str, Any]
    """inputTokens, outputTokens, estimatedCost (USD), model."""
    error: dict[str, Any] | None = None
    replay_metadata: dict[str, Any] | None = None
    disclaimer: str = DISCLAIMER


@dataclass(frozen=True, slots=True)
class Consensus:
    """The combined result of the agents' outputs."""

    aggregated_confidence: float | None
    agreement_level: str
    conflicts_detected: list[dict[str, Any]]
    unified_recommendation: dict[str, Any]
    minority_opinions: list[dict[str, Any]]
    quality_metrics: dict[str, Any]
    timestamp: str


def _spend(budget: float, change: float) -> float:
    return round(budget + change, 6)  # so that sums of dollars do not accumulate rounding errors


class ExecutorState(TypedDict, total=False):
    """Keys that parallel branches write have a reducer; all others have a single writer."""

    agent_input: AgentInput
    hypotheses: Annotated[dict[str, Hypothesis], operator.or_]
    consensus: Consensus
    cost_guardian: dict[str, Any]
    budget_remaining: Annotated[float, _spend]
    retry_count: Annotated[int, operator.add]
    execution_trace: Annotated[list[dict[str, Any]], operator.add]
    errors: Annotated[list[dict[str, Any]], operator.add]
    session_id: str
    start_timestamp: str

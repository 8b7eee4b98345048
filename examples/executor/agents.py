"""The six agent nodes. Each replays its recorded output; no model is called."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Protocol

from examples.executor.evidence import attach, citations, dice, size
from examples.executor.incident import Incident, Recording, load
from examples.executor.state import ExecutorState, Hypothesis
from recommendation_shared.envelope.identity import parse_instant

AGENT_VERSION: Final = "1.4.0"
UPSTREAM: Final[dict[str, tuple[str, ...]]] = {
    "signal-intelligence": (),
    "historical-pattern": (),
    "change-intelligence": (),
    "knowledge-rag": (),
    "risk-blast-radius": ("signal-intelligence", "change-intelligence"),
    "response-strategy": ("risk-blast-radius", "historical-pattern", "knowledge-rag"),
}
"""Agent ID to the agents whose output it needs; agents that need none run as parallel branches."""

BYTES_PER_TOKEN: Final = 4
USD_PER_MILLION_TOKENS: Final = {"input": 3.0, "output": 15.0}
"""Round prices that give costs of a plausible size."""


class Node(Protocol):
    """A node as LangGraph calls it, with the parameter name `state`."""

    def __call__(self, state: ExecutorState) -> ExecutorState:
        """Return the state keys that the node writes."""


def replaying(agent_id: str) -> Node:
    """Return a graph node that returns the agent's recorded output."""

    def node(state: ExecutorState) -> ExecutorState:
        agent_input = state["agent_input"]
        incident = load(agent_input.incident_id)
        recording = recorded(incident, agent_id, replay=agent_input.replay_metadata is not None)
        rng = dice(incident, f"timing/{agent_id}")
        started = _started(state, agent_id)
        completed = started + timedelta(milliseconds=recording.duration_ms, microseconds=rng.randrange(1_000))
        timestamp = written(completed, rng)
        findings = attach(incident, agent_id, recording)
        cost = _cost(agent_input.evidence_bundle, findings)
        hypothesis = Hypothesis(
            agent_id=agent_id,
            agent_version=AGENT_VERSION,
            execution_id=agent_input.execution_id,
            timestamp=timestamp,
            duration=recording.duration_ms,
            status=recording.status,
            confidence=recording.confidence,
            reasoning=recording.reasoning,
            findings=findings,
            citations=citations(incident, recording),
            cost=cost,
            error=recording.error,
            replay_metadata=agent_input.replay_metadata,
        )
        trace = {"node": agent_id, "started": started.isoformat(), "completed": timestamp}
        return {
            "hypotheses": {agent_id: hypothesis},
            "budget_remaining": -cost["estimatedCost"],
            "retry_count": recording.retries,
            "execution_trace": [{**trace, "status": recording.status}],
            "errors": [{"agent_id": agent_id, **recording.error}] if recording.error else [],
        }

    return node


def recorded(incident: Incident, agent_id: str, *, replay: bool) -> Recording:
    """Return the agent's recording; in a replay, the replay's own if it has one."""
    if replay and incident.replay is not None:
        return incident.replay.recordings.get(agent_id, incident.recordings[agent_id])
    return incident.recordings[agent_id]


def written(instant: datetime, rng: Random) -> str:
    """Return a UTC instant as executors write it: usually naive, sometimes without a fraction."""
    naive = instant.replace(tzinfo=None)
    return rng.choice(
        (
            naive.isoformat(),
            naive.isoformat(),
            naive.isoformat(timespec="seconds"),
            instant.isoformat(timespec="milliseconds"),
        ),
    )


def _started(state: ExecutorState, agent_id: str) -> datetime:
    awaited = [state["hypotheses"][upstream].timestamp for upstream in UPSTREAM[agent_id]]
    return max(map(parse_instant, awaited or [state["agent_input"].timestamp]))


def _cost(read: dict[str, Any], wrote: dict[str, Any]) -> dict[str, Any]:
    tokens = {"input": size(read) // BYTES_PER_TOKEN, "output": size(wrote) // BYTES_PER_TOKEN}
    usd = sum(count * USD_PER_MILLION_TOKENS[side] for side, count in tokens.items()) / 1_000_000
    return {
        "inputTokens": tokens["input"],
        "outputTokens": tokens["output"],
        "estimatedCost": round(usd, 6),
        "model": "none (recorded output)",
    }

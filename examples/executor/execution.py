"""Executions of recorded incidents and of their replays, with their IDs and times."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import NAMESPACE_URL, uuid5

from examples.executor.agents import UPSTREAM
from examples.executor.evidence import bundle
from examples.executor.graph import BUDGET_USD
from examples.executor.incident import incident_ids, load
from examples.executor.state import AgentInput, ExecutorState

RECOMMENDATIONS = len(UPSTREAM) + 1
"""Recommendations of one execution: every agent's output, failed or not, and the consensus."""


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of the graph over one incident.

    `day` (UTC) moves the run to that day, at the recorded time of day; with None it stays at its recorded day. Stored
    recommendations expire 90 days after the agent completed, so those of a run in 2017 have expired on arrival.
    """

    incident_id: str
    replay: bool = False
    day: date | None = None

    def __post_init__(self) -> None:
        """Raise KeyError or ValueError for an incident or a replay that was not recorded."""
        if self.replay and load(self.incident_id).replay is None:
            raise ValueError(f"incident {self.incident_id!r} has no recorded replay")

    @property
    def started_at(self) -> datetime:
        """The time at which the executor started (UTC)."""
        incident = load(self.incident_id)
        recorded = incident.replay.executed_at if self.replay and incident.replay else incident.executed_at
        return recorded if self.day is None else datetime.combine(self.day, recorded.timetz())

    @property
    def execution_id(self) -> str:
        """The execution's ID. A run on another day, or a replay, is another execution."""
        return f"exec-{self.incident_id}-{self.started_at:%Y%m%dT%H%M%SZ}"

    def initial_state(self) -> ExecutorState:
        """Return the state with which the graph is invoked."""
        incident = load(self.incident_id)
        started = self.started_at.astimezone(UTC).replace(tzinfo=None).isoformat()
        session_id = str(uuid5(NAMESPACE_URL, self.execution_id))
        return {
            "agent_input": AgentInput(
                incident_id=self.incident_id,
                execution_id=self.execution_id,
                session_id=session_id,
                timestamp=started,
                evidence_bundle=bundle(incident),
                context={"company": incident.company, "recorded_at": incident.executed_at.isoformat()},
                replay_metadata=self._replay_metadata(),
            ),
            "cost_guardian": {"limit_usd": BUDGET_USD, "spent_usd": 0.0, "within_budget": True},
            "budget_remaining": BUDGET_USD,
            "session_id": session_id,
            "start_timestamp": started,
        }

    def _replay_metadata(self) -> dict[str, str] | None:
        replay = load(self.incident_id).replay
        if not self.replay or replay is None:
            return None
        original = Execution(self.incident_id, day=self.day)
        return {"replay_of": original.execution_id, "reason": replay.reason}


def executions(day: date | None = None) -> list[Execution]:
    """Return every recorded execution, oldest incident first, each replay after its original."""
    planned: list[Execution] = []
    for incident_id in incident_ids():
        planned.append(Execution(incident_id, day=day))
        if load(incident_id).replay is not None:
            planned.append(Execution(incident_id, replay=True, day=day))
    return planned

"""What is known about each incident in a period, added up recommendation by recommendation."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from recommendation_cli.facts import status_of, succeeded
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import Summary, summarise
from recommendation_shared.envelope.identity import parse_instant
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.item.holds import Hold

# An executor is a Lambda function, which runs for at most 15 minutes: an older execution is not still at work.
_LONGEST_EXECUTION: Final = timedelta(minutes=15)


@dataclass(slots=True)
class Incident:
    """An incident's recommendations in the period; timestamps are sort keys.

    `executions` holds the time of each execution's newest recommendation, `failed` counts those that did not succeed
    by agent type, `matches` says whether any recommendation passed the filter, and `hold` whether it must stay.
    """

    incident_id: str
    first: str
    last: str
    recommendations: int = 0
    executions: dict[str, str] = field(default_factory=dict)
    concluded: set[str] = field(default_factory=set)
    failed: Counter[str] = field(default_factory=Counter)
    consensus: Summary | None = None
    matches: bool = False
    hold: Hold | None = None

    def add(self, document: Document, *, matches: bool) -> None:
        """Count a recommendation."""
        timestamp, agent = str(document.get("timestamp")), str(document.get("agentType"))
        execution = str(document.get("executionId"))
        self.recommendations += 1
        self.matches = self.matches or matches
        self.first, self.last = min(self.first, timestamp), max(self.last, timestamp)
        self.executions[execution] = max(self.executions.get(execution, ""), timestamp)
        if not succeeded(status_of(document)):
            self.failed[visible(agent)] += 1
        if agent == CONSENSUS:
            self.concluded.add(execution)
            if self.consensus is None or timestamp > self.consensus.timestamp:
                self.consensus = summarise(document)

    @property
    def failures(self) -> str:
        """Which agents did not succeed, in words."""
        ordered = sorted(self.failed.items(), key=lambda each: (-each[1], each[0]))  # whatever was read first
        return ", ".join(f"{agent} ({count})" if count > 1 else agent for agent, count in ordered)

    def state(self, now: float) -> str:
        """Return `running`, `no consensus` or an empty string, for the newest execution; `now` is in epoch seconds.

        Of several with the same time, one without a consensus counts.
        """
        newest = max(self.executions.values())
        if self.concluded.issuperset(execution for execution, last in self.executions.items() if last == newest):
            return ""
        try:
            age = now - parse_instant(newest).timestamp()
        except ValueError:  # written by hand
            return "no consensus"
        return "running" if age < _LONGEST_EXECUTION.total_seconds() else "no consensus"

    def record(self, now: float) -> dict[str, Any]:
        """Return it as plain JSON values for other programs."""
        said = self.consensus
        return {
            "incidentId": self.incident_id,
            "first": self.first,
            "last": self.last,
            "executions": len(self.executions),
            "recommendations": self.recommendations,
            "running": self.state(now) == "running",
            "failed": dict(sorted(self.failed.items())),
            "consensusId": None if said is None else said.recommendation_id,
            "consensusConfidence": None if said is None else said.confidence,
            "consensus": None if said is None else said.headline,
            "hold": None if self.hold is None else self.hold._asdict(),
        }


def newest_first(incidents: Iterable[Incident]) -> list[Incident]:
    """Return the incidents that match, those with the newest recommendation first."""
    matching = (incident for incident in incidents if incident.matches)
    return sorted(matching, key=lambda one: (one.last, one.incident_id), reverse=True)

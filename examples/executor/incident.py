"""Recorded incidents: one JSON file for each, written from the companies' public post-mortems."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

INCIDENTS_FOLDER: Final = Path(__file__).parent / "incidents"


@dataclass(frozen=True, slots=True)
class Recording:
    """The recorded output of one agent."""

    status: str
    confidence: float | None
    duration_ms: int
    reasoning: str
    findings: dict[str, Any]
    citations: list[str] | None
    """IDs of the incident's sources; None if the agent gave no citations."""
    error: dict[str, Any] | None = None
    retries: int = 0
    evidence: str = "usual"
    """How much evidence the generator attaches: none, usual or large."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A later run over the same incident; agents without a recording here answer as before."""

    executed_at: datetime
    reason: str
    recordings: dict[str, Recording]


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, its public sources, and the outputs of the six agents."""

    incident_id: str
    title: str
    company: str
    began_at: datetime
    """When the impact began according to the public post-mortem (UTC)."""
    executed_at: datetime
    """When the recorded execution started (UTC); invented, not from the post-mortem."""
    summary: str
    sources: dict[str, dict[str, str]]
    evidence_hints: dict[str, Any]
    recordings: dict[str, Recording]
    replay: Replay | None


@cache
def incident_ids() -> tuple[str, ...]:
    """Return the IDs of the recorded incidents, oldest first."""
    return tuple(sorted((path.stem for path in INCIDENTS_FOLDER.glob("*.json")), key=_date_in))


@cache
def load(incident_id: str) -> Incident:
    """Read one recorded incident. Raises KeyError if it does not exist."""
    if incident_id not in incident_ids():
        raise KeyError(f"there is no recorded incident {incident_id!r}; recorded are: {', '.join(incident_ids())}")
    raw = json.loads((INCIDENTS_FOLDER / f"{incident_id}.json").read_text(encoding="utf-8"))
    replay = raw.get("replay")
    return Incident(
        incident_id=incident_id,
        title=raw["title"],
        company=raw["company"],
        began_at=datetime.fromisoformat(raw["began_at"]),
        executed_at=datetime.fromisoformat(raw["executed_at"]),
        summary=raw["summary"],
        sources=raw["sources"],
        evidence_hints=raw["evidence"],
        recordings=_recordings(raw["agents"]),
        replay=None
        if replay is None
        else Replay(
            executed_at=datetime.fromisoformat(replay["executed_at"]),
            reason=replay["reason"],
            recordings=_recordings(replay["agents"]),
        ),
    )


def _recordings(raw: dict[str, dict[str, Any]]) -> dict[str, Recording]:
    return {agent_id: Recording(**{"status": "SUCCESS", **fields}) for agent_id, fields in raw.items()}


def _date_in(incident_id: str) -> str:
    return incident_id[-len("2017-01-31") :]

"""Evidence that makes envelopes as large as real ones: metric samples, log excerpts, citations.

All samples and excerpts are generated and marked as such (`generated: true`); they are not the companies' data. The
recorded incident is the only input, so the same incident gives the same bytes.
"""

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from examples.executor.incident import Incident, Recording

USUAL_BYTES: Final = (900, 4_800)
LARGE_BYTES: Final = (54_000, 57_000)
"""With prose and metadata, these give envelopes of 2 to 8 KB, and a few of about 60 KB."""
FIRST_MINUTE: Final = -2  # relative to the onset, so that even the smallest share shows both before and after
LOG_LEVELS: Final = ("INFO", "WARN", "WARN", "ERROR", "ERROR", "ERROR")


def dice(incident: Incident, purpose: str) -> Random:
    """Return the random generator for one purpose, seeded only by the incident and the purpose."""
    return Random(f"{incident.incident_id}/{purpose}")  # noqa: S311 - repeatable by design; not used for security


def attach(incident: Incident, agent_id: str, recording: Recording) -> dict[str, Any]:
    """Return the agent's findings with its share of generated evidence."""
    if recording.evidence == "none":
        return dict(recording.findings)
    rng = dice(incident, f"evidence/{agent_id}")
    target = rng.randint(*(LARGE_BYTES if recording.evidence == "large" else USUAL_BYTES))
    return {**recording.findings, "evidence": _evidence(incident, rng, target)}


def citations(incident: Incident, recording: Recording) -> list[dict[str, Any]] | None:
    """Return the cited public sources in full, or None if the agent gave no citations."""
    if recording.citations is None:
        return None
    return [{"id": name, **incident.sources[name]} for name in recording.citations]


def bundle(incident: Incident) -> dict[str, Any]:
    """Return the evidence that the executor gives to every agent."""
    return {"summary": incident.summary, **_evidence(incident, dice(incident, "bundle"), USUAL_BYTES[0])}


def size(value: object) -> int:
    """Return the size of a value as compact UTF-8 JSON, in bytes."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _evidence(incident: Incident, rng: Random, target_bytes: int) -> dict[str, Any]:
    samples: list[dict[str, Any]] = []
    excerpts: list[dict[str, Any]] = []
    taken = 0
    minute = FIRST_MINUTE
    while taken < target_bytes:
        at = incident.began_at + timedelta(minutes=minute, microseconds=rng.randrange(1_000_000))
        phase = "before" if minute < 0 else "during"
        new_samples = [_sample(metric, at, metric[phase], rng) for metric in incident.evidence_hints["metrics"]]
        new_excerpts = [_excerpt(incident, at, rng)] if minute >= 0 else []
        samples += new_samples
        excerpts += new_excerpts
        taken += size(new_samples) + size(new_excerpts)
        minute += 1
    return {"generated": True, "metric_samples": samples, "log_excerpts": excerpts}


def _sample(metric: dict[str, Any], at: datetime, level: float, rng: Random) -> dict[str, Any]:
    return {
        "metric": metric["name"],
        "unit": metric["unit"],
        "at": at.isoformat(),
        "value": round(level * rng.uniform(0.97, 1.03), 3),
    }


def _excerpt(incident: Incident, at: datetime, rng: Random) -> dict[str, Any]:
    return {
        "at": at.isoformat(),
        "level": rng.choice(LOG_LEVELS),
        "line": rng.choice(incident.evidence_hints["log_lines"]),
    }

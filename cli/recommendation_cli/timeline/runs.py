"""An incident's recommendations in the order of time: runs of the executor, durations and pauses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from recommendation_cli.reading.summary import Summary, summarise
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_shared.envelope.identity import parse_instant

_SUCCEEDED: Final = frozenset({"SUCCESS", ""})  # the consensus carries no status
_LEAST_PAUSE: Final = timedelta(seconds=1)  # what is shorter is the executor's own work between two agents
_MOST_MILLISECONDS: Final = 366 * 86_400_000  # a longer duration is a mistake, and may leave the calendar


@dataclass(frozen=True, slots=True)
class Moment:
    """One recommendation in time; `completed` is None when the item's timestamp is no time."""

    document: Document
    summary: Summary
    completed: datetime | None
    duration: timedelta | None

    @property
    def started(self) -> datetime | None:
        """When the agent began, as far as its duration is known."""
        if self.completed is None or self.duration is None:
            return None
        try:
            return self.completed - self.duration
        except OverflowError:  # completed in the year 1
            return None

    @property
    def failed(self) -> bool:
        """Whether the agent ended in any other way than success."""
        return self.summary.status not in _SUCCEEDED


@dataclass(frozen=True, slots=True)
class Run:
    """One execution: what was said in it, in order. At least one moment."""

    execution_id: str
    moments: tuple[Moment, ...]
    replay_of: str | None

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The first start that is known (else the first completion) and the last completion."""
        ends = [moment.completed for moment in self.moments if moment.completed is not None]
        starts = [moment.started for moment in self.moments if moment.started is not None]
        return (min(starts + ends), max(ends)) if ends else None

    def pauses(self) -> dict[int, timedelta]:
        """Return, by the index of the moment that ends it, how long no agent is recorded to have worked.

        Only a moment whose start is known ends a pause: another one may have filled it.
        """
        timed = [
            (moment.started or moment.completed, moment.completed, moment.started is not None, index)
            for index, moment in enumerate(self.moments)
            if moment.completed is not None
        ]
        found: dict[int, timedelta] = {}
        busy_until: datetime | None = None
        # By start, since one that began early covers what seems a pause. All that start after a pause complete after
        # all that start before it, so counting gives the first of them in the order of completion too.
        for (started, completed, known, _), (*_, index) in zip(sorted(timed), timed, strict=True):
            if known and busy_until is not None and started - busy_until >= _LEAST_PAUSE:
                found[index] = started - busy_until
            busy_until = max(busy_until or completed, completed)
        return found


def runs(documents: Iterable[Document]) -> list[Run]:
    """Group documents by execution, both in the order of time."""
    together: dict[str, list[Moment]] = {}
    for document in sorted(documents, key=lambda document: str(document.get("timestamp"))):
        moment = _moment(document)
        together.setdefault(moment.summary.execution_id, []).append(moment)
    return [Run(name, tuple(moments), _replay_of(moments)) for name, moments in together.items()]


def pause_between(earlier: Run, later: Run) -> timedelta | None:
    """Return how long no agent worked between two runs, or None when they overlap or have no times."""
    if earlier.span is None or later.span is None:
        return None
    pause = later.span[0] - earlier.span[1]
    return pause if pause >= _LEAST_PAUSE else None


def duration_text(duration: timedelta) -> str:
    """Return a duration of zero or more for people, in two units at most: `850 ms`, `13.6 s`, `1 h 46 min`."""
    if duration < timedelta(seconds=1):
        return f"{duration // timedelta(milliseconds=1)} ms"
    if duration < timedelta(seconds=59.95):  # from here on, tenths would round to a full minute
        return f"{duration.total_seconds():.1f} s"
    seconds = round(duration.total_seconds())
    for unit, below, lesser, size in (("min", 3_600, "s", 60), ("h", 86_400, "min", 3_600)):
        if seconds < below:
            rest = seconds % size // (size // 60)
            return f"{seconds // size} {unit} {rest:02d} {lesser}"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3_600:02d} h"


def as_events(found: Sequence[Run]) -> list[dict[str, Any]]:
    """Return the moments as plain JSON values for other programs; durations in milliseconds."""
    return [
        {
            "executionId": run.execution_id,
            "replayOf": run.replay_of,
            "recommendationId": moment.summary.recommendation_id,
            "agentType": moment.summary.agent_type,
            "started": None if moment.started is None else moment.started.isoformat().replace("+00:00", "Z"),
            "completed": moment.summary.timestamp,
            "durationMs": None if moment.duration is None else moment.duration // timedelta(milliseconds=1),
            "pauseBeforeMs": pauses[index] // timedelta(milliseconds=1) if index in pauses else None,
            "confidence": moment.document.get("confidence"),
            "status": moment.summary.status or None,
            "failed": moment.failed,
            "headline": moment.summary.headline,
        }
        for run in found
        for pauses in (run.pauses(),)
        for index, moment in enumerate(run.moments)
    ]


def _moment(document: Document) -> Moment:
    try:
        completed = parse_instant(str(document.get("timestamp")))
    except ValueError:  # written by hand
        completed = None
    return Moment(document, summarise(document), completed, _duration(document))


def _duration(document: Document) -> timedelta | None:
    metadata = document.get("metadata")
    value = metadata.get("durationMs") if isinstance(metadata, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= _MOST_MILLISECONDS:
        return None
    return timedelta(milliseconds=float(value))


def _replay_of(moments: Iterable[Moment]) -> str | None:
    for moment in moments:
        metadata = moment.document.get("metadata")
        replay = metadata.get("replayMetadata") if isinstance(metadata, dict) else None
        if isinstance(replay, dict):
            original = replay.get("replay_of", replay.get("replayOf"))
            if isinstance(original, str):
                return visible(original)
    return None

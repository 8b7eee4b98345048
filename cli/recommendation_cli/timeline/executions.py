"""An incident's recommendations in order of time: executions, durations and pauses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from recommendation_cli.facts import facts, replay_of, succeeded
from recommendation_cli.reviews.beside import Reviewed
from recommendation_cli.reviews.review import Review
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import Summary, summarise
from recommendation_shared.envelope.identity import parse_instant

_LEAST_PAUSE: Final = timedelta(seconds=1)  # anything shorter is the executor's own work between two agents


@dataclass(frozen=True, slots=True)
class Moment:
    """One recommendation in time; `completed` is None when the item's timestamp is not a valid time.

    `reviews` is what people said about it, the oldest first; the last one counts.
    """

    document: Document
    summary: Summary
    completed: datetime | None
    duration: timedelta | None
    reviews: tuple[Review, ...] = ()

    @property
    def started(self) -> datetime | None:
        """When the agent started; None without a usable duration."""
        if self.completed is None or self.duration is None:
            return None
        try:
            return self.completed - self.duration
        except OverflowError:  # completed in the year 1
            return None

    @property
    def review(self) -> Review | None:
        """The review that counts."""
        return self.reviews[-1] if self.reviews else None

    @property
    def failed(self) -> bool:
        """Whether the agent ended with any status but success."""
        return not succeeded(self.summary.status)


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution and its recommendations in order of time; at least one."""

    execution_id: str
    moments: tuple[Moment, ...]
    replay_of: str | None

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """From the first known start or completion to the last completion; None without any time."""
        ends = [moment.completed for moment in self.moments if moment.completed is not None]
        starts = [moment.started for moment in self.moments if moment.started is not None]
        return (min(starts + ends), max(ends)) if ends else None

    def last(self, agent_type: str) -> Moment | None:
        """Return an agent's last recommendation; None without any."""
        return next((moment for moment in reversed(self.moments) if moment.summary.agent_type == agent_type), None)

    def pauses(self) -> dict[int, timedelta]:
        """Return how long no agent is recorded at work, by the index of the moment that ends each pause.

        Only a moment with a known start ends a pause: one without may have filled it.
        """
        timed = [
            (moment.started or moment.completed, moment.completed, moment.started is not None, index)
            for index, moment in enumerate(self.moments)
            if moment.completed is not None
        ]
        pauses: dict[int, timedelta] = {}
        busy_until: datetime | None = None
        # In order of start, because an agent that started early may cover an apparent pause. Everything that starts
        # after a pause also completes after everything before it, so the nth start and the nth completion lie on the
        # same side of each pause.
        for (started, completed, known, _), (*_, index) in zip(sorted(timed), timed, strict=True):
            if known and busy_until is not None and started - busy_until >= _LEAST_PAUSE:
                pauses[index] = started - busy_until
            busy_until = max(busy_until or completed, completed)
        return pauses


def group_by_execution(documents: Iterable[Document], reviewed: Reviewed | None = None) -> list[Execution]:
    """Group documents, with their reviews, by execution; executions and their documents are in order of time."""
    grouped: dict[str, list[Moment]] = {}
    for document in sorted(documents, key=lambda document: str(document.get("timestamp"))):
        moment = _moment(document, reviewed or Reviewed())
        grouped.setdefault(moment.summary.execution_id, []).append(moment)
    return [Execution(name, tuple(moments), _replay_of(moments)) for name, moments in grouped.items()]


def pause_between(earlier: Execution, later: Execution) -> timedelta | None:
    """Return how long no agent worked between two executions; None if they overlap or have no times."""
    if earlier.span is None or later.span is None:
        return None
    pause = later.span[0] - earlier.span[1]
    return pause if pause >= _LEAST_PAUSE else None


def duration_text(duration: timedelta) -> str:
    """Return a duration of zero or more in at most two units: `850 ms`, `13.6 s`, `1 h 46 min`."""
    if duration < timedelta(seconds=1):
        return f"{duration // timedelta(milliseconds=1)} ms"
    if duration < timedelta(seconds=59.95):  # above this, tenths would round to a full minute
        return f"{duration.total_seconds():.1f} s"
    seconds = round(duration.total_seconds())
    for unit, below, lesser, size in (("min", 3_600, "s", 60), ("h", 86_400, "min", 3_600)):
        if seconds < below:
            rest = seconds % size // (size // 60)
            return f"{seconds // size} {unit} {rest:02d} {lesser}"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3_600:02d} h"


def extent_text(execution: Execution) -> str:
    """Return when an execution started and how long it took, in words; empty without any time."""
    if execution.span is None:
        return ""
    start, end = execution.span
    return f"{start:%Y-%m-%d %H:%M:%S} UTC, {duration_text(end - start)}"


def as_events(executions: Sequence[Execution]) -> list[dict[str, Any]]:
    """Return every moment as plain JSON values for other programs; durations are in milliseconds."""
    return [
        {
            "executionId": execution.execution_id,
            "replayOf": execution.replay_of,
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
            "verdict": None if moment.review is None or moment.review.verdict is None else str(moment.review.verdict),
        }
        for execution in executions
        for pauses in (execution.pauses(),)
        for index, moment in enumerate(execution.moments)
    ]


def _moment(document: Document, reviewed: Reviewed) -> Moment:
    try:
        completed = parse_instant(str(document.get("timestamp")))
    except ValueError:  # written by hand
        completed = None
    return Moment(document, summarise(document), completed, _duration(document), tuple(reviewed.of_document(document)))


def _duration(document: Document) -> timedelta | None:
    milliseconds = facts(document).duration_ms
    return None if milliseconds is None else timedelta(milliseconds=float(milliseconds))


def _replay_of(moments: Iterable[Moment]) -> str | None:
    originals = (replay_of(moment.document) for moment in moments)
    return next((visible(original) for original in originals if original is not None), None)

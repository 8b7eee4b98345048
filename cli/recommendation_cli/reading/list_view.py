"""How lists look on a terminal: printed as they are read, grouped, the newest first.

A recommendation takes one line if it fits, two otherwise.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from rich.console import Console
from rich.text import Text

from recommendation_cli.reviews.review import Review
from recommendation_cli.reviews.view import verdict_mark
from recommendation_cli.screen.table import Cell, Column, Row, Table
from recommendation_cli.screen.terminal import WIDE, confidence_bar, status_mark
from recommendation_cli.summary import Summary

_MOST_NAME: Final = 40  # columns of an incident's ID or an agent's type; the other formats print it in full
_LEAST_NAME: Final = 8
_LEAST_CONFIDENCE: Final = 5  # columns: the number, and an ellipsis for its bar
_LEAST_HEADLINE: Final = 20


class Layout(NamedTuple):
    """How a list is arranged: `group` forms the groups (None: only days do), `column` tells rows in a group apart."""

    group: str | None
    column: str


LAYOUTS: Final = {
    "incidentId": Layout(group="execution_id", column="agent_type"),
    "executionId": Layout(group="incident_id", column="agent_type"),
    "agentType": Layout(group=None, column="incident_id"),
}
_NO_REVIEWS: Final[Mapping[str, Review]] = {}
_NOUNS: Final = {"execution_id": "Execution", "incident_id": "Incident", "agent_type": "Agent"}


class ListView:
    """Prints a list part by part, grouped by execution (or incident) and UTC day, the newest group first.

    A group that goes on in a later part gets its heading again, marked as continued.
    """

    def __init__(self, console: Console, layout: Layout) -> None:
        self._ascii_only = console.options.ascii_only
        self._layout = layout
        is_wide = console.width >= WIDE
        columns = (
            Column("time (UTC)"),
            Column(_NOUNS[layout.column].lower(), least=_LEAST_NAME, most=_MOST_NAME),
            Column("confidence", least=_LEAST_CONFIDENCE),
            Column("status", keep=True),
            Column("summary" if is_wide else "", least=_LEAST_HEADLINE),
        )
        self._table = Table(console, columns, fold=not is_wide)
        self._headings: set[str] = set()
        self._latest = ""

    def print(self, summaries: Sequence[Summary], reviews: Mapping[str, Review] = _NO_REVIEWS) -> None:
        """Print a part of the list, newest first, with the verdicts of the reviews that count, by recommendation ID."""
        rows = [
            Row(
                _cells(summary, reviews, self._layout.column, ascii_only=self._ascii_only),
                above=() if position else self._above(heading),
            )
            for heading, members in _groups(summaries, self._layout.group)
            for position, summary in enumerate(members)
        ]
        if rows:
            self._table.print(rows)

    def _above(self, heading: str) -> tuple[Text, ...]:
        if heading == self._latest:
            return ()
        note = " (continued)" if heading in self._headings else ""
        self._headings.add(heading)
        self._latest = heading
        return (Text(), Text(heading + note, style="bold"))


def _groups(summaries: Sequence[Summary], group: str | None) -> Iterable[tuple[str, list[Summary]]]:
    """Yield headings with their rows; the group with the newest recommendation comes first, and stays together."""
    grouped: dict[str, list[Summary]] = {}
    for summary in summaries:
        grouped.setdefault(getattr(summary, group) if group else "", []).append(summary)
    for name, members in grouped.items():
        for day, rows in groupby(members, key=lambda summary: summary.timestamp[:10]):
            yield (f"{_NOUNS[group]} {name} · {day} UTC" if group else f"{day} UTC"), list(rows)


def _cells(summary: Summary, reviews: Mapping[str, Review], column: str, *, ascii_only: bool) -> list[Cell]:
    status = status_mark(summary.status)
    if summary.truncated:
        status.append(" cut", style="yellow")
    if summary.held:
        status.append(" held" if status.plain else "held", style="cyan")
    status.append_text(verdict_mark(reviews.get(summary.recommendation_id)))
    return [
        Text(summary.time_of_day, style="dim"),
        getattr(summary, column),
        confidence_bar(summary.confidence, odd=summary.odd_confidence, ascii_only=ascii_only),
        status,
        summary.headline,
    ]

"""Lists for people: grouped, newest first, one line a recommendation where it fits and two where it does not."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from rich.console import Console
from rich.text import Text

from recommendation_cli.reading.summary import Summary
from recommendation_cli.screen.terminal import confidence_bar, status_mark

WIDE: Final = 110  # columns; below, the headline takes a line of its own
_MOST_NAME: Final = 40  # columns of an incident's ID or an agent's type; the other formats have it whole
_LEAST_NAME: Final = 12
_GAP: Final = "  "


class Layout(NamedTuple):
    """How a list is arranged: `group` heads the groups (None: days alone do), `column` tells the rows apart."""

    group: str | None
    column: str


LAYOUTS: Final = {
    "incidentId": Layout(group="execution_id", column="agent_type"),
    "executionId": Layout(group="incident_id", column="agent_type"),
    "agentType": Layout(group=None, column="incident_id"),
}
_NAMES: Final = {"execution_id": "Execution", "incident_id": "Incident", "agent_type": "Agent"}


def render_list(console: Console, summaries: Sequence[Summary], layout: Layout) -> None:
    """Print summaries in groups of one execution (or incident) and one UTC day; at least one, the newest first."""
    table = _Table(console, summaries, layout.column)
    table.print_titles()
    for heading, rows in _groups(summaries, layout.group):
        console.print()
        console.print(Text(heading, style="bold"))
        for summary in rows:
            table.print_row(summary)


def _groups(summaries: Sequence[Summary], group: str | None) -> Iterable[tuple[str, list[Summary]]]:
    """Return headings with their rows; the group with the newest recommendation comes first, whole."""
    together: dict[str, list[Summary]] = {}
    for summary in summaries:
        together.setdefault(getattr(summary, group) if group else "", []).append(summary)
    for name, members in together.items():
        for day, rows in groupby(members, key=lambda summary: summary.timestamp[:10]):
            yield (f"{_NAMES[group]} {name} · {day} UTC" if group else f"{day} UTC"), list(rows)


class _Table:
    """Prints rows in columns that are as wide as their widest cell."""

    def __init__(self, console: Console, summaries: Sequence[Summary], column: str) -> None:
        self._console = console
        self._name = attrgetter(column)
        self._title = _NAMES[column].lower()
        rows = [[Text(title) for title in self._titles()], *map(self._cells, summaries)]
        time, name, *others = (max(cell.cell_len for cell in cells) for cells in zip(*rows, strict=True))
        room = console.width - time - sum(others) - len(_GAP) * (len(others) + 1)
        self._widths = [time, min(name, _MOST_NAME, max(_LEAST_NAME, room)), *others]

    def print_titles(self) -> None:
        titles = self._line(Text(title, style="dim") for title in self._titles())
        self._print(titles.append("summary", "dim") if self._one_line else titles)

    def print_row(self, summary: Summary) -> None:
        line = self._line(self._cells(summary))
        if self._one_line:
            self._print(line.append(summary.headline))
        else:
            self._print(line)
            self._print(Text(f"    {summary.headline}"))

    @property
    def _one_line(self) -> bool:
        return self._console.width >= WIDE

    def _titles(self) -> tuple[str, ...]:
        return ("time (UTC)", self._title, "confidence", "status")

    def _cells(self, summary: Summary) -> list[Text]:
        status = status_mark(summary.status)
        if summary.truncated:
            status.append(" cut", style="yellow")
        ascii_only = self._console.options.ascii_only
        return [
            Text(_time_of_day(summary.timestamp), style="dim"),
            Text(self._name(summary)),
            confidence_bar(summary.confidence, odd=summary.odd_confidence, ascii_only=ascii_only),
            status,
        ]

    def _line(self, cells: Iterable[Text]) -> Text:
        line = Text()
        for cell, width in zip(cells, self._widths, strict=True):
            cell.truncate(width, overflow="ellipsis", pad=True)
            line.append_text(cell).append(_GAP)
        return line

    def _print(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, no_wrap=True, overflow="ellipsis")


def _time_of_day(timestamp: str) -> str:
    """Return the time as the recommendation's ID has it: its shortest exact form."""
    time = timestamp[11:].removesuffix("Z")
    return time.rstrip("0").removesuffix(".") if "." in time else time

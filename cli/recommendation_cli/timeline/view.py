"""How a timeline looks on a terminal: one chart for each execution."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console
from rich.text import Text

from recommendation_cli.reviews.view import verdict_mark
from recommendation_cli.screen.table import Column, Row, print_table
from recommendation_cli.screen.terminal import status_mark
from recommendation_cli.timeline.executions import Execution, Moment, duration_text, extent_text, pause_between

_TITLES: Final = ("completed", "took", "agent", "conf", "status")
_AGENT: Final = _TITLES.index("agent")
_MOST_AGENT: Final = 28  # columns
_LEAST_AGENT: Final = 8
_CHART: Final = (8, 60)  # columns: a narrower chart shows nothing and is left out, a wider one is hard to follow
_GAP: Final = 2  # columns between cells, as `print_table` has them

Span = tuple[datetime, datetime]


def render_timeline(console: Console, executions: Sequence[Execution]) -> None:
    """Print executions, oldest first, each on its own axis, with the pauses within and between them."""
    for position, execution in enumerate(executions):
        pause = pause_between(executions[position - 1], execution) if position else None
        if pause is not None:
            console.print(Text(f"\n· {duration_text(pause)} until the next execution", style="dim"))
        if position:
            console.print()
        _print_execution(console, execution)


def _print_execution(console: Console, execution: Execution) -> None:
    _print_line(console, Text(f"Execution {execution.execution_id}", style="bold"))
    failed = sum(moment.failed for moment in execution.moments)
    notes = (extent_text(execution), f"{failed} of {len(execution.moments)} not successful" if failed else "")
    _print_line(console, Text("  " + " · ".join(filter(None, notes)), style="dim"))
    if execution.replay_of is not None:
        _print_line(console, Text(f"  replay of {execution.replay_of}", style="dim"))
    cells = [_cells(moment) for moment in execution.moments]
    width = _chart_width(console, cells)
    pauses = execution.pauses()
    columns = [
        Column(title, least=_LEAST_AGENT, most=_MOST_AGENT)
        if title == "agent"
        else Column(title, keep=title == "status")
        for title in _TITLES
    ]
    rows = [
        Row(
            [*moment_cells, _bar(moment, execution.span, width, ascii_only=console.options.ascii_only)]
            if width
            else moment_cells,
            above=[_pause_line(pauses[index])] if index in pauses else [],
            below=[Text(f"    {moment.summary.headline}")],
        )
        for index, (moment, moment_cells) in enumerate(zip(execution.moments, cells, strict=True))
    ]
    print_table(console, [*columns, Column("when")] if width else columns, rows)


def _cells(moment: Moment) -> list[Text]:
    summary = moment.summary
    confidence = "odd" if summary.odd_confidence else "none"
    return [
        Text(summary.time_of_day, style="dim"),
        Text("" if moment.duration is None else duration_text(moment.duration)),
        Text(summary.agent_type),
        Text(confidence if summary.confidence is None else f"{summary.confidence:.2f}"),
        status_mark(summary.status).append_text(verdict_mark(moment.review)),
    ]


def _chart_width(console: Console, cells: Sequence[Sequence[Text]]) -> int:
    """Return how many columns are left for the chart; 0 if they are too few."""
    widths = [max(cell.cell_len for cell in column) for column in zip(map(Text, _TITLES), *cells, strict=True)]
    widths[_AGENT] = min(widths[_AGENT], _MOST_AGENT)
    least, most = _CHART
    room = console.width - sum(widths) - _GAP * len(widths)
    return 0 if room < least else min(room, most)


def _bar(moment: Moment, span: Span | None, width: int, *, ascii_only: bool) -> Text:
    """Return where the agent worked on the execution's axis; a mark where only its completion is known."""
    if span is None or moment.completed is None:
        return Text()
    style = "red" if moment.failed else "cyan"
    last = _position(moment.completed, span, width)
    if moment.started is None:
        return Text(" " * last).append("*" if ascii_only else "◆", style)
    first = _position(moment.started, span, width)
    return Text(" " * first).append(("=" if ascii_only else "━") * (last - first + 1), style)


def _position(instant: datetime, span: Span, width: int) -> int:
    length = span[1] - span[0] or timedelta(microseconds=1)
    return round((instant - span[0]) / length * (width - 1))


def _pause_line(pause: timedelta) -> Text:
    return Text(f"{'':14}· {duration_text(pause)} with no agent recorded at work", style="dim")


def _print_line(console: Console, line: Text) -> None:
    line.rstrip()
    console.print(line, no_wrap=True, overflow="ellipsis")

"""`recs timeline`: who said what when, as a chart of text."""

import sys
from datetime import datetime, timedelta
from typing import Final

from rich.console import Console
from rich.text import Text

from recommendation_cli.options import ListOptions, ReadOptions
from recommendation_cli.output import write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.terminal import open_terminal, print_scope, status_mark
from recommendation_cli.source import Source
from recommendation_cli.timeline.runs import Moment, Run, as_events, duration_text, pause_between, runs

_MOST_AGENT: Final = 28  # columns
_CHART: Final = (8, 60)  # columns of the chart: narrower it says nothing and is left out, wider it is hard to follow


def show_timeline(runtime: Runtime, incident_id: str, read: ReadOptions, listed: ListOptions) -> None:
    """Print an incident's timeline."""
    found = runs(Source(runtime, read).fetch("incidentId", incident_id, listed))
    if read.output == "table":
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        render_timeline(console, found)
    else:
        write_records(sys.stdout.buffer, as_events(found), read.output)


def render_timeline(console: Console, found: list[Run]) -> None:
    """Print runs, oldest first, each on an axis of its own, with the pauses within and between them."""
    for position, run in enumerate(found):
        pause = pause_between(found[position - 1], run) if position else None
        if pause is not None:
            console.print(Text(f"\n· {duration_text(pause)} until the next execution", style="dim"))
        if position:
            console.print()
        _Chart(console, run).print()


class _Chart:
    def __init__(self, console: Console, run: Run) -> None:
        self._console = console
        self._run = run
        self._ascii = console.options.ascii_only
        agents = [Text(moment.summary.agent_type).cell_len for moment in run.moments]
        self._agent = min(_MOST_AGENT, max([len("agent"), *agents]))
        statuses = [status_mark(moment.summary.status).cell_len for moment in run.moments]
        self._status = max([len("status"), *statuses])
        least, most = _CHART
        room = console.width - len("00:00:00.000") - 11 - self._agent - 4 - self._status - 2 * 5
        self._width = 0 if room < least else min(room, most)

    def print(self) -> None:
        run, span = self._run, self._run.span
        self._line(Text(f"Execution {run.execution_id}", style="bold"))
        lasted = "" if span is None else f"{span[0]:%Y-%m-%d %H:%M:%S} UTC, {duration_text(span[1] - span[0])}"
        failed = sum(moment.failed for moment in run.moments)
        parts = [lasted, f"{failed} of {len(run.moments)} not successful" if failed else ""]
        self._line(Text("  " + " · ".join(filter(None, parts)), style="dim"))
        if run.replay_of is not None:
            self._line(Text(f"  replay of {run.replay_of}", style="dim"))
        titles = ("completed", "took", "agent", "conf", "status")
        self._line(self._cells([Text(title, style="dim") for title in titles], Text("when", style="dim")))
        pauses = run.pauses()
        for index, moment in enumerate(run.moments):
            if index in pauses:
                self._line(Text(f"{'':14}· {duration_text(pauses[index])} with no agent recorded at work", style="dim"))
            self._line(self._cells(_cells(moment), self._bar(moment)))
            self._line(Text(f"    {moment.summary.headline}"))

    def _cells(self, cells: list[Text], bar: Text) -> Text:
        line = Text()
        for cell, width in zip(cells, (12, 11, self._agent, 4, self._status), strict=True):
            cell.truncate(width, overflow="ellipsis", pad=True)
            line.append_text(cell).append("  ")
        return line.append_text(bar) if self._width else line

    def _bar(self, moment: Moment) -> Text:
        """Return where the agent worked on the run's axis; a mark where only its end is known."""
        span, ended = self._run.span, moment.completed
        if not self._width or span is None or ended is None:
            return Text()
        style = "red" if moment.failed else "cyan"
        last = _cell(ended, span, self._width)
        if moment.started is None:
            return Text(" " * last).append("*" if self._ascii else "◆", style)
        first = _cell(moment.started, span, self._width)
        return Text(" " * first).append(("=" if self._ascii else "━") * (last - first + 1), style)

    def _line(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, no_wrap=True, overflow="ellipsis")


def _cell(instant: datetime, span: tuple[datetime, datetime], width: int) -> int:
    length = span[1] - span[0] or timedelta(microseconds=1)
    return round((instant - span[0]) / length * (width - 1))


def _cells(moment: Moment) -> list[Text]:
    summary = moment.summary
    confidence = "odd" if summary.odd_confidence else "none"
    return [
        Text(moment.summary.timestamp[11:23], style="dim"),
        Text("" if moment.duration is None else duration_text(moment.duration)),
        Text(summary.agent_type),
        Text(confidence if summary.confidence is None else f"{summary.confidence:.2f}"),
        status_mark(summary.status),
    ]

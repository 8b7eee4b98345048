"""Read a period of every agent for `recs incidents`, and print its incidents."""

import sys
from collections.abc import Sequence
from typing import Final

import click
from rich.console import Console
from rich.text import Text

from recommendation_cli.aws.errors import NothingFoundError, explained
from recommendation_cli.incidents.incident import Incident
from recommendation_cli.incidents.query import no_incident, read_incidents
from recommendation_cli.marks.text import hold_text
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_records
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import progress
from recommendation_cli.screen.table import Cell, Column, Row, print_table
from recommendation_cli.screen.terminal import WIDE, confidence_bar, open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_shared.wording import plural

_MOST_ID: Final = 64  # columns
_BESIDE: Final = 42  # columns: the time, counts and a confidence beside an ID and a state, with their gaps
_INCIDENT: Final = Column("incident", most=_MOST_ID, keep=True)  # whoever looks for an ID needs all of it
_STATE: Final = Column("state", keep=True)
_INDENT: Final = "    "


def list_incidents(runtime: Runtime, read: ReadOptions, listed: ListOptions) -> None:
    """Print the incidents of a period, newest first."""
    target = read.target(runtime)
    now = runtime.now()
    with explained(target):
        client = runtime.connect(target)
        with progress(runtime.environ, runtime.monotonic) as report:
            expired_by = None if read.include_expired else now
            found = read_incidents(
                client,
                target.table,
                listed,
                lambda _, read: report(f"read {plural(read, 'recommendation')}", 0, None),
                now=expired_by,
            )
    shown = found.incidents[: listed.limit]
    if read.output != "table":
        write_records(sys.stdout.buffer, [incident.record(now) for incident in shown], read.output)
    elif shown:
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        _render(console, shown, now)
    sys.stdout.flush()  # before notes appear on stderr
    if not shown:
        raise NothingFoundError(no_incident(found, target))
    if read.output == "table":
        older = f" of {len(found.incidents):,}" if len(shown) < len(found.incidents) else ""
        click.echo(f"\n{plural(len(shown), 'incident')}{older}; {found.cost}.", err=True)


def _state(state: str, *, is_held: bool) -> Text:
    text = Text(state, style="bold cyan" if state == "running" else "yellow")
    if not is_held:
        return text
    return Text(" · ").join([text, Text("held", style="cyan")]) if state else Text("held", style="cyan")


def _render(console: Console, incidents: Sequence[Incident], now: float) -> None:
    is_wide = console.width >= WIDE
    rows = [_cells(console, incident, now, is_wide=is_wide) for incident in incidents]
    if _least_width(rows) <= console.width:
        columns = (
            Column("last (UTC)"),
            _INCIDENT,
            Column("exec", right=True),
            Column("recs", right=True),
            _STATE,
            *([Column("not successful", least=8, most=32)] if is_wide else ()),
            Column("confidence", least=5),
            Column("latest consensus" if is_wide else "not successful · latest consensus", least=20),
        )
        print_table(console, columns, rows, fold=None if is_wide else True)
    else:
        print_table(console, (_INCIDENT, _STATE), map(_stacked, rows))
    held = [Text(f"{visible(each.incident_id)} is {hold_text(each.hold)}") for each in incidents if each.hold]
    if held:
        console.print()
        console.print(Text("\n").join(held), soft_wrap=not console.is_terminal)


def _least_width(rows: Sequence[Sequence[Cell]]) -> int:
    """Return the columns that the first line of every row needs, with the confidence as a number only."""
    names, states = ([Text.assemble(row[index]).cell_len for row in rows] for index in (1, 4))
    return _BESIDE + min(max(names), _MOST_ID) + max(states)


def _stacked(row: Sequence[Cell]) -> Row:
    """Return the ID and the state with everything else below them."""
    last, name, executions, recommendations, state, *words = row
    numbers = f"{last}  {executions} exec, {recommendations} recs"
    return Row([name, state], below=[Text.assemble(_INDENT, line) for line in (numbers, *words) if line])


def _cells(console: Console, incident: Incident, now: float, *, is_wide: bool) -> list[Cell]:
    said = incident.consensus
    failures, headline = Text(incident.failures, style="bold red"), "" if said is None else said.headline
    below = Text(" · ").join([part for part in (failures, Text(headline)) if part])
    bar = Text()
    if said is not None:
        bar = confidence_bar(said.confidence, odd=said.odd_confidence, ascii_only=console.options.ascii_only)
    state = incident.state(now)
    return [
        visible(f"{incident.last[:10]} {incident.last[11:19]}"),
        visible(incident.incident_id),
        f"{len(incident.executions):,}",
        f"{incident.recommendations:,}",
        _state(state, is_held=incident.hold is not None),
        *([failures] if is_wide else ()),
        bar,
        headline if is_wide else below,
    ]

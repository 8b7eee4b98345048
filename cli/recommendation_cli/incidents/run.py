"""Read a period of every agent for `recs incidents`, and print its incidents."""

import sys
from collections import Counter

import click
from rich.console import Console
from rich.text import Text

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.aws.errors import NothingFoundError, explained
from recommendation_cli.incidents.incident import Incident, newest_first
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_records
from recommendation_cli.read_cost import read_cost
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import progress
from recommendation_cli.screen.table import Column, print_table
from recommendation_cli.screen.terminal import confidence_bar, open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.projection import LISTED, MEASURED
from recommendation_cli.search.queries import Listing, Search
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.wording import plural


def list_incidents(runtime: Runtime, read: ReadOptions, listed: ListOptions) -> None:
    """Print the incidents of a period, newest first."""
    target = read.target(runtime)
    now = runtime.now()
    found: dict[str, Incident] = {}
    with explained(target):
        client = runtime.connect(target)
        listings = _listings(client, target.table, listed, now=None if read.include_expired else now)
        with progress(runtime.environ, runtime.monotonic) as report:
            for number, listing in enumerate(listings):
                for batch in listing.batches():
                    _add(found, batch, listed)
                    total = sum(each.read for each in listings)
                    report(f"read {plural(total, 'recommendation')}", number, len(listings))
    incidents = newest_first(found.values())
    shown = incidents[: listed.limit]
    if read.output != "table":
        write_records(sys.stdout.buffer, [incident.record(now) for incident in shown], read.output)
    elif shown:
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        _render(console, shown, now)
    sys.stdout.flush()  # before notes appear on stderr
    if not shown:
        remedy = f"{plural(len(found), 'other')} left out" if found else "widen --since, or check --table and --region"
        raise NothingFoundError(f"No incident in that period in {target}: {remedy}.")
    if read.output == "table":
        older = f" of {len(incidents):,}" if len(shown) < len(incidents) else ""
        cost = read_cost(sum(each.read for each in listings), sum(each.units for each in listings))
        click.echo(f"\n{plural(len(shown), 'incident')}{older}; {cost}.", err=True)


def _listings(client: DynamoDb, table: str, listed: ListOptions, *, now: float | None) -> list[Listing]:
    period = listed.period()
    return [
        Listing(
            client,
            table,
            Search("agentType", agent, period, whole=False, attributes=LISTED if agent == CONSENSUS else MEASURED),
            now=now,
        )
        for agent in agent_types(client, table)
    ]


def _add(found: dict[str, Incident], batch: list[dict[str, object]], listed: ListOptions) -> None:
    matching = listed.matching()
    for document in batch:
        name, timestamp = str(document.get("incidentId")), str(document.get("timestamp"))
        incident = found.setdefault(name, Incident(name, timestamp, timestamp))
        incident.add(document, matches=matching.passes(document))


def _render(console: Console, incidents: list[Incident], now: float) -> None:
    columns = (
        Column("last (UTC)"),
        Column("incident", least=12, most=48),
        Column("exec", right=True),
        Column("recs", right=True),
        Column("state"),
        Column("not successful", least=8, most=32),
        Column("confidence"),
        Column("latest consensus", least=20),
    )
    print_table(console, columns, [_cells(console, incident, now) for incident in incidents], fold=None)


def _cells(console: Console, incident: Incident, now: float) -> list[str | Text]:
    said = incident.consensus
    bar = Text()
    if said is not None:
        bar = confidence_bar(said.confidence, odd=said.odd_confidence, ascii_only=console.options.ascii_only)
    state = incident.state(now)
    return [
        visible(f"{incident.last[:10]} {incident.last[11:19]}"),
        visible(incident.incident_id),
        f"{len(incident.executions):,}",
        f"{incident.recommendations:,}",
        Text(state, style="bold cyan" if state == "running" else "yellow"),
        Text(_failures(incident.failed), style="bold red"),
        bar,
        "" if said is None else said.headline,
    ]


def _failures(failed: Counter[str]) -> str:
    return ", ".join(f"{agent} ({count})" if count > 1 else agent for agent, count in failed.most_common())

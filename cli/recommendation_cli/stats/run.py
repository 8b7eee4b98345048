"""Read, add up and print for `recs stats`."""

import sys
from datetime import timedelta

import click

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.aws.errors import NothingFoundError, explained
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_records
from recommendation_cli.read_cost import read_cost
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import Report, progress
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.projection import JUDGED, MEASURED
from recommendation_cli.search.queries import Listing, Search
from recommendation_cli.stats.collect import Span, Tallies
from recommendation_cli.stats.view import records, render
from recommendation_shared.envelope.identity import EPOCH, parse_instant
from recommendation_shared.envelope.vocabulary import CONSENSUS
from recommendation_shared.wording import plural


def show_stats(runtime: Runtime, read: ReadOptions, listed: ListOptions) -> None:
    """Print what the agents did in a period, and how that differs from the period before."""
    target = read.target(runtime)
    span = _span(runtime, listed)
    tallies = Tallies(), Tallies()
    expired_by = None if read.include_expired else runtime.now()
    items, units = 0, 0.0
    with explained(target):
        client = runtime.connect(target)
        with progress(runtime.environ, runtime.monotonic) as report:
            for added, part in zip(tallies, (span, span.before()), strict=True):
                for listing in _listings(client, target.table, part, listed, expired_by):
                    _add(added, listing, part, listed, report)
                    items, units = items + listing.read, units + listing.units
    now, before = tallies
    if not now.everything.count:
        raise NothingFoundError(f"No recommendation in that period in {target}: widen --since, or check --table.")
    if read.output == "table":
        console = open_terminal(runtime.environ)
        print_scope(console, listed.scope(runtime))
        render(console, now, before)
        sys.stdout.flush()  # before notes appear on stderr
        counted = plural(now.everything.count, "recommendation")
        click.echo(f"\n{counted} in the period; {read_cost(items, units)}.", err=True)
    else:
        write_records(sys.stdout.buffer, records(now, before), read.output)


def _span(runtime: Runtime, listed: ListOptions) -> Span:
    period = listed.period()
    until = EPOCH + timedelta(seconds=runtime.now()) if period.until is None else parse_instant(period.until)
    if period.since is None:
        raise click.UsageError("Statistics need a beginning: give --since too.")
    since = parse_instant(period.since)
    if since >= until:
        raise click.UsageError("--since must be in the past.")
    return Span(since, until)


def _listings(client: DynamoDb, table: str, span: Span, listed: ListOptions, now: float | None) -> list[Listing]:
    """Return the consensus first: it says which agents disagreed with it."""
    types = agent_types(client, table) if not listed.agents else {CONSENSUS, *listed.agents}
    searches = [
        Search("agentType", agent, span.period(), whole=False, attributes=JUDGED if agent == CONSENSUS else MEASURED)
        for agent in sorted(types, key=lambda agent: agent != CONSENSUS)
    ]
    return [Listing(client, table, search, now=now) for search in searches]


def _add(tallies: Tallies, listing: Listing, span: Span, listed: ListOptions, report: Report) -> None:
    matching = listed.matching()
    for batch in listing.batches():
        documents = tallies.note_consensus(batch) if listing.search.value == CONSENSUS else batch
        tallies.add(documents, span, matching)
        report(f"read {plural(listing.read, 'recommendation')} of {listing.search.value}", 0, None)

"""Read a period, or an incident, and print what mentions a text, as it is found."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.aws.errors import NothingFoundError, explained
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_documents
from recommendation_cli.read_cost import read_cost
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import Report, bottom_line, progress
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.agent_types import agent_types
from recommendation_cli.search.projection import TEXTS
from recommendation_cli.search.queries import Document, Listing, Search
from recommendation_cli.text_search.matches import Match, matches, pattern_of
from recommendation_shared.wording import plural

_MATCH = "bold yellow"


def search_text(runtime: Runtime, text: str, incident_id: str | None, read: ReadOptions, listed: ListOptions) -> None:
    """Print every recommendation that mentions a text, newest first within each agent, or within the incident."""
    target = read.target(runtime)
    pattern = pattern_of(text)
    found = 0
    with explained(target):
        client = runtime.connect(target)
        now = None if read.include_expired else runtime.now()
        searches = _searches(client, target.table, incident_id, listed, whole=read.output != "table")
        listings = [Listing(client, target.table, search, now=now) for search in searches]
        console = open_terminal(runtime.environ)
        with _reporting(runtime, console, read.output) as report:

            def hits() -> Iterator[tuple[Document, list[Match]]]:
                nonlocal found
                for number, listing in enumerate(listings):
                    for batch in listing.batches():
                        for document in batch:
                            here = list(matches(document, pattern))
                            if here:
                                found += 1
                                yield document, here
                            if found == listed.limit:
                                return
                        sys.stdout.flush()  # before the next page is read
                        read_so_far = sum(each.read for each in listings)
                        report(f"{found:,} found in {plural(read_so_far, 'recommendation')}", number, len(listings))

            if read.output == "table":
                _print(console, listed.scope(runtime), hits())
            else:
                write_documents(sys.stdout.buffer, map(_document, hits()), read.output)
        sys.stdout.flush()
    cost = read_cost(sum(each.read for each in listings), sum(each.units for each in listings))
    if not found:
        raise NothingFoundError(f"Nothing mentions {visible(text)!r} ({cost}): widen --since, or search for less.")
    click.echo(f"\n{plural(found, 'recommendation')} found; {cost}.", err=True)


@contextmanager
def _reporting(runtime: Runtime, console: Console, output: str) -> Iterator[Report]:
    """Yield the function to report to: below a growing list on a terminal, elsewhere on stderr."""
    if output == "table" and console.is_terminal:
        with bottom_line(console) as say:
            yield lambda text, _done, _total: say(text)
    else:
        with progress(runtime.environ, runtime.monotonic) as report:
            yield report


def _searches(
    client: DynamoDb, table: str, incident_id: str | None, listed: ListOptions, *, whole: bool
) -> list[Search]:
    if incident_id is None:
        keys = [("agentType", agent) for agent in listed.agents or agent_types(client, table)]
    else:
        keys = [("incidentId", incident_id)]
    attributes = () if whole else TEXTS
    period, matching = listed.period(), listed.matching()
    return [Search(*key, period, matching=matching, attributes=attributes) for key in keys]


def _print(console: Console, scope: str, hits: Iterator[tuple[Document, list[Match]]]) -> None:
    for number, (document, here) in enumerate(hits):
        if number == 0:
            print_scope(console, scope)
        name = visible(str(document.get("recommendationId")))
        console.print(Text(name, style="bold"), soft_wrap=True)
        for match in here:
            sentence = Text(match.sentence)
            sentence.stylize(_MATCH, match.start, match.end)
            line = Text.assemble((f"  {match.field}: ", "dim"), sentence)
            console.print(line, soft_wrap=not console.is_terminal)


def _document(hit: tuple[Document, list[Match]]) -> dict[str, Any]:
    document, here = hit
    return {**document, "matches": [{"field": match.field, "sentence": match.sentence} for match in here]}

"""Read a period, or an incident, and print what mentions a text, as it is found."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from recommendation_cli.aws.errors import NothingFoundError, explained
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.options.table import ReadOptions
from recommendation_cli.output import write_documents
from recommendation_cli.runtime import Runtime
from recommendation_cli.screen.progress import Report, bottom_line, progress
from recommendation_cli.screen.terminal import open_terminal, print_scope
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_cli.text_search.matches import Match
from recommendation_cli.text_search.query import TextQuery, TextSearch
from recommendation_shared.wording import plural

_MATCH = "bold yellow"


def search_text(runtime: Runtime, text: str, incident_id: str | None, read: ReadOptions, listed: ListOptions) -> None:
    """Print every recommendation that mentions a text, newest first within each agent, or within the incident."""
    target = read.target(runtime)
    as_table = read.output == "table"
    with explained(target):
        client = runtime.connect(target)
        now = None if read.include_expired else runtime.now()
        query = TextQuery(text, incident_id, listed, whole=not as_table, now=now)
        console = open_terminal(runtime.environ)
        with _reporting(runtime, console, read.output) as report:
            search = TextSearch(client, target.table, query)

            def flush_and_report(words: str, done: int, total: int | None) -> None:
                sys.stdout.flush()  # before the next page is read
                report(words, done, total)

            hits = search.hits(flush_and_report)
            if as_table:
                _print(console, listed.scope(runtime), hits)
            else:
                write_documents(sys.stdout.buffer, map(_document, hits), read.output)
        sys.stdout.flush()
    if not search.found:
        raise NothingFoundError(search.nothing())
    click.echo(f"\n{plural(search.found, 'recommendation')} found; {search.cost}.", err=True)


@contextmanager
def _reporting(runtime: Runtime, console: Console, output: str) -> Iterator[Report]:
    """Yield the function to report to: below a growing list on a terminal, elsewhere on stderr."""
    if output == "table" and console.is_terminal:
        with bottom_line(console) as say:
            yield lambda text, _done, _total: say(text)
    else:
        with progress(runtime.environ, runtime.monotonic) as report:
            yield report


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

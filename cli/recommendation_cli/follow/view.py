"""How followed recommendations look: a line each as they appear, and on a terminal a line about the wait below them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Protocol

from rich.console import Console
from rich.text import Text

from recommendation_cli.document_json import document_line
from recommendation_cli.output import csv_header, csv_line
from recommendation_cli.screen.progress import bottom_line
from recommendation_cli.screen.table import Column, Row, Table
from recommendation_cli.screen.terminal import WIDE, confidence_bar, status_mark
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import Summary, summarise


class View(Protocol):
    """Where followed recommendations go."""

    def show(self, document: Document) -> None:
        """Print a recommendation at once."""

    def wait(self, text: str) -> None:
        """Say what is being waited for, if this view has a place for it."""


class Lines:
    """JSON Lines or CSV on standard output."""

    def __init__(self, output: str) -> None:
        self._is_csv = output != "jsonl"
        if self._is_csv:
            self._write(csv_header(output))

    def show(self, document: Document) -> None:
        """Write a document as a line."""
        self._write(csv_line(document) if self._is_csv else document_line(document))

    def wait(self, text: str) -> None:
        """Say nothing: another program reads this."""

    def _write(self, line: bytes) -> None:
        sys.stdout.buffer.write(line)
        sys.stdout.flush()


class Screen:
    """A table that grows at its end."""

    def __init__(self, console: Console, say: Callable[[str], None], *, incidents: bool) -> None:
        self._console = console
        self._say = say
        self._incidents = incidents
        is_wide = console.width >= WIDE
        names = ("incident", "agent") if incidents else ("execution", "agent")
        columns = (
            Column("time (UTC)"),
            *(Column(name, least=8, most=40) for name in names),
            Column("confidence", least=5),
            Column("status", keep=True),
            Column("summary" if is_wide else "", least=20),
        )
        self._table = Table(console, columns, fold=not is_wide)
        self._day = ""

    def show(self, document: Document) -> None:
        """Print a document's summary, under its day."""
        summary = summarise(document)
        day = summary.timestamp[:10]
        above = () if day == self._day else (Text(f"{day} UTC", style="bold"),)
        self._day = day
        self._table.print([Row(self._cells(summary), above=above)])

    def wait(self, text: str) -> None:
        """Show a text in the line at the bottom of a terminal."""
        self._say(text)

    def _cells(self, summary: Summary) -> list[str | Text]:
        ascii_only = self._console.options.ascii_only
        return [
            Text(summary.time_of_day, style="dim"),
            summary.incident_id if self._incidents else summary.execution_id,
            summary.agent_type,
            confidence_bar(summary.confidence, odd=summary.odd_confidence, ascii_only=ascii_only),
            status_mark(summary.status),
            summary.headline,
        ]


@contextmanager
def screen(console: Console, *, incidents: bool) -> Iterator[Screen]:
    """Yield a table that grows; `incidents` shows which incident each recommendation belongs to."""
    with bottom_line(console) if console.is_terminal else nullcontext(_say_nothing) as say:
        yield Screen(console, say, incidents=incidents)


def _say_nothing(_text: str) -> None:
    """Stand in for the line at the bottom, which a pipe does not have."""

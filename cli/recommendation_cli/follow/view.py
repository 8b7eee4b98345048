"""How followed recommendations look: a line each as they appear, and on a terminal a line about the wait below them."""

import codecs
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Final, Protocol

from rich.console import Console
from rich.status import Status
from rich.text import Text

from recommendation_cli.common_options import CSV_WITH_BOM
from recommendation_cli.document_json import document_line
from recommendation_cli.output import csv_header, csv_line
from recommendation_cli.screen.table import Column, Row, Table
from recommendation_cli.screen.terminal import confidence_bar, status_mark
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import Summary, summarise

_WIDE: Final = 110  # columns; on a narrower terminal the headline takes a line to itself


class View(Protocol):
    """Where followed recommendations go."""

    def show(self, documents: Sequence[Document]) -> None:
        """Print recommendations at once."""

    def wait(self, text: str) -> None:
        """Say what is being waited for, if this view has a place for it."""


class Lines:
    """JSON Lines or CSV on standard output."""

    def __init__(self, output: str) -> None:
        self._is_csv = output != "jsonl"
        if self._is_csv:
            self._write((codecs.BOM_UTF8 if output == CSV_WITH_BOM else b"") + csv_header())

    def show(self, documents: Sequence[Document]) -> None:
        """Write each document as a line."""
        for document in documents:
            self._write(csv_line(document) if self._is_csv else document_line(document))

    def wait(self, text: str) -> None:
        """Say nothing: another program reads this."""

    def _write(self, line: bytes) -> None:
        sys.stdout.buffer.write(line)
        sys.stdout.flush()


class Screen:
    """A table that grows at its end."""

    def __init__(self, console: Console, status: Status | None, *, incidents: bool) -> None:
        self._console = console
        self._status = status
        self._incidents = incidents
        is_wide = console.width >= _WIDE
        names = ("incident", "agent") if incidents else ("execution", "agent")
        columns = (
            Column("time (UTC)"),
            *(Column(name, least=8, most=40) for name in names),
            Column("confidence"),
            Column("status"),
            Column("summary" if is_wide else "", least=20),
        )
        self._table = Table(console, columns, fold=not is_wide)
        self._day = ""

    def show(self, documents: Sequence[Document]) -> None:
        """Print each document's summary, under its day."""
        rows = []
        for summary in map(summarise, documents):
            day = summary.timestamp[:10]
            above = () if day == self._day else (Text(f"{day} UTC", style="bold"),)
            rows.append(Row(self._cells(summary), above=above))
            self._day = day
        if rows:
            self._table.print(rows)

    def wait(self, text: str) -> None:
        """Show a text in the line at the bottom."""
        if self._status is not None:
            self._status.update(Text(text, style="dim"))

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
    status = console.status(Text("reading", style="dim"), refresh_per_second=4) if console.is_terminal else None
    with status or nullcontext():
        yield Screen(console, status, incidents=incidents)

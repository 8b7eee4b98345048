"""The table of dead letters by reason, which `recs dlq status`, dry runs of `redrive` and those of `restore` print."""

from collections.abc import Iterable
from typing import NamedTuple

from rich.console import Console

from recommendation_cli.screen.table import Column, print_table
from recommendation_cli.screen.visible import visible
from recommendation_cli.screen.words import age


class ReasonRow(NamedTuple):
    """The dead letters of one reason: count, when the oldest was sent (epoch seconds), and what a redrive would do."""

    reason: str
    messages: int
    oldest: float
    outcome: str


def print_reasons(console: Console, rows: Iterable[ReasonRow], now: float, outcome_title: str) -> None:
    """Print the rows; on a narrow terminal, each outcome goes on its own line."""
    columns = (Column("reason", least=8), Column("messages", right=True), Column("oldest", right=True))
    cells = [(visible(row.reason), f"{row.messages:,}", age(now - row.oldest), row.outcome) for row in rows]
    print_table(console, (*columns, Column(outcome_title)), cells, fold=None)
